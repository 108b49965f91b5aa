"""Bought in the shop: told by webhook while the worker is dead, or told by nobody at all."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable

import psycopg

from tests.api.shopping import PAID, order, sign
from tests.e2e.stage import Stage
from tests.twins.control import Control
from tests.waiting import eventually


def tell(stage: Stage, number: int) -> None:
    """A webhook of four times MINA-50, told three times."""
    domain = stage.settings["MEGA_SHOPIFY_SHOP"]
    secret = stage.settings["MEGA_SHOPIFY_SECRETS"].split(",")[-1]
    raw = json.dumps(order(number, customer={"id": number})).encode()
    said = {"X-Shopify-Hmac-Sha256": sign(raw, secret), "X-Shopify-Shop-Domain": domain}
    for _ in range(3):
        answer = stage.client.post(f"/webhooks/shopify/{PAID}", content=raw, headers=said)
        assert answer.status_code == 200, answer.text


def has(stage: Stage, number: int, matcha: int) -> Callable[[], bool]:
    def told() -> bool:
        with psycopg.connect(stage.database.url) as connection:
            found = connection.execute(
                "SELECT mg_credits, (SELECT sum(mg_delta) FROM mega_generations AS row"
                "  WHERE row.mg_pass_id = mega_customers.mg_pass_id)"
                " FROM mega_customers WHERE mg_pass_id = %s",
                (f"pass:shopify:{number}",),
            ).fetchone()
        return found == (matcha, matcha)

    return told


def shop(stage: Stage) -> Control:
    return Control(stage.settings["SHOPIFY_ADMIN_URL"])


def tagged(stage: Stage, number: int) -> Callable[[], bool]:
    return lambda: sum(f"/{number}" in json.dumps(one) for one in shop(stage).get("ledger")) == 1


def test_what_is_told_while_the_worker_is_dead_is_credited_once(stage: Stage) -> None:
    number = 5 * 10**18 + secrets.randbelow(10**15)
    with stage.without("consumers"):
        tell(stage, number)
    stage.kill("consumers")
    tell(stage, number)
    eventually(has(stage, number, 200))
    eventually(tagged(stage, number))


def test_what_nobody_told_is_found_in_the_shops_own_books(stage: Stage) -> None:
    number = 5 * 10**18 + secrets.randbelow(10**15)
    bought = {"id": 11, "sku": "MINA-50", "quantity": 4}
    paid = {"id": number, "customer": {"id": number}, "financial_status": "paid"}
    placed = {**paid, "line_items": [bought], "webhook": {"deliver": False}}
    shop(stage).post("orders", placed).raise_for_status()
    eventually(has(stage, number, 200))
