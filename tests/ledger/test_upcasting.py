"""What was written stays readable: every event type has a golden file, and old ones are lifted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from domain.event import event
from ledger import codec
from ledger.codec import UnknownTopic, decode_data, upcast
from ledger.ledger import Ledger
from tests.ledger.events import OfStream
from tests.ledger.golden import corpus, known_events, shown

CORPUS = list(corpus())


@event("test_priced.v3")
@dataclass(frozen=True, slots=True, kw_only=True)
class Priced(OfStream):
    """v1 said `price` in SOL, v2 in lamports, v3 names the asset too."""

    amount: int
    asset: str


@upcast("test_priced.v1", to="test_priced.v2")
def sol_to_lamports(data: dict[str, Any]) -> dict[str, Any]:
    return {"at": data["at"], "lamports": data["price"] * 1_000_000_000}


@upcast("test_priced.v2", to="test_priced.v3")
def asset_is_named(data: dict[str, Any]) -> dict[str, Any]:
    return {"at": data["at"], "amount": data["lamports"], "asset": "lamports"}


def test_every_event_type_has_a_golden_file() -> None:
    old = {topic for topic in codec.old_topics() if not topic.startswith("test_")}
    wanted = known_events().keys() | old
    missing = wanted - {topic for topic, _, _ in CORPUS}
    assert not missing, "write them with `python -m tests.ledger.golden`"


@pytest.mark.parametrize(("topic", "data", "reads_as"), CORPUS)
def test_the_corpus_reads_as_on_the_day_it_was_written(
    topic: str, data: str, reads_as: dict[str, Any]
) -> None:
    assert shown(decode_data(topic, data, str), reads_as["fields"]) == reads_as


@pytest.mark.parametrize(("topic", "data", "reads_as"), CORPUS)
def test_what_is_written_now_reads_as_itself(topic: str, data: str, reads_as: object) -> None:
    now = decode_data(topic, data, str)
    written = json.loads(codec.encode(now, {}, str))["data"]
    assert decode_data(now.TOPIC, json.dumps(written), str) == now


async def test_old_versions_are_lifted_one_after_the_other(
    ledger: Ledger, app: psycopg.Connection
) -> None:
    old = [
        ("test_priced.v1", {"at": "a:1", "price": 2}),
        ("test_priced.v2", {"at": "a:1", "lamports": 5}),
        ("test_priced.v3", {"at": "a:1", "amount": 7, "asset": "USDC"}),
    ]
    app.execute(
        "SELECT mega_append(%s::int[], %s::text[], %s::bigint[], %s::text[], %s::text[]::jsonb[])",
        (
            [0, 0, 0],
            ["a:1"] * 3,
            [1, 2, 3],
            [topic for topic, _ in old],
            [json.dumps({"data": data, "metadata": {}}) for _, data in old],
        ),
    )
    lifted = [
        Priced(at="a:1", amount=2_000_000_000, asset="lamports"),
        Priced(at="a:1", amount=5, asset="lamports"),
        Priced(at="a:1", amount=7, asset="USDC"),
    ]
    assert (await ledger.streams(["a:1"]))["a:1"].events == lifted
    assert [(e.event, e.topic) for e in await ledger.page(0, 9)] == [
        (event, topic) for event, (topic, _) in zip(lifted, old, strict=True)
    ]


def test_an_event_nobody_knows_is_not_passed_over() -> None:
    with pytest.raises(UnknownTopic, match="test_never_heard_of"):
        decode_data("test_never_heard_of.v1", "{}", str)
