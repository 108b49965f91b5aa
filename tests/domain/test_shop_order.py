"""A Shopify order is credited once, by what is true of it, whenever and however often told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import reduce
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as some

from domain import shop_order_events as happened
from domain.event import Event
from domain.shop_order import REPEATS_MAX, NoCaseOfThis, ShopOrder
from domain.shop_told import TEST_NOTIFICATION, OrderTold
from tests.domain.shop_orders import CUSTOMER, ORDER, PACKS, PASS, SHOP, line, refund, told
from tests.spec import NOON

Step = Callable[[ShopOrder], list[Event]]
SETTLE: Step = lambda order: order.settle(PASS, PACKS, NOON)  # noqa: E731
IDS: Any = {"shop": SHOP, "order_id": ORDER}


def says(order: OrderTold, source: Any = "webhook", id_: str = ORDER) -> Step:
    return lambda known: known.report(SHOP, id_, order, source, "delivery")


def refunds(told: Any) -> Step:
    return lambda known: known.report_refund(SHOP, ORDER, told, "webhook", "delivery")


def after(*steps: Step) -> ShopOrder:
    def take(known: ShopOrder, step: Step) -> ShopOrder:
        return reduce(ShopOrder.evolve, step(known), known)

    return reduce(take, steps, ShopOrder())


def left(order: ShopOrder) -> int:
    return order.granted - order.taken_back


def names(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


LINES = (line("1", "MINA-50", 4), line("2", "MINA-100", 1), line("3", "MINA-50", 2))
FIRST = refund("r1", line("1", "MINA-50", 3))
SECOND = refund("r2", line("1", "MINA-50", 2), line("2", "MINA-100", 1))
DELIVERIES: dict[str, Step] = {
    "paid": says(told(*LINES)),
    "refund 1": refunds(FIRST),
    "refund 2": refunds(SECOND),
    "refunds in a body": says(told(*LINES, status="partially_refunded", refunds=(FIRST, SECOND))),
    "unpaid": says(told(*LINES, status="pending")),
    "sweep": says(told(*LINES), "sweep"),
    "cancelled": says(told(*LINES, status="refunded", cancelled=True, refunds=(FIRST, SECOND))),
}
CANCELLED = ("paid", "refund 1", "refund 2", "cancelled")
REFUNDED = ("paid", "refund 1", "refund 2", "refunds in a body")


@pytest.mark.parametrize(("story", "balance"), [(CANCELLED, 0), (REFUNDED, 100)])
def test_every_order_of_deliveries_leads_to_the_same_balance(
    story: tuple[str, ...], balance: int
) -> None:
    for order in permutations(story):
        for settled_after in range(len(story) + 1):
            steps = [DELIVERIES[name] for name in order]
            steps.insert(settled_after, SETTLE)
            assert left(after(*steps, SETTLE)) == balance, (order, settled_after)


@forall(some.lists(some.sampled_from([*DELIVERIES, "settle"]), max_size=20))
def test_any_deliveries_leave_what_was_paid_less_what_was_refunded(story: list[str]) -> None:
    steps = {**DELIVERIES, "settle": SETTLE}
    order = after(*(steps[name] for name in story), SETTLE)
    heard = set(story)
    paid = heard & {"paid", "refunds in a body", "sweep", "cancelled"}
    back_1 = 150 if heard & {"refund 1", "refunds in a body", "cancelled"} else 0
    back_2 = 200 if heard & {"refund 2", "refunds in a body", "cancelled"} else 0
    both = 300 if back_1 and back_2 else back_1 + back_2  # four of line 1, not five
    wanted = 0 if not paid or "cancelled" in heard else 400 - both
    assert left(order) == wanted
    assert not order.due
    assert SETTLE(order) == []
    assert 0 <= order.taken_back <= order.granted


def test_a_pack_counts_by_its_quantity_and_lines_add_up() -> None:
    lines = (*LINES, line("4", "MINA-50", 0), line("5", "MINA-100", -2))
    (credited,) = SETTLE(after(says(told(*lines))))
    assert isinstance(credited, happened.ShopOrderCredited)
    assert credited.amount == 4 * 50 + 100 + 2 * 50
    assert [each.value for each in credited.lines] == [50, 100, 50]
    assert (credited.pass_id, credited.lot_id) == (PASS, f"shopify:{SHOP}:{ORDER}")
    assert (credited.config_key, credited.config_version) == ("mma.packs", 3)
    assert credited.expires_at == NOON + timedelta(days=30)


@pytest.mark.parametrize(
    ("reason", "order"),
    [
        ("test", told(test=True)),
        ("cancelled", told(cancelled=True)),
        ("voided", told(status="voided")),
        ("unpaid", told(status="pending")),
        ("unpaid", told(status="authorized")),
        ("unpaid", told(status="partially_paid")),
        ("unpaid", told(status="")),
    ],
)
def test_what_is_not_bought_is_never_credited(reason: str, order: OrderTold) -> None:
    known = after(says(order))
    assert SETTLE(known) == [happened.ShopOrderTurnedDown(**IDS, reason=reason)]
    assert not after(says(order), SETTLE, says(order)).due
    over = after(says(order), says(told()), SETTLE)
    assert bool(over.credit) == (reason == "unpaid")


@pytest.mark.parametrize("status", ["voided", "paid"])
def test_an_order_that_ends_after_its_credit_gives_all_of_it_back(status: str) -> None:
    ended = told(status=status, cancelled=status == "paid")
    order = after(says(told()), SETTLE, says(ended))
    (back,) = SETTLE(order)
    assert isinstance(back, happened.ShopOrderTakenBack)
    assert back.amount == 200


def test_the_test_notification_is_a_test_whatever_it_says() -> None:
    assert after(says(told(), id_=TEST_NOTIFICATION), SETTLE).turned_down == "test"


def test_an_order_credited_by_a_refunded_body_keeps_what_was_not_refunded() -> None:
    told_late = told(*LINES, status="partially_refunded", refunds=(FIRST,))
    assert names(SETTLE(after(says(told_late)))) == ["ShopOrderCredited", "ShopRefundTakenBack"]
    assert left(after(says(told_late), SETTLE)) == 400 - 150


def test_a_refund_of_one_line_to_two_places_counts_both() -> None:
    split = refund("r3", line("1", "MINA-50", 1), line("1", "MINA-50", 2))
    assert left(after(says(told(*LINES)), refunds(split), SETTLE)) == 400 - 150


def test_a_refund_of_what_was_never_credited_takes_nothing() -> None:
    stranger = refund("r4", line("99", "MINA-50", 4))
    assert left(after(says(told(*LINES)), refunds(stranger), SETTLE)) == 400


def test_a_refund_without_lines_is_an_operators_matter() -> None:
    order = after(says(told()), SETTLE, refunds(refund("r5")))
    unclear = happened.ShopRefundUnclear(**IDS, pass_id=PASS, refund_id="r5")
    assert SETTLE(order) == [unclear]
    asked = reduce(ShopOrder.evolve, [unclear], order)
    assert asked.cases == {"refund_amount_only"}
    assert SETTLE(asked) == []
    assert left(asked) == 200
    ended = after(says(told()), SETTLE, refunds(refund("r5")), SETTLE, says(told(cancelled=True)))
    assert reduce(ShopOrder.evolve, SETTLE(ended), ended).cases == frozenset()


def test_skus_that_are_no_packs_are_told_to_operators() -> None:
    mixed = told(line("1"), line("2", "T-SHIRT", 1), line("3", "", 1), line("4", "MINA-7", 1))
    assert names(SETTLE(after(says(mixed)))) == ["ShopOrderCredited", "ShopSkusUnknown"]
    (_, unknown) = SETTLE(after(says(mixed)))
    assert isinstance(unknown, happened.ShopSkusUnknown)
    assert unknown.skus == ("T-SHIRT", "", "MINA-7")
    none = after(says(told(line("1", "mina-50", 1))), SETTLE)
    assert (none.turned_down, none.cases, none.due) == ("no_packs", {"unknown_sku"}, False)


def test_an_operator_who_has_added_the_pack_has_the_order_judged_again() -> None:
    order = after(says(told(line("1", "MINA-7", 2))), SETTLE)
    (asked,) = order.retry("unknown_sku", "pass:user:ada")
    assert order.evolve(asked).due
    with pytest.raises(NoCaseOfThis):
        order.evolve(asked).retry("unknown_sku", "pass:user:ada")
    credited = after(says(told(line(), line("2", "MINA-7", 1))), SETTLE)
    with pytest.raises(NoCaseOfThis):
        credited.retry("unknown_sku", "pass:user:ada")


def test_an_order_of_nobody_waits_until_somebody_is_known() -> None:
    unknown: Step = lambda order: order.settle("", PACKS, NOON)  # noqa: E731
    order = after(says(told(customer_id="")), unknown)
    assert (order.status, order.due, order.cases) == ("unclaimed", False, {"no_pass"})
    assert not after(says(told(customer_id="")), unknown, says(told(customer_id=""))).due
    assert after(says(told(customer_id="")), unknown, says(told())).due
    (given,) = order.give("no_pass", PASS, "wrote to us", "pass:user:ada")
    owned = order.evolve(given)
    assert owned.give("no_pass", PASS, "wrote to us", "pass:user:ada") == []
    credited = reduce(ShopOrder.evolve, SETTLE(owned), owned)
    assert (left(credited), credited.cases, credited.tagging) == (200, frozenset(), "no_customer")
    with pytest.raises(NoCaseOfThis):
        credited.give("no_pass", "pass:user:eve", "me", "pass:user:eve")


def test_a_case_is_closed_once() -> None:
    order = after(says(told(line("1", "T-SHIRT", 1))), SETTLE)
    (closed,) = order.close("unknown_sku", "a shirt", "pass:user:ada")
    with pytest.raises(NoCaseOfThis):
        order.evolve(closed).close("unknown_sku", "a shirt", "pass:user:ada")
    assert not order.evolve(closed).due


def test_repeats_are_counted_up_to_twenty_and_sweeps_are_not() -> None:
    again = says(told())
    order = after(*[again] * (REPEATS_MAX + 10))
    assert order.repeats == REPEATS_MAX
    assert again(order) == []
    assert says(told(), "sweep")(after(again)) == []
    assert names(again(after(says(told(), "sweep")))) == ["ShopDeliveryRepeated"]


def test_only_a_well_formed_pass_id_of_a_cart_is_kept() -> None:
    for odd in (
        "order:x402:1",
        "pass:admin:x",
        "pass:user:",
        "pass:user:a b",
        "pass:user:" + "x" * 200,
    ):
        assert after(says(told(named_pass=odd))).named_pass == ""
    assert after(says(told(named_pass="pass:anon:1"))).named_pass == "pass:anon:1"


def test_the_customer_is_tagged_once_after_the_credit() -> None:
    assert after(says(told())).tagged() == []
    order = after(says(told()), SETTLE)
    assert order.tag_due
    tagged = happened.ShopCustomerTagged(**IDS, customer_id=CUSTOMER, tag="Mina-users")
    assert order.tagged() == [tagged]
    assert order.evolve(tagged).tagged() == []


def test_who_cannot_be_tagged_is_told_to_operators_and_nobody_is_nobodys_fault() -> None:
    order = after(says(told()), SETTLE)
    (gone,) = order.tagged("deleted")
    assert (order.evolve(gone).cases, order.evolve(gone).tag_due) == ({"not_tagged"}, False)
    (again,) = order.evolve(gone).retry("not_tagged", "pass:user:ada")
    assert order.evolve(gone).evolve(again).tag_due
    guest = after(says(told(customer_id="")), SETTLE)
    assert (guest.tagging, guest.tag_due, guest.cases) == ("no_customer", False, frozenset())
    assert after(says(told(customer_id="")), SETTLE, says(told())).tag_due


def test_what_was_paid_first_is_what_counts_whatever_the_order_says_before_and_after() -> None:
    before, after_ = told(line(quantity=1), status="pending"), told(line(quantity=9))
    order = after(says(before), says(told()), says(after_), SETTLE, says(after_))
    assert (order.granted, order.due) == (200, False)
