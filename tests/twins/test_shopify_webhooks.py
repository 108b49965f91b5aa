"""Webhooks as Shopify sends them: signed over their bytes, again when they are not taken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from embedded.twins.shop_webhooks import signature
from embedded.twins.shopify import Shopify
from embedded.twins.wire import Answer, Call
from tests.twins.alone import Alone, alone
from tests.waiting import eventually

SHOP = "mina.myshopify.com"
VECTORS = Path(__file__).parents[1] / "vectors" / "shopify_hmac.json"


@dataclass
class Application:
    """Whoever gets the webhooks: answers with `statuses`, then with 200."""

    statuses: list[int] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    name: str = "application"
    base_path: str = ""

    async def answer(self, call: Call) -> Answer:
        self.calls.append(call)
        return Answer(self.statuses.pop(0) if self.statuses else 200)


async def came(application: Application, times: int) -> None:
    await asyncio.to_thread(eventually, lambda: len(application.calls) == times)


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
async def shop(application: Application) -> AsyncIterator[Alone]:
    async with (
        alone(application) as there,
        alone(Shopify(there.url, SHOP, "newest, oldest")) as twin,
    ):
        yield twin


async def order(shop: Alone, /, **webhook: Any) -> dict[str, Any]:
    said = {"line_items": [{"sku": "MINA-50", "quantity": 4}], "email": "zoë@example.com"}
    return dict(await shop.steer("orders", {**said, "webhook": webhook}))


@pytest.mark.parametrize("vector", json.loads(VECTORS.read_text())["vectors"])
def test_the_signature_is_shopifys(vector: dict[str, str]) -> None:
    assert signature(vector["secret"], vector["body"].encode()) == vector["hmac_base64"]


async def test_an_order_is_told_at_once_signed_with_the_oldest_secret(
    shop: Alone, application: Application
) -> None:
    told = await order(shop)
    [call] = application.calls
    assert (call.method, call.path) == ("POST", "/webhooks/shopify/orders-paid")
    assert call.headers["x-shopify-hmac-sha256"] == signature("oldest", call.body)
    assert call.headers["x-shopify-topic"] == "orders/paid"
    assert call.headers["x-shopify-shop-domain"] == SHOP
    assert "zoë" in call.body.decode()
    assert json.loads(call.body) == told["order"]
    assert [each["status"] for each in told["deliveries"]] == [200]


async def test_duplicates_are_one_event_with_ids_of_their_own(
    shop: Alone, application: Application
) -> None:
    await order(shop, duplicates=2)
    named = [call.headers for call in application.calls]
    assert len({each["x-shopify-webhook-id"] for each in named}) == 3
    assert len({each["x-shopify-event-id"] for each in named}) == 1
    assert len({call.body for call in application.calls}) == 1


async def test_what_is_not_taken_comes_again_as_it_was(
    shop: Alone, application: Application
) -> None:
    application.statuses = [500, 302]
    told = await order(shop)
    assert [each["status"] for each in told["deliveries"]] == [500]
    await came(application, 3)
    assert len({call.body for call in application.calls}) == 1
    assert len({call.headers["x-shopify-webhook-id"] for call in application.calls}) == 1


async def test_refunds_and_cancellations_have_topics_of_their_own(
    shop: Alone, application: Application
) -> None:
    bought = (await order(shop))["order"]
    refunded = [{"line_item_id": bought["line_items"][0]["id"], "quantity": 4}]
    await shop.steer("refunds", {"order_id": bought["id"], "refund_line_items": refunded})
    await shop.steer("cancellations", {"order_id": bought["id"], "reason": "fraud"})
    _, refund, cancelled = application.calls
    assert refund.path == "/webhooks/shopify/refunds-create"
    [line] = json.loads(refund.body)["refund_line_items"]
    assert (line["quantity"], line["line_item"]["sku"]) == (4, "MINA-50")
    assert cancelled.path == "/webhooks/shopify/orders-cancelled"
    body = json.loads(cancelled.body)
    assert (body["cancel_reason"], body["financial_status"]) == ("fraud", "refunded")


async def test_a_refund_may_come_for_an_order_nobody_placed(
    shop: Alone, application: Application
) -> None:
    await shop.steer("refunds", {"order_id": 5})
    assert json.loads(application.calls[0].body)["refund_line_items"] == []


async def test_a_webhook_may_not_come_or_come_wrong(shop: Alone, application: Application) -> None:
    assert (await order(shop, deliver=False))["deliveries"] == []
    assert application.calls == []
    await order(shop, secret="mine", shop="other.myshopify.com", topics=["orders/cancelled"])
    [call] = application.calls
    assert call.path == "/webhooks/shopify/orders-cancelled"
    assert call.headers["x-shopify-hmac-sha256"] == signature("mine", call.body)
    assert call.headers["x-shopify-shop-domain"] == "other.myshopify.com"


async def test_a_late_webhook_keeps_nobody_waiting(shop: Alone, application: Application) -> None:
    told = await order(shop, delay_ms=50)
    assert [each["status"] for each in told["deliveries"]] == [None]
    assert application.calls == []
    await came(application, 1)


async def test_nobody_home_is_told_as_0() -> None:
    async with alone(Shopify("http://127.0.0.1:1", SHOP, "secret")) as shop:
        assert [each["status"] for each in (await order(shop))["deliveries"]] == [0]
        await shop.steer("reset", {})
