"""Cases of role mints: what a transaction with several payments leaves due, payment by payment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from domain import order_events as happened
from domain.order_events import PaymentEvent
from ledger.codec import Recorded
from projections.recoveries import Case, Recoveries
from tests.domain.orders import IDS, found

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)


def case_of(*events: PaymentEvent) -> Case | None:
    recoveries, case = Recoveries(), None
    for n, event in enumerate(events, start=1):
        recorded = Recorded(n, event.stream, n, event.TOPIC, AT, event, {})
        [key] = recoveries.keys(recorded)
        case = recoveries.fold(key, case, recorded)
    return case


def facts(amount: int, place: int = 0) -> dict[str, object]:
    return replace(found, amount=amount, log_index=place).facts()


def settled(amount: int, due: int = 0, place: int = 0) -> PaymentEvent:
    return happened.PaymentSettled(**IDS, **facts(amount, place), refund_due=str(due))


def surplus(amount: int, place: int = 0) -> PaymentEvent:
    due = {"asset": "MPT", "refund_due": str(amount)}
    return happened.PaymentSurplusRecorded(**IDS, **facts(amount, place), **due)


def too_low(amount: int, place: int) -> PaymentEvent:
    return happened.PaymentRejected(**IDS, **facts(amount, place), reason="amount_too_low")


def test_a_surplus_that_pays_the_price_after_all_leaves_what_is_beyond_it() -> None:
    case = case_of(surplus(12), settled(12, due=2))
    assert case and (case.amount, case.status) == (2, "open")


def test_a_surplus_that_is_the_price_after_all_leaves_nothing() -> None:
    case = case_of(surplus(10), settled(10))
    assert case and (case.amount, case.status) == (0, "withdrawn")


def test_a_good_payment_beside_a_bad_one_leaves_the_bad_one_due() -> None:
    case = case_of(too_low(3, place=1), settled(10, place=2))
    assert case and (case.amount, case.status, case.kind) == (3, "open", "amount_too_low")


def test_the_price_alone_is_no_case() -> None:
    assert case_of(settled(10)) is None
