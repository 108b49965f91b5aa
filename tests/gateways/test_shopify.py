"""The Admin API through the gateway, against the twin: `providers.md` §1."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumers.gateways.ports import Failure, TryAgain, WillNotWork
from consumers.gateways.shop_ports import OrdersSeen, customer_gid
from consumers.gateways.shopify import ALONE, Shopify
from domain.shop_order_events import ShopLine
from domain.shop_told import OrderTold, RefundTold
from embedded.twins.shopify import Shopify as Shop
from tests.twins.alone import Alone, alone

TOKEN = "shpat_secret"
ADA = customer_gid("207119551")
QUIET = {"deliver": False}
EVER = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def shop() -> AsyncIterator[Alone]:
    async with alone(Shop()) as twin:
        yield twin


@pytest.fixture(scope="module")
async def desk() -> AsyncIterator[Alone]:
    """A shop for tests that leave nothing in it."""
    async with alone(Shop()) as twin:
        yield twin


@pytest.fixture
def shopify(shop: Alone) -> Shopify:
    return Shopify(shop.url, TOKEN, shop.client)


async def place(shop: Alone, **order: Any) -> dict[str, Any]:
    return dict((await shop.steer("orders", {**order, "webhook": QUIET}))["order"])


async def refund(shop: Alone, order_id: int, **lines: int) -> int:
    """`l7=2` gives back two of line 7."""
    back = [{"line_item_id": int(name[1:]), "quantity": many} for name, many in lines.items()]
    said = {"order_id": order_id, "refund_line_items": back, "webhook": QUIET}
    return int((await shop.steer("refunds", said))["refund"]["id"])


async def tags(shop: Alone) -> list[Any]:
    items = (await shop.client.get("/_twin/ledger")).json()["items"]
    return [(item["customer"], item["tags"]) for item in items if item["kind"] == "tag_set"]


async def failure(shopify: Shopify) -> Failure:
    with pytest.raises(Failure) as raised:
        await shopify.add_tag(ADA, "Mina-users")
    assert TOKEN not in repr(raised.value)
    return raised.value


async def every(shopify: Shopify, since: datetime = EVER) -> list[OrdersSeen]:
    pages, cursor = [], None
    while not pages or cursor:
        pages.append(await shopify.orders_since(since, cursor))
        cursor = pages[-1].cursor
    return pages


async def test_a_customer_is_tagged(shop: Alone, shopify: Shopify) -> None:
    await shopify.add_tag(ADA, "Mina-users")
    assert await tags(shop) == [("207119551", ["Mina-users"])]


async def test_a_throttled_tag_comes_back_when_there_are_points_enough(
    shop: Alone, shopify: Shopify
) -> None:
    await shop.steer("bucket", {"available": 4, "restore_rate": 2})
    found = await failure(shopify)
    assert isinstance(found, TryAgain) and found.error_class == "throttled"
    assert 2.5 <= found.after_s <= 3
    assert await tags(shop) == []
    await shop.steer("clock", {"advance_s": 3})
    await shopify.add_tag(ADA, "Mina-users")
    assert len(await tags(shop)) == 1


@pytest.mark.parametrize("rule", [{"drop": "after_effect"}, {"truncate_body_at": 9}])
async def test_a_lost_answer_is_tried_again(desk: Alone, rule: dict[str, Any]) -> None:
    await desk.steer("script", rule)
    assert isinstance(await failure(Shopify(desk.url, TOKEN, desk.client)), TryAgain)


@pytest.mark.parametrize(
    ("status", "body", "kind", "found_class"),
    [
        (401, {"errors": "bad token"}, WillNotWork, "invalid"),
        (402, {"errors": "frozen"}, WillNotWork, "quota"),
        (403, None, WillNotWork, "invalid"),
        (404, {"errors": "Not Found"}, WillNotWork, "invalid"),
        (423, {"errors": "locked"}, WillNotWork, "quota"),
        (429, {"errors": "slowly"}, TryAgain, "throttled"),
        (500, None, TryAgain, "transient"),
        (503, "busy", TryAgain, "transient"),
        (302, None, WillNotWork, "invalid"),
        (200, {"errors": [{"message": "no", "extensions": {"code": "ACCESS_DENIED"}}]},
         WillNotWork, "invalid"),
        (200, {"errors": [{"message": "no", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]},
         TryAgain, "transient"),
        (200, {"errors": [{"message": "no", "extensions": {"code": "THROTTLED"}}]},
         TryAgain, "throttled"),
        (200, {"errors": [{"message": "Field 'x' doesn't exist"}]}, WillNotWork, "invalid"),
        (200, {"errors": "a text"}, WillNotWork, "invalid"),
        (200, {"errors": ["a text"]}, WillNotWork, "invalid"),
        (200, {"data": {"tagsAdd": {"node": None, "userErrors": []}}}, WillNotWork, "invalid"),
        (200, {"data": {"tagsAdd": {"node": None, "userErrors": [{"message": "gone"}]}}},
         WillNotWork, "invalid"),
        (200, {"data": None}, TryAgain, "transient"),
        (200, "<html>", TryAgain, "transient"),
    ],
)  # fmt: skip
async def test_each_error_has_its_class(
    desk: Alone, status: int, body: Any, kind: type, found_class: str
) -> None:
    await desk.steer("script", {"response": {"status": status, "body": body}})
    found = await failure(Shopify(desk.url, TOKEN, desk.client))
    assert (type(found), found.error_class) == (kind, found_class)


async def test_an_order_is_seen_as_its_webhook_tells_it(shop: Alone, shopify: Shopify) -> None:
    placed = await place(
        shop,
        customer={"id": 5},
        note_attributes=[
            {"name": "gift", "value": "pass:y"},
            {"name": "mg_pass_id", "value": "pass:x"},
        ],
        line_items=[{"id": 7, "sku": "MINA-50", "quantity": 4}, {"id": 8, "sku": None}],
    )
    given_back = await refund(shop, placed["id"], l7=1)
    [page] = await every(shopify)
    [seen] = page.orders
    assert (seen.order_id, seen.whole) == (str(placed["id"]), True)
    assert datetime.now(UTC) - seen.updated_at < timedelta(minutes=1)
    assert seen.told == OrderTold(
        financial_status="partially_refunded",
        test=False,
        cancelled=False,
        customer_id="5",
        named_pass="pass:x",
        lines=(ShopLine("7", "MINA-50", 4), ShopLine("8", "", 1)),
        refunds=(RefundTold(str(given_back), (ShopLine("7", "MINA-50", 1),)),),
    )


async def test_a_guest_a_test_and_a_cancellation_are_told(shop: Alone, shopify: Shopify) -> None:
    placed = await place(shop, test=True, financial_status="voided")
    await shop.steer("cancellations", {"order_id": placed["id"], "webhook": QUIET})
    [page] = await every(shopify)
    told = page.orders[0].told
    assert (told.customer_id, told.named_pass, told.test, told.cancelled) == ("", "", True, True)
    assert told.financial_status == "voided"


async def test_an_order_of_many_lines_and_refunds_is_read_alone(
    shop: Alone, shopify: Shopify
) -> None:
    many = [{"id": number, "sku": "MINA-50", "quantity": 3} for number in range(1, 41)]
    placed = await place(shop, line_items=many)
    for number in (1, 2, 3):
        await refund(shop, placed["id"], **{f"l{line}": 1 for line in range(number, number + 4)})
    [page] = await every(shopify)
    [seen] = page.orders
    assert (len(seen.told.lines), seen.whole) == (40, True)
    assert [len(each.lines) for each in seen.told.refunds] == [4, 4, 4]


async def test_an_order_that_is_too_much_says_that_it_is_not_whole(
    shop: Alone, shopify: Shopify
) -> None:
    many = [{"id": number, "quantity": 1} for number in range(1, ALONE["lines"] + 2)]
    await place(shop, line_items=many)
    [page] = await every(shopify)
    assert not page.orders[0].whole


async def test_every_order_comes_once_the_longest_unchanged_first(
    shop: Alone, shopify: Shopify
) -> None:
    for number in range(25, 0, -1):
        await place(shop, id=number, updated_at=f"2026-01-{number:02}T00:00:00Z")
    pages = await every(shopify)
    assert [len(page.orders) for page in pages] == [20, 5]
    found = [int(seen.order_id) for page in pages for seen in page.orders]
    assert found == list(range(1, 26))
    late = await every(shopify, datetime(2026, 1, 24, tzinfo=UTC))
    assert [seen.order_id for seen in late[0].orders] == ["24", "25"]


async def test_an_answer_without_orders_is_tried_again(shop: Alone, shopify: Shopify) -> None:
    answer = {"data": {"orders": {"nodes": [{"id": "x"}]}}}
    await shop.steer("script", {"response": {"body": answer}})
    with pytest.raises(TryAgain):
        await shopify.orders_since(EVER)


async def test_another_version_than_asked_for_is_noticed(shop: Alone) -> None:
    shopify = Shopify(shop.url, TOKEN, shop.client, version="2030-01")
    answer = {"headers": {"X-Shopify-API-Version": "2031-01"}, "body": {"data": {"orders": None}}}
    await shop.steer("script", {"response": answer})
    with pytest.raises(TryAgain):
        await shopify.orders_since(EVER)
    assert shopify.answered_version == "2031-01"
