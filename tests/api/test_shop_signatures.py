"""Which signatures of Shopify are taken: ours, of these very bytes, written as Shopify does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from api.shopify import is_signed
from tests.api.shopping import sign

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/shopify_hmac.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_published_signatures_are_right(vector: dict[str, str]) -> None:
    raw, secret = vector["body"].encode(), SecretStr(vector["secret"])
    assert is_signed(raw, vector["hmac_base64"], [SecretStr("other"), secret])
    assert not is_signed(raw + b" ", vector["hmac_base64"], [secret])
    assert not is_signed(raw, vector["hmac_base64"], [])


def test_only_base64_as_shopify_writes_it_is_a_signature() -> None:
    raw, secret = b"{}", SecretStr("hush")
    good = sign(raw, "hush")
    assert is_signed(raw, good, [secret])
    odd = (good[:-1], f"{good}=", f" {good}", good.replace("=", "\n="), good.lower(), "é", "")
    assert not any(is_signed(raw, each, [secret]) for each in odd)
