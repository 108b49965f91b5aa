"""Messages that anybody on the broker may write: they confirm nothing and stop nobody."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, TopicPartition

from consumers.reactions.generation import PROVIDER_RESULTS
from consumers.reactions.payments import CHAIN_RESULTS
from tests.consumers.topic_reading import raw_producer
from tests.contracts.chain import PRICE
from tests.e2e.buyer import Buyer, Json
from tests.e2e.fork import Fork
from tests.e2e.stage import Stage
from tests.waiting import eventually

A_CENTURY_MS = 100 * 365 * 86_400_000
DIGEST = "ab" * 32
UNPAID = {"mint_ui_state": "new", "mint_order_status": "pending", "mint_paid": False}


def forge(stage: Stage, topic: str, key: str, value: Any, id_: str = "") -> None:
    """Writes a message, bytes as they are, and waits until the intake is done with it."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    kafka = stage.world.gives("kafka")["KAFKA_BOOTSTRAP_SERVERS"]
    headers = [("ce_id", (id_ or str(uuid4())).encode())]
    with raw_producer(kafka) as producer:
        sent = producer.send(stage.prefix + topic, raw, key=key.encode(), headers=headers)
        told = sent.get(10)
    place = TopicPartition(told.topic, told.partition)
    group = f"{stage.prefix}mega-{topic}"
    reader = KafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
    try:
        eventually(lambda: (reader.committed(place) or 0) > told.offset)
    finally:
        reader.close(autocommit=False)


def chain_key(order: Json) -> str:
    return f"order:{order['order_id']}"


def picture(card: Json, **more: Any) -> Json:
    """What the generation would say of a stored picture, or whatever `more` says."""
    said = {"character_id": card["id"], "attempt": 1, "outcome": "stored", "sha256": DIGEST}
    return said | more


def payment(order: Json) -> Json:
    """The finding of a payment that is not there."""
    found = {
        "tx_hash": "0x" + "11" * 32,
        "block_hash": "0x" + "22" * 32,
        "block_number": 1,
        "log_index": 0,
        "payer": "0x" + "33" * 20,
        "sender": "0x" + "33" * 20,
        "nonce": 0,
        "amount": PRICE,
        "token_id": 1,
        "depth": 99,
    }
    finding = {"finding": "RecordPayment", "found": found, "order_id": order["order_id"]}
    return {"order_id": order["order_id"], "findings": [finding]}


CHAIN_LIES: dict[str, Callable[[Json], Any]] = {
    "an order that never was": lambda _: {"order_id": str(uuid4())},
    "no JSON": lambda _: b'{"order_id": ',
    "no object": lambda _: [1, 2, 3],
    "nothing": lambda _: b"",
    "an order of another kind": lambda _: {"order_id": 7},
    "a very long order": lambda _: {"order_id": "x" * 5_000},
    "a payment that is not there": payment,
}


@pytest.mark.parametrize("name", CHAIN_LIES)
def test_a_forged_payment_confirms_nothing_and_stops_nobody(buyer: Buyer, name: str) -> None:
    card, order = buyer.buys()
    before = buyer.stage.facts.names(card["id"])
    forge(buyer.stage, CHAIN_RESULTS, chain_key(order), CHAIN_LIES[name](order))
    assert buyer.stage.facts.names(card["id"]) == before
    shown = buyer.until(card, **UNPAID)
    assert shown["on_chain_token_id"] is None and buyer.statement() == {}
    buyer.claim(order, buyer.pay(order))
    buyer.gets(card)


def test_a_forged_reorg_takes_nothing_back(buyer: Buyer, fork: Fork) -> None:
    card, order = buyer.buys()
    buyer.claim(order, buyer.pay(order))
    fork.confirm()
    done = buyer.until_done(card)
    block = buyer.stage.chain.call("eth_getBlockByNumber", "latest", False)["hash"]
    finding = {"finding": "RetractPayment", "order_id": order["order_id"], "block_hash": block}
    value = {"order_id": order["order_id"], "findings": [finding]}
    forge(buyer.stage, CHAIN_RESULTS, chain_key(order), value)
    assert buyer.card(card) == done
    assert buyer.stage.facts.count(card["id"], "payment_retracted") == 0
    buyer.gets(card)


