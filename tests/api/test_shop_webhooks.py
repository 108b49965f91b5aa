"""Shopify's webhooks: nobody else is heard, everything true is taken in, nothing is decided yet."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from commands.shop_orders import SettleShopOrder
from domain.event import Event
from domain.matcha import MatchaAccount, matcha_stream
from domain.passes import Pass
from domain.shop_order import REPEATS_MAX, ShopOrder
from domain.shop_order_events import (
    ShopDeliveryRepeated,
    ShopOrderReported,
    ShopOrderTurnedDown,
    ShopRefundReported,
)
from tests.api.living import Living, living
from tests.api.openapi import operations
from tests.api.shopping import (
    CANCELLED,
    PAID,
    REFUND,
    SAMPLES,
    SECRETS,
    SHOP,
    deliver,
    headers,
    order,
    post,
    recorded,
    sign,
)
from tests.world import TestWorld

SETTINGS: Any = {"mega_shopify_shop": SHOP, "mega_shopify_secrets": ",".join(SECRETS)}
_numbers = itertools.count(5_000_000_000_000_000_000)


@pytest.fixture
def number() -> int:
    """The id of an order that nobody else has, beyond 2**53."""
    return next(_numbers)


@pytest.fixture(scope="module")
async def shop(world: TestWorld) -> AsyncIterator[Living]:
    with world.database() as database:
        async with living(world, database, **SETTINGS) as made:
            yield made


async def settled(shop: Living, number: int) -> list[Event]:
    """What follows from what was told."""
    return list((await shop.do(SettleShopOrder(shop=SHOP, order_id=str(number)))).events)


async def matcha(shop: Living, pass_id: str) -> int:
    stream = matcha_stream(pass_id)
    account = MatchaAccount()
    for event in (await shop.parts.ledger.streams([stream]))[stream].events:
        account = account.evolve(event)
    return account.balance


async def test_a_paid_order_is_recorded_with_what_counts_and_nothing_personal(
    shop: Living, number: int
) -> None:
    answer = await deliver(shop, PAID, order(number, email="ada@example.com"))
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert int(answer.headers["X-Ledger-Position"]) > 0
    (reported,) = await recorded(shop, number)
    assert isinstance(reported, ShopOrderReported)
    assert (reported.order_id, reported.paid, reported.delivery) == (str(number), True, "w-1")
    assert [(line.sku, line.quantity) for line in reported.lines] == [("MINA-50", 4)]
    assert reported.customer_id == "115310627314723954"
    shown = repr(reported)
    assert not any(word in shown for word in ("ada", "john", "Smith", "doe"))


async def test_the_unprefixed_headers_and_every_secret_are_taken(shop: Living, number: int) -> None:
    body = order(number)
    raw = json.dumps(body).encode()
    for secret in SECRETS:
        signed = sign(raw, secret)
        answer = await deliver(shop, PAID, body, prefix="Shopify-", hmac_sha256=signed)
        assert answer.status_code == 200, secret
    retired = await deliver(shop, PAID, body, hmac_sha256=sign(raw, "retired"))
    assert retired.status_code == 401


async def test_what_is_not_signed_or_signed_over_other_bytes_is_nobodys(
    shop: Living, number: int
) -> None:
    body = order(number, customer={"id": 7, "first_name": "Zoë 🍵"})
    raw = json.dumps(body, ensure_ascii=False).encode()
    again = json.dumps(body).encode(), json.dumps(body, indent=1).encode(), gzip.compress(raw)
    for changed in again:
        answer = await post(shop.app, PAID, changed, headers(raw))
        assert (answer.status_code, answer.json()["code"]) == (401, "SIGNATURE_INVALID")
    for said in ({}, {**headers(raw), "x-shopify-hmac-sha256": ""}):
        assert (await post(shop.app, PAID, raw, said)).status_code == 401
    assert await recorded(shop, number) == []
    assert (await post(shop.app, PAID, raw, headers(raw))).status_code == 200


async def test_another_shop_is_refused(shop: Living, number: int) -> None:
    for other in ("evil.myshopify.com", ""):
        answer = await deliver(shop, PAID, order(number), shop=other)
        assert (answer.status_code, answer.json()["code"]) == (403, "OTHER_SHOP")
    assert await recorded(shop, number) == []
    assert (await deliver(shop, PAID, order(number), shop=SHOP.upper())).status_code == 200


async def test_a_signature_comes_before_the_shop(shop: Living, number: int) -> None:
    answer = await deliver(shop, PAID, order(number), shop="evil.example", hmac_sha256="x")
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"id": 1}',
        b"\xff\xfe",
        b'{"id": -1, "financial_status": "paid", "line_items": []}',
        b'{"id": 1, "financial_status": "paid", "line_items": [{"id": 1, "quantity": 1e300}]}',
        b'{"id": 820982911946154508.0, "financial_status": "paid", "line_items": []}',
        b'{"id": 8.2e17, "financial_status": "paid", "line_items": []}',
        b'{"id": true, "financial_status": "paid", "line_items": []}',
        b'{"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        gzip.compress(b'{"id": 1, "financial_status": "paid", "line_items": []}'),
    ],
    ids=range(13),
)
async def test_what_shopify_would_never_say_is_not_acknowledged(shop: Living, raw: bytes) -> None:
    before = await shop.position()
    answer = await deliver(shop, PAID, raw)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST"), answer.text
    assert await shop.position() == before


async def test_a_huge_body_is_refused(shop: Living, number: int) -> None:
    answer = await deliver(shop, PAID, order(number, note="x" * 1024 * 1024))
    assert answer.status_code == 413


async def test_an_order_is_no_refund_and_a_refund_no_order(shop: Living, number: int) -> None:
    assert (await deliver(shop, REFUND, order(number))).status_code == 422
    assert (await deliver(shop, PAID, {**SAMPLES["refund"], "id": number})).status_code == 422


async def test_odd_but_true_bodies_are_taken(shop: Living, number: int) -> None:
    lines = [
        {"id": 1.0, "sku": None, "quantity": 1},
        {"id": 2, "sku": "", "quantity": 1},
        {"id": 3, "sku": "MINA\x00-50", "quantity": 1},
        {"id": 4, "sku": "MINA-50", "quantity": -1},
        {"id": 5, "sku": "MINA-50", "quantity": 0},
        {"id": 6, "sku": "Zoë" * 100, "quantity": 1},
        {"id": 7, "sku": "MINA-50", "quantity": 2.0},
    ]
    attributes = [{"name": "mg_pass_id", "value": 7}, {"name": 7}, {}]
    body = order(number, line_items=lines, customer=None, note_attributes=attributes, refunds=None)
    body["financial_status"] = "p\x00id"
    assert (await deliver(shop, PAID, body)).status_code == 200
    (reported,) = await recorded(shop, number)
    assert isinstance(reported, ShopOrderReported)
    assert (reported.financial_status, reported.paid) == ("p�id", False)
    skus = ["", "", "MINA�-50", "Zoë" * 33 + "Z", "MINA-50"]
    assert [line.sku for line in reported.lines] == skus
    assert (reported.customer_id, reported.named_pass) == ("", "")


async def test_the_same_delivery_a_hundred_times_at_once_is_credited_once(
    shop: Living, number: int
) -> None:
    body = order(number, customer={"id": number})
    each = (deliver(shop, PAID, body, webhook_id=f"w-{n}") for n in range(100))
    answers = await asyncio.gather(*each)
    assert {answer.status_code for answer in answers} == {200}
    events = await recorded(shop, number)
    assert len(events) == 1 + REPEATS_MAX
    assert isinstance(events[0], ShopOrderReported)
    assert all(isinstance(event, ShopDeliveryRepeated) for event in events[1:])
    await asyncio.gather(*[settled(shop, number) for _ in range(5)])
    assert await matcha(shop, f"pass:shopify:{number}") == 200


async def test_a_body_is_credited_once_whatever_topic_it_comes_by(
    shop: Living, number: int
) -> None:
    body = order(number, customer={"id": number})
    for topic in (PAID, CANCELLED, PAID):
        assert (await deliver(shop, topic, body, topic="orders/updated")).status_code == 200
        await settled(shop, number)
    assert await matcha(shop, f"pass:shopify:{number}") == 200


async def test_a_refund_before_its_order_is_taken_off(shop: Living, number: int) -> None:
    (bought,) = order(number)["line_items"]
    part = {"id": 1, "line_item_id": bought["id"], "quantity": 3, "line_item": bought}
    refund = {**SAMPLES["refund"], "order_id": number, "refund_line_items": [part]}
    assert (await deliver(shop, REFUND, refund)).status_code == 200
    assert [type(event) for event in await recorded(shop, number)] == [ShopRefundReported]
    body = order(number, customer={"id": number}, refunds=[refund])
    await deliver(shop, PAID, body)
    await settled(shop, number)
    assert await matcha(shop, f"pass:shopify:{number}") == 50


async def test_the_test_notification_is_acknowledged_and_never_credited(shop: Living) -> None:
    sample = SAMPLES["order"]
    assert (await deliver(shop, PAID, sample)).status_code == 200
    dressed_up = order(sample["id"])
    assert (await deliver(shop, PAID, dressed_up)).status_code == 200
    (turned_down,) = await settled(shop, sample["id"])
    assert isinstance(turned_down, ShopOrderTurnedDown)
    assert turned_down.reason == "test"


@pytest.mark.parametrize("said", [{"financial_status": "voided"}, {"cancelled_at": "2026-01-01"}])
async def test_what_ended_is_acknowledged_and_never_credited(
    shop: Living, number: int, said: dict[str, str]
) -> None:
    assert (await deliver(shop, PAID, order(number, **said))).status_code == 200
    assert (await deliver(shop, PAID, order(number))).status_code == 200
    assert [type(event) for event in await settled(shop, number)] == [ShopOrderTurnedDown]


async def test_a_cart_names_the_pass(shop: Living, number: int) -> None:
    ada = await shop.caller()
    named = [{"name": "mg_pass_id", "value": ada.pass_id}]
    body = order(number, note_attributes=named, customer={"id": number})
    await deliver(shop, PAID, body)
    await settled(shop, number)
    assert await matcha(shop, ada.pass_id) == 200
    known = Pass()
    for event in (await shop.parts.ledger.streams([ada.pass_id]))[ada.pass_id].events:
        known = known.evolve(event)
    assert f"shopify:{number}" in known.identities


async def test_a_replay_at_another_moment_says_nothing_new(shop: Living, number: int) -> None:
    await deliver(shop, PAID, order(number, customer={"id": number}))
    await settled(shop, number)
    await deliver(shop, PAID, order(number, customer={"id": number}))
    assert await settled(shop, number) == []
    stream = f"order:shopify:{SHOP}:{number}"
    known = ShopOrder()
    for event in (await shop.parts.ledger.streams([stream]))[stream].events:
        known = known.evolve(event)
    assert (known.repeats, known.due) == (1, False)


async def test_only_failed_signatures_are_limited(world: TestWorld, number: int) -> None:
    with world.database() as database:
        async with living(world, database, **SETTINGS, mega_rate_limits="2/h") as shop:
            for _ in range(20):
                assert (await deliver(shop, PAID, order(number))).status_code == 200
            forged = [await deliver(shop, PAID, order(number), hmac_sha256="x") for _ in range(9)]
            assert [answer.status_code for answer in forged] == [401] * 8 + [429]
            assert int(forged[-1].headers["Retry-After"]) > 0
            assert (await deliver(shop, PAID, order(number))).status_code == 200


async def test_where_no_shop_is_set_up_nobody_is_heard(here: Living, number: int) -> None:
    assert (await deliver(here, PAID, order(number))).status_code == 401


async def test_every_example_is_executed(shop: Living) -> None:
    asked = [op for op in operations(shop.app.openapi()) if op.path.startswith("/webhooks/shopify")]
    assert len(asked) == 3
    for op in asked:
        assert op.open
        answer = await deliver(shop, op.path.rpartition("/")[2], op.example)
        assert (answer.status_code, answer.json()) == (200, op.schema(200)), op.path
