"""From the shop to the matcha: webhooks, the worker, tags, and a sweep for what was never told."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

import httpx
import psycopg
import pytest

from consumers.gateways.ports import TryAgain
from consumers.gateways.shop_ports import OrdersSeen, ShopOrderSeen
from consumers.gateways.shopify import Shopify
from consumers.reactions.promise import Desk
from consumers.reactions.shop import ShopOrders, ShopTags
from consumers.reconciler import Reconciler, Report
from consumers.sweeper import ShopSweep
from consumers.worker import Pace, Worker
from domain.matcha import MatchaAccount, matcha_stream
from domain.shop_order import ShopOrder
from domain.shop_order_events import ShopDeliveryRepeated, ShopOrderReported, shop_order_stream
from embedded.twins.shopify import Shopify as ShopifyTwin
from tests.api.living import Living, living, served
from tests.api.shopping import SECRETS, SHOP
from tests.domain.shop_orders import told
from tests.projections.looking import eventually_so
from tests.twins.alone import Alone, alone
from tests.world import TestWorld

SETTINGS: Any = {"mega_shopify_shop": SHOP, "mega_shopify_secrets": ",".join(SECRETS)}
BOUGHT = {"id": 11, "sku": "MINA-50", "quantity": 4}
_numbers = itertools.count(5_000_000_000_000_000_000)


@dataclass
class Trade:
    """The shop, what it tells us, and what has come of it."""

    here: Living
    twin: Alone
    sweep: ShopSweep

    async def place(self, number: int, **more: Any) -> list[int]:
        """A paid order of a customer of its own; the answers to its webhooks."""
        webhook = more.pop("webhook", {})
        body = {"financial_status": "paid", "customer": {"id": number}, "line_items": [BOUGHT]}
        told = await self.twin.steer("orders", {**body, "id": number, **more, "webhook": webhook})
        return [each["status"] for each in told["deliveries"]]

    async def refund(self, number: int, quantity: int, **webhook: Any) -> None:
        lines = [{"line_item_id": 11, "quantity": quantity}]
        about = {"order_id": number, "refund_line_items": lines, "webhook": webhook}
        await self.twin.steer("refunds", about)

    async def order(self, number: int) -> ShopOrder:
        return reduce(ShopOrder.evolve, await self.events(number), ShopOrder())

    async def events(self, number: int) -> list[Any]:
        stream = shop_order_stream(SHOP, str(number))
        return (await self.here.parts.ledger.streams([stream]))[stream].events

    async def balance(self, number: int) -> int:
        stream = matcha_stream(f"pass:shopify:{number}")
        events = (await self.here.parts.ledger.streams([stream]))[stream].events
        return reduce(MatchaAccount.evolve, events, MatchaAccount()).balance

    async def tags(self, number: int) -> list[Any]:
        items = (await self.twin.client.get("/_twin/ledger")).json()["items"]
        return [item for item in items if str(number) in str(item) and item["kind"] == "tag_set"]

    def has(self, number: int, balance: int) -> Callable[[], bool]:
        """Nothing is due any more, and the customer has that much."""
        keys = f"{SHOP}:{number}", f"pass:shopify:{number}"

        def told() -> bool:
            with psycopg.connect(self.here.parts.settings.database) as connection:
                found = connection.execute(
                    "SELECT coalesce(mg_credits, 0) FROM views.shop_orders"
                    " LEFT JOIN mega_customers ON mg_pass_id = %s"
                    " WHERE shop_order_id = %s AND due_at IS NULL AND tag_due_at IS NULL",
                    keys[::-1],
                )
                return found.fetchone() == (balance,)

        return told


@asynccontextmanager
async def working(*parts: Worker | Reconciler) -> AsyncIterator[None]:
    running = [asyncio.create_task(part.run()) for part in parts]
    try:
        yield
    finally:
        for part in parts:
            part.stop()
        await asyncio.gather(*running)


@pytest.fixture(scope="module")
async def trade(world: TestWorld) -> AsyncIterator[Trade]:
    with world.database() as database:
        async with (
            living(world, database, **SETTINGS) as here,
            served(here.app) as url,
            alone(ShopifyTwin(url, SHOP, ",".join(SECRETS))) as twin,
            httpx.AsyncClient() as web,
        ):
            now = here.parts.clock.now
            desk, shop = Desk(here.parts.ledger, now), Shopify(twin.url, "shpat_test", web)
            pace = {"shop": Pace(0.05, 0.2), "tag": Pace(0.05, 0.2)}
            reactions = {"shop": ShopOrders(desk).settle, "tag": ShopTags(desk, shop).give}
            worker = Worker(database.url, reactions, now, paces=pace)
            async with working(worker):
                yield Trade(here, twin, ShopSweep(desk, shop, SHOP))


@pytest.fixture
def number() -> int:
    return next(_numbers)


async def test_a_hundred_deliveries_at_once_credit_once_and_tag(trade: Trade, number: int) -> None:
    answers = await trade.place(number, webhook={"duplicates": 99})
    assert answers == [200] * 100
    await eventually_so(trade.has(number, 200))
    repeats = [e for e in await trade.events(number) if isinstance(e, ShopDeliveryRepeated)]
    assert len(repeats) == 20
    (tagged,) = await trade.tags(number)
    assert "Mina-users" in str(tagged)


async def test_refunds_and_a_cancellation_take_back_what_they_are_about(
    trade: Trade, number: int
) -> None:
    await trade.place(number)
    await trade.refund(number, 1)
    await eventually_so(trade.has(number, 150))
    await trade.twin.steer("cancellations", {"order_id": number})
    await eventually_so(trade.has(number, 0))


async def test_a_sweep_finds_what_no_webhook_told_and_the_webhook_comes_late_for_nothing(
    trade: Trade, number: int
) -> None:
    assert await trade.place(number, webhook={"deliver": False}) == []
    report = Report("shop_orders")
    await trade.sweep.compare(None, report)  # type: ignore[arg-type]
    (found,) = [each for each in report.findings if str(number) in each.subject]
    assert (found.kind, found.done, found.chain_value) == ("not_told", "corrected", "paid")
    await eventually_so(trade.has(number, 200))
    (reported,) = [e for e in await trade.events(number) if isinstance(e, ShopOrderReported)]
    assert reported.source == "sweep"
    again = Report("shop_orders")
    await trade.sweep.compare(None, again)  # type: ignore[arg-type]
    assert (again.findings, again.checked) == ([], report.checked)
    await trade.place(number)
    assert await trade.balance(number) == 200


async def test_a_sweep_finds_a_refund_that_no_webhook_told(trade: Trade, number: int) -> None:
    await trade.place(number)
    await eventually_so(trade.has(number, 200))
    await trade.refund(number, 3, deliver=False)
    await trade.sweep.compare(None, Report("shop_orders"))  # type: ignore[arg-type]
    await eventually_so(trade.has(number, 50))


async def test_a_sweep_waits_for_points_and_reads_all_pages(trade: Trade) -> None:
    for _ in range(25):
        await trade.place(next(_numbers), webhook={"deliver": False})
    last = next(_numbers)
    await trade.place(last, webhook={"deliver": False})
    await trade.twin.steer("bucket", {"available": 500, "maximum": 500, "restore_rate": 400})
    report = Report("shop_orders")
    await trade.sweep.compare(None, report)  # type: ignore[arg-type]
    await trade.twin.steer("bucket", {"available": 2000, "maximum": 2000, "restore_rate": 100})
    assert any(str(last) in each.subject for each in report.findings)


class Books:
    """A shop's books of two pages, of which the second may fail; `asked` is since when."""

    def __init__(self, *orders: ShopOrderSeen) -> None:
        self.orders, self.asked, self.fails = orders, [], False  # type: ignore[var-annotated]

    async def add_tag(self, customer_gid: str, tag: str) -> None:
        raise AssertionError(tag)

    async def orders_since(self, at: datetime, cursor: str | None = None) -> OrdersSeen:
        if cursor is None:
            self.asked.append(at)
            return OrdersSeen(self.orders[:1], "second")
        if self.fails:
            raise TryAgain("down")
        return OrdersSeen(self.orders[1:], None)


