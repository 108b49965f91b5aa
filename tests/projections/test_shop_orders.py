"""What the read models show of shop orders: what is due, and what waits for an operator."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from commands.shop_orders import NoteTag, ResolveShopCase, RetryShopCase
from domain.shop_order import NoCaseOfThis
from ledger.codec import Recorded
from projections.projection import Projection
from projections.recoveries import Recoveries
from projections.shop_cases import shop_case_of
from projections.shop_orders import ShopOrders
from tests.commands.test_shop_orders import IDS, OPERATOR, Shop
from tests.domain.shop_orders import CUSTOMER, ORDER, PASS, SHOP, line, refund, told

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
KEY = f"{SHOP}:{ORDER}"


def shown(projection: Projection[Any], shop: Shop) -> dict[str, dict[str, Any]]:
    """Rows by key, each state written and read between two events."""
    rows: dict[str, dict[str, Any]] = {}
    for n, event in enumerate(shop.history, start=1):
        if event.TOPIC not in projection.topics:
            continue
        recorded = Recorded(n, event.stream, n, event.TOPIC, AT, event, {})
        for key in projection.keys(recorded):
            state = projection.revive(rows[key]["state"]) if key in rows else None
            after = projection.fold(key, state, recorded)
            if after is not None:
                rows[key] = projection.record(key, after)
    return rows


def order(shop: Shop) -> dict[str, Any]:
    return shown(ShopOrders(), shop)[KEY]


def case(shop: Shop, kind: str) -> tuple[str, dict[str, str]] | None:
    found = shown(Recoveries(), shop).get(f"{kind}:{KEY}")
    return (found["status"], found["facts"]) if found else None


def test_an_order_is_due_from_its_report_to_its_credit_and_then_its_tag() -> None:
    shop = Shop()
    shop.tell(told(line("1", "MINA-50", 4), line("2", "MINA-100", 1)))
    at = AT.isoformat()
    whole = shop.history[:]
    shop.history = whole[:1]
    assert (order(shop)["status"], order(shop)["due_at"], order(shop)["pass_id"]) == (
        "told",
        at,
        None,
    )
    shop.history = whole
    row = order(shop)
    assert (row["status"], row["amount"], row["pass_id"]) == ("credited", 300, PASS)
    assert (row["due_at"], row["tag_due_at"]) == (None, at)
    shop.do(NoteTag(**IDS))
    assert order(shop)["tag_due_at"] is None
    shop.refund("r1", line("2", "MINA-100", 1))
    assert (order(shop)["due_at"], order(shop)["taken_back"]) == (None, 100)


def test_an_order_of_nobody_is_a_case_until_it_is_credited() -> None:
    shop = Shop()
    shop.tell(told(customer_id=""))
    assert case(shop, "no_pass") == ("open", {"amount": "200"})
    shop.tell(told())
    assert case(shop, "no_pass") == ("resolved", {"amount": "200"})
    assert case(shop, "not_tagged") is None


@pytest.mark.parametrize("ended", [{"cancelled": True}, {"status": "voided"}, {"test": True}])
def test_an_order_of_nobody_that_ends_waits_for_nobody(ended: Any) -> None:
    shop = Shop()
    shop.tell(told(customer_id=""))
    shop.tell(told(customer_id="", **ended))
    assert case(shop, "no_pass") == ("resolved", {"amount": "200"})
    assert order(shop)["status"] == (ended.get("status") or next(iter(ended)))
    with pytest.raises(NoCaseOfThis):
        shop.do(ResolveShopCase(**IDS, kind="no_pass", reason="hers", by=OPERATOR))


def test_unknown_skus_are_a_case_until_somebody_has_seen_to_them() -> None:
    shop = Shop()
    shop.tell(told(line("1", "T-SHIRT", 1), line("2", "", 1)))
    assert case(shop, "unknown_sku") == ("open", {"skus": "'T-SHIRT', ''"})
    shop.do(RetryShopCase(**IDS, kind="unknown_sku", by=OPERATOR))
    shop.settle()
    assert case(shop, "unknown_sku") == ("open", {"skus": "'T-SHIRT', ''"})
    shop.do(ResolveShopCase(**IDS, kind="unknown_sku", reason="a shirt", by=OPERATOR))
    assert case(shop, "unknown_sku") == ("resolved", {"skus": "'T-SHIRT', ''"})


def test_a_refund_of_money_alone_is_a_case_that_a_cancellation_ends() -> None:
    shop = Shop()
    shop.tell(told(refunds=(refund("r1"),)))
    assert case(shop, "refund_amount_only") == ("open", {"refund_id": "r1"})
    shop.tell(told(cancelled=True))
    assert case(shop, "refund_amount_only") == ("resolved", {"refund_id": "r1"})


def test_a_customer_who_cannot_be_tagged_is_a_case_until_tagged() -> None:
    shop = Shop()
    shop.tell(told())
    shop.do(NoteTag(**IDS, reason="deleted"))
    facts = {"customer_id": CUSTOMER, "reason": "deleted"}
    assert case(shop, "not_tagged") == ("open", facts)
    shop.do(RetryShopCase(**IDS, kind="not_tagged", by=OPERATOR))
    shop.do(NoteTag(**IDS))
    assert case(shop, "not_tagged") == ("resolved", facts)


@pytest.mark.parametrize("case_id", ["owed:1", "no_pass", "no_pass:shop", "no_pass::1", "x:a:b"])
def test_other_cases_are_not_the_shops(case_id: str) -> None:
    assert shop_case_of(case_id) is None


def test_a_case_names_its_order() -> None:
    assert shop_case_of(f"no_pass:{KEY}") == {"kind": "no_pass", **IDS}
