"""Signed deliveries, by the vectors of Standard Webhooks; `providers.md` §10."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from consumers.gateways.webhook_signatures import TOLERANCE, signed_delivery

TOLD = json.loads((Path(__file__).parents[1] / "vectors/standard_webhooks.json").read_text())
VECTORS = TOLD["vectors"]
FIRST = VECTORS[0]
OTHER_SECRET = "whsec_" + "QUJD" * 8


def headers(vector: dict[str, Any], **changes: str | None) -> dict[str, str]:
    told: dict[str, str | None] = {
        "Webhook-Id": vector["id"],
        "Webhook-Timestamp": str(vector["timestamp"]),
        "Webhook-Signature": vector["signature"],
    }
    named = {f"Webhook-{name.capitalize()}": value for name, value in changes.items()}
    return {name: value for name, value in (told | named).items() if value is not None}


def verified(vector: dict[str, Any], late: timedelta = timedelta(), **changes: Any) -> str | None:
    at = datetime.fromtimestamp(vector["timestamp"], UTC) + late
    body = vector["payload"].encode()
    return signed_delivery([vector["secret"]], headers(vector, **changes), body, at)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"][:20])
def test_a_good_signature_tells_the_delivery(vector: dict[str, Any]) -> None:
    assert verified(vector) == vector["id"]


def test_several_signatures_and_several_secrets_are_fine() -> None:
    (several,) = [one["header"] for one in TOLD["negative"] if "header" in one]
    assert verified(FIRST, signature=several) == FIRST["id"]
    at = datetime.fromtimestamp(FIRST["timestamp"], UTC)
    body = FIRST["payload"].encode()
    assert signed_delivery([OTHER_SECRET, FIRST["secret"]], headers(FIRST), body, at)
    assert signed_delivery([OTHER_SECRET], headers(FIRST), body, at) is None
    assert signed_delivery([], headers(FIRST), body, at) is None


@pytest.mark.parametrize(
    "changes",
    [
        *({"signature": one["signature"]} for one in TOLD["negative"] if "signature" in one),
        {"signature": "v1,"},
        {"signature": "v1"},
        {"signature": "v1,ö"},
        {"signature": FIRST["signature"].replace("v1,", "v2,")},
        {"signature": None},
        {"id": None},
        {"id": "msg_other"},
        {"timestamp": None},
        {"timestamp": "soon"},
        {"timestamp": "-1"},
        {"timestamp": "99999999999"},
        {"timestamp": str(FIRST["timestamp"] + 1)},
    ],
)
def test_anything_else_is_nobodys(changes: dict[str, str | None]) -> None:
    assert verified(FIRST, **changes) is None


def test_a_delivery_is_good_for_five_minutes_in_both_directions() -> None:
    for late in (TOLERANCE, -TOLERANCE):
        assert verified(FIRST, late)
        assert verified(FIRST, late + late / 300) is None


def test_the_raw_bytes_count() -> None:
    at = datetime.fromtimestamp(FIRST["timestamp"], UTC)
    for body in (FIRST["payload"].replace(" ", "").encode(), b"\xff\xfe"):
        assert signed_delivery([FIRST["secret"]], headers(FIRST), body, at) is None