async def test_a_sweep_goes_back_as_far_as_nobody_was_here(trade: Trade) -> None:
    now = trade.here.parts.clock.now()
    old = [
        ShopOrderSeen(str(next(_numbers)), now - timedelta(days=n), told(customer_id=""))
        for n in (40, 20)
    ]
    books, desk = Books(*old), Desk(trade.here.parts.ledger, lambda: now)
    sweep = ShopSweep(desk, books, SHOP)
    books.fails = True
    with pytest.raises(TryAgain):
        await sweep.compare(None, Report("shop_orders"))  # type: ignore[arg-type]
    books.fails = False
    for found in (1, 0):
        report = Report("shop_orders")
        await sweep.compare(None, report)  # type: ignore[arg-type]
        assert len(report.findings) == found
    assert books.asked == [now - timedelta(days=n) for n in (60, 40, 3)]


async def test_the_sweep_has_rounds_of_its_own(trade: Trade, number: int) -> None:
    await trade.place(number, webhook={"deliver": False})
    url, now = trade.here.parts.settings.database, trade.here.parts.clock.now
    async with working(Reconciler(url, [trade.sweep], now, every_s=0.1, name="shop_sweeper")):
        await eventually_so(trade.has(number, 200))


async def test_a_throttled_shop_is_asked_again_and_holds_up_no_matcha(
    trade: Trade, number: int
) -> None:
    throttled = {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}
    cost = {
        "requestedQueryCost": 10,
        "throttleStatus": {"currentlyAvailable": 0, "restoreRate": 50},
    }
    answer = {"status": 200, "body": {**throttled, "extensions": {"cost": cost}}}
    await trade.twin.steer("script", {"match": {}, "times": 2, "response": answer})
    await trade.place(number)
    await eventually_so(trade.has(number, 200))
    assert len(await trade.tags(number)) == 1


async def test_a_customer_who_is_gone_is_told_to_operators_and_not_asked_for_again(
    trade: Trade, number: int
) -> None:
    gone = {"tagsAdd": {"node": None, "userErrors": [{"field": ["id"], "message": "gone"}]}}
    answer = {"status": 200, "body": {"data": gone}}
    await trade.twin.steer("script", {"match": {}, "times": 1, "response": answer})
    await trade.place(number)
    await eventually_so(trade.has(number, 200))
    assert (await trade.order(number)).cases == {"not_tagged"}
    assert await trade.tags(number) == []


async def test_an_order_of_nobody_waits_for_an_operator(trade: Trade, number: int) -> None:
    await trade.place(number, customer=None)
    await eventually_so(trade.has(number, 0))
    assert (await trade.order(number)).cases == {"no_pass"}
