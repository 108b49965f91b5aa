"""Cases of the shop, seen and decided by administrators."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from commands.shop_orders import SettleShopOrder
from domain.shop_order import ShopOrder
from tests.api.geoplets import refused
from tests.api.living import Caller, Living, living
from tests.api.shopping import PAID, SECRETS, SHOP, deliver, order, recorded
from tests.world import TestWorld

SETTINGS: Any = {"mega_shopify_shop": SHOP, "mega_shopify_secrets": ",".join(SECRETS)}
BECAUSE = {"reason": "wrote to us"}
_numbers = itertools.count(5_000_000_000_000_000_000)


@pytest.fixture(scope="module")
async def shop(world: TestWorld) -> AsyncIterator[Living]:
    with world.database() as database:
        async with living(world, database, **SETTINGS) as made:
            yield made


@pytest.fixture
def ann(shop: Living) -> Caller:
    return shop.known("pass:user:ann", "admin")


async def bought(shop: Living, **more: Any) -> int:
    """The number of an order that was told and settled."""
    number = next(_numbers)
    assert (await deliver(shop, PAID, order(number, **more))).status_code == 200
    await settle(shop, number)
    return number


async def settle(shop: Living, number: int) -> ShopOrder:
    await shop.do(SettleShopOrder(shop=SHOP, order_id=str(number)))
    await shop.shown()
    known = ShopOrder()
    for event in await recorded(shop, number):
        known = known.evolve(event)
    return known


def path(kind: str, number: int, what: str = "") -> str:
    return f"/admin/recoveries/{kind}:{SHOP}:{number}{what}"


async def test_an_order_of_nobody_is_given_to_a_pass(shop: Living, ann: Caller) -> None:
    number, ada = await bought(shop, customer=None), await shop.caller()
    case = (await ann.get(path("no_pass", number))).json()
    assert (case["kind"], case["state"], case["facts"]) == ("no_pass", "open", {"amount": "200"})
    resolve = path("no_pass", number, "/resolve")
    for nobody, status in (("pass:user:nobody", 422), ("order:x402:1", 422), ("", 422)):
        assert (await ann.post(resolve, {**BECAUSE, "pass_id": nobody})).status_code == status
    assert (await ada.post(resolve, {**BECAUSE, "pass_id": ada.pass_id})).status_code == 403
    answer = await ann.post(resolve, {**BECAUSE, "pass_id": ada.pass_id})
    assert (answer.status_code, answer.json()) == (202, {"state": "resolved"})
    known = await settle(shop, number)
    assert known.credit and (known.credit.pass_id, known.credit.amount) == (ada.pass_id, 200)
    assert (await ann.get(path("no_pass", number))).json()["state"] == "resolved"
    again = await ann.post(resolve, {**BECAUSE, "pass_id": "pass:user:ann"})
    assert again.status_code in (409, 422)


async def test_a_pack_that_was_not_known_is_credited_after_a_retry(
    shop: Living, ann: Caller
) -> None:
    number = next(_numbers)
    number = await bought(
        shop,
        customer={"id": number},
        line_items=[{"id": 1, "sku": "MINA-7", "quantity": 3}],
    )
    case = (await ann.get(path("unknown_sku", number))).json()
    assert (case["state"], case["facts"]) == ("open", {"skus": "'MINA-7'"})
    packs = {"MINA-50": 50, "MINA-7": 7}
    answer = await ann.post("/admin/configs", {"key": "mma.packs", "value": packs})
    assert answer.status_code in (200, 201), answer.text
    answer = await ann.post(path("unknown_sku", number, "/retry"), {})
    assert (answer.status_code, answer.json()) == (202, {"state": "retrying"})
    known = await settle(shop, number)
    assert known.credit and (known.credit.amount, known.credit.config_version) == (21, 1)
    assert refused(await ann.post(path("unknown_sku", number, "/retry"), {})) == (
        409,
        "NOT_DECIDED_SO",
    )


async def test_a_case_is_closed_by_who_has_seen_to_it(shop: Living, ann: Caller) -> None:
    number = await bought(shop, line_items=[{"id": 1, "sku": "T-SHIRT", "quantity": 1}])
    resolve = path("unknown_sku", number, "/resolve")
    named = await ann.post(resolve, {**BECAUSE, "pass_id": "pass:user:ann"})
    assert named.status_code in (409, 422)
    assert (await ann.post(resolve, BECAUSE)).status_code == 202
    await shop.shown()
    assert (await ann.get(path("unknown_sku", number))).json()["state"] == "resolved"
    assert refused(await ann.post(resolve, BECAUSE)) == (409, "NOT_DECIDED_SO")
