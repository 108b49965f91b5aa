"""The Admin API: tags, orders by pages, costs; and customers as REST has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from embedded.twins.shopify import Shopify
from tests.twins.alone import Alone, alone

GRAPHQL = "/admin/api/2025-10/graphql.json"
TAGS_ADD = """mutation addTags($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) { node { id } userErrors { field message } } }"""
ORDERS = """query ($after: String, $query: String) {
  orders(first: 2, after: $after, query: $query, sortKey: UPDATED_AT) {
    nodes { legacyResourceId } pageInfo { hasNextPage endCursor } } }"""
ALL_THREE = "{ orders(first: 3) { pageInfo { hasNextPage } } }"
ONE = """query ($id: ID!) { order(id: $id) {
  id name test cancelledAt displayFinancialStatus createdAt
  customer { id legacyResourceId } customAttributes { key value }
  lineItems(first: 5) { nodes { id sku quantity } }
  refunds(first: 5) {
    id refundLineItems(first: 5) { nodes { quantity lineItem { id sku } } } } } }"""
CUSTOMER = "gid://shopify/Customer/207119551"
QUIET = {"deliver": False}


@pytest.fixture
async def shop() -> AsyncIterator[Alone]:
    async with alone(Shopify(secrets="whatever")) as twin:
        twin.client.headers["X-Shopify-Access-Token"] = "shpat_key"
        yield twin


async def ask(shop: Alone, text: str, /, **variables: Any) -> dict[str, Any]:
    answer = await shop.client.post(GRAPHQL, json={"query": text, "variables": variables})
    assert answer.status_code == 200
    assert answer.headers["x-shopify-api-version"] == "2025-10"
    return dict(answer.json())


async def place(shop: Alone, **order: Any) -> dict[str, Any]:
    return dict((await shop.steer("orders", {**order, "webhook": QUIET}))["order"])


async def tagged(shop: Alone) -> list[dict[str, Any]]:
    items = (await shop.client.get("/_twin/ledger")).json()["items"]
    return [item for item in items if item["kind"] == "tag_set"]


async def tags_of(shop: Alone, number: int) -> str:
    answer = await shop.client.get(f"/admin/api/2025-10/customers/{number}.json")
    return str(answer.json()["customer"]["tags"])


async def test_tags_are_added_to_those_that_are_there(shop: Alone) -> None:
    await place(shop, customer={"id": 207119551, "tags": "vip"})
    said = await ask(shop, TAGS_ADD, id=CUSTOMER, tags=["Mina-users"])
    assert said["data"]["tagsAdd"] == {"node": {"id": CUSTOMER}, "userErrors": []}
    assert said["extensions"]["cost"]["actualQueryCost"] == 10
    await ask(shop, TAGS_ADD, id=CUSTOMER, tags=["Mina-users"])
    assert await tags_of(shop, 207119551) == "vip, Mina-users"
    assert [item["added"] for item in await tagged(shop)] == [["Mina-users"], []]


async def test_rest_replaces_all_tags(shop: Alone) -> None:
    await ask(shop, TAGS_ADD, id=CUSTOMER, tags=["Mina-users"])
    body = {"customer": {"id": 207119551, "tags": "mine"}}
    await shop.client.put("/admin/api/2025-10/customers/207119551.json", json=body)
    assert await tags_of(shop, 207119551) == "mine"


@pytest.mark.parametrize(
    ("gid", "tags", "where"),
    [("gid://shopify/Order/1", ["x"], "errors"), (CUSTOMER, [" "], "data")],
)
async def test_a_no_comes_with_200(shop: Alone, gid: str, tags: list[str], where: str) -> None:
    said = await ask(shop, TAGS_ADD, id=gid, tags=tags)
    found = said["errors"] if where == "errors" else said["data"]["tagsAdd"]["userErrors"]
    assert found[0]["message"]
    assert await tagged(shop) == []


async def test_without_a_token_or_with_an_unknown_field_there_is_no_answer(shop: Alone) -> None:
    assert "errors" in await ask(shop, "{ shop { password } }")
    assert "errors" in await ask(shop, "not graphql")
    del shop.client.headers["X-Shopify-Access-Token"]
    assert (await shop.client.post(GRAPHQL, json={"query": "{ a }"})).status_code == 401


async def test_an_empty_bucket_throttles_until_it_has_filled_again(shop: Alone) -> None:
    await shop.steer("bucket", {"available": 0, "restore_rate": 5})
    said = await ask(shop, TAGS_ADD, id=CUSTOMER, tags=["Mina-users"])
    assert said["errors"][0]["extensions"]["code"] == "THROTTLED"
    cost = said["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["throttleStatus"]["restoreRate"]) == (10, 5)
    assert await tagged(shop) == []
    await shop.steer("clock", {"advance_s": 2})
    assert "errors" not in await ask(shop, TAGS_ADD, id=CUSTOMER, tags=["Mina-users"])


async def test_orders_come_by_pages_in_the_order_of_their_change(shop: Alone) -> None:
    for number in (3, 1, 2):
        await place(shop, id=number, updated_at=f"2026-01-0{number}T00:00:00-04:00")
    first = (await ask(shop, ORDERS))["data"]["orders"]
    assert [node["legacyResourceId"] for node in first["nodes"]] == ["1", "2"]
    assert first["pageInfo"]["hasNextPage"]
    rest = (await ask(shop, ORDERS, after=first["pageInfo"]["endCursor"]))["data"]["orders"]
    assert [node["legacyResourceId"] for node in rest["nodes"]] == ["3"]
    assert not rest["pageInfo"]["hasNextPage"]
    assert not (await ask(shop, ALL_THREE))["data"]["orders"]["pageInfo"]["hasNextPage"]
    late = await ask(shop, ORDERS, query="updated_at:>='2026-01-02T04:00:00Z'")
    assert [node["legacyResourceId"] for node in late["data"]["orders"]["nodes"]] == ["2", "3"]
    assert "errors" in await ask(shop, ORDERS, query="colour:red")
    assert "errors" in await ask(shop, ORDERS, after="nonsense")


async def test_an_order_is_told_with_what_was_refunded_and_that_it_was_cancelled(
    shop: Alone,
) -> None:
    lines = [{"id": 7, "sku": "MINA-50", "quantity": 4}, {"sku": "MUG"}]
    attributes = [{"name": "mg_pass_id", "value": "pass:user:ada"}]
    placed = await place(shop, customer={"id": 5}, line_items=lines, note_attributes=attributes)
    assert placed["id"] > 2**53
    refunded = [{"line_item_id": 7, "quantity": 1}]
    refund = {"order_id": placed["id"], "refund_line_items": refunded, "webhook": QUIET}
    await shop.steer("refunds", refund)
    cancellation = {"order_id": placed["id"], "webhook": QUIET}
    await shop.steer("cancellations", cancellation)
    gid = f"gid://shopify/Order/{placed['id']}"
    order = (await ask(shop, ONE, id=gid))["data"]["order"]
    assert (order["id"], order["displayFinancialStatus"]) == (gid, "PARTIALLY_REFUNDED")
    assert order["cancelledAt"].endswith("Z")
    assert order["customer"] == {"id": "gid://shopify/Customer/5", "legacyResourceId": "5"}
    assert order["customAttributes"] == [{"key": "mg_pass_id", "value": "pass:user:ada"}]
    bought = [(line["sku"], line["quantity"]) for line in order["lineItems"]["nodes"]]
    assert bought == [("MINA-50", 4), ("MUG", 1)]
    [back] = order["refunds"][0]["refundLineItems"]["nodes"]
    line = {"id": "gid://shopify/LineItem/7", "sku": "MINA-50"}
    assert back == {"quantity": 1, "lineItem": line}


async def test_orders_and_tags_outlive_the_process(tmp_path: Path) -> None:
    for place_it in (True, False):
        async with alone(Shopify(), tmp_path) as shop:
            shop.client.headers["X-Shopify-Access-Token"] = "shpat_key"
            if place_it:
                await place(shop, id=12, customer=None)
                await ask(shop, TAGS_ADD, id=CUSTOMER, tags=["Mina-users"])
                continue
            order = (await ask(shop, ONE, id="gid://shopify/Order/12"))["data"]["order"]
            assert (order["name"], order["customer"]) == ("#1001", None)
            assert await tags_of(shop, 207119551) == "Mina-users"


async def test_a_query_that_asks_for_too_much_is_refused(shop: Alone) -> None:
    greedy = "{ orders(first: 250) { nodes { lineItems(first: 250) { nodes { id } } } } }"
    said = await ask(shop, greedy)
    assert said["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("orders", {"line_items": "many"}),
        ("orders", {"webhook": {"topics": ["orders/eaten"]}}),
        ("refunds", {}),
        ("cancellations", {"order_id": 99}),
        ("orders", {}),
    ],
)
async def test_a_malformed_control_call_is_refused_in_a_sentence(
    shop: Alone, call: str, body: Any
) -> None:
    answer = await shop.client.post(f"/_twin/{call}", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith(".")
    assert (await ask(shop, ORDERS))["data"]["orders"]["nodes"] == []