PICTURE_LIES: dict[str, Callable[[Json], Any]] = {
    "a character that never was": lambda card: picture(card, character_id=str(uuid4())),
    "no JSON": lambda _: b"\xff\xfe",
    "a digest of nothing": picture,
    "an attempt that never was": lambda card: picture(card, attempt=7),
    "an attempt of the far future": lambda card: picture(card, attempt=2**40),
    "a failure that lasts a century": lambda card: picture(
        card, outcome="failed", error_class="transient", after_ms=A_CENTURY_MS
    ),
    "a path instead of a character": lambda card: picture(card, character_id="../../etc"),
    "an outcome of its own": lambda card: picture(card, outcome="refunded"),
}


@pytest.mark.parametrize("name", PICTURE_LIES)
def test_a_forged_picture_is_shown_nowhere_and_stops_nobody(buyer: Buyer, name: str) -> None:
    card, order = buyer.buys()
    before = buyer.stage.facts.names(card["id"])
    key = f"character:{card['id']}"
    forge(buyer.stage, PROVIDER_RESULTS, key, PICTURE_LIES[name](card))
    assert buyer.stage.facts.names(card["id"]) == before
    shown = buyer.until(card, **UNPAID)
    assert shown["image_url"] is None and shown["image_status"] == ""
    buyer.claim(order, buyer.pay(order))
    buyer.gets(card)


def test_the_picture_of_somebody_else_is_not_taken_for_ones_own(stage: Stage, buyer: Buyer) -> None:
    rich = Buyer(stage)
    theirs, paid = rich.buys()
    rich.claim(paid, rich.pay(paid))
    done = rich.gets(theirs)
    stored = next(f for f in stage.facts.events(theirs["id"]) if f.name == "image_stored")
    card, order = buyer.buys()
    lie = picture(card, sha256=stored.data["sha256"], output_url=done["image_url"])
    forge(stage, PROVIDER_RESULTS, f"character:{card['id']}", lie)
    assert buyer.until(card, **UNPAID)["image_url"] is None
    buyer.claim(order, buyer.pay(order))
    mine = buyer.gets(card)
    assert mine["image_url"] != done["image_url"]


@pytest.mark.parametrize("outcome", ["stored", "failed"])
def test_a_message_under_the_name_of_the_true_one_does_not_replace_it(
    buyer: Buyer, outcome: str
) -> None:
    card, order = buyer.buys()
    key = f"character:{card['id']}"
    id_ = f"{key}/attempt/1:stored"
    forge(buyer.stage, PROVIDER_RESULTS, key, picture(card, outcome=outcome), id_)
    buyer.claim(order, buyer.pay(order))
    buyer.gets(card)
    assert buyer.stage.facts.count(card["id"], "generation_requested") == 1


def test_a_forged_failure_costs_no_picture_that_is_on_its_way(buyer: Buyer) -> None:
    card, order = buyer.buys()
    billed = len(buyer.stage.twin.billed())
    buyer.stage.twin.script(match={"path": "/images/generations"}, delay_ms=1_500)
    buyer.claim(order, buyer.pay(order))
    eventually(lambda: buyer.stage.facts.count(card["id"], "generation_requested"))
    lie = picture(card, outcome="failed", error_class="refused", reason="says who")
    forge(buyer.stage, PROVIDER_RESULTS, f"character:{card['id']}", lie)
    buyer.gets(card)
    assert buyer.stage.facts.count(card["id"], "generation_failed") == 0
    assert len(buyer.stage.twin.billed()) == billed + 1
