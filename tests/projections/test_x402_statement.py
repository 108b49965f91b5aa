"""Paid by x402 is always the sum of what became of it, and every refund due has its case."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import reduce
from typing import Any

from hypothesis import given, settings

from domain.event import Event, Refused
from domain.geoplet_view import failed_case
from domain.x402_order import X402Order
from ledger.codec import Recorded
from projections.recoveries import Case, Recoveries
from projections.statement import OUTCOMES, make_statement
from tests.domain.test_x402_property import MINT, REGENERATE, opening, stories

AT = datetime(2026, 1, 1, tzinfo=UTC)


def told(ids: Any, story: Any) -> list[Recorded]:
    """What a story leaves in the ledger."""
    events: list[Event] = [opening(ids)]
    order = X402Order().evolve(events[0])
    for asked in story:
        try:
            more = asked.decide(order)
        except Refused:
            continue
        events += more
        order = reduce(X402Order.evolve, more, order)
    return [
        Recorded(n, event.stream, n, event.TOPIC, AT, event, {})
        for n, event in enumerate(events, start=1)
    ]


def cases_of(history: list[Recorded]) -> dict[str, Case]:
    recoveries, cases = Recoveries(), {}
    for recorded in history:
        if recorded.topic in Recoveries.topics:
            for key in recoveries.keys(recorded):
                cases[key] = recoveries.fold(key, cases.get(key), recorded)
    return {key: case for key, case in cases.items() if case}


def balanced(ids: Any, story: Any) -> None:
    history = told(ids, story)
    said = make_statement("pass:user:a", history, position=len(history), head_hash="")
    sums = said["assets"].get("USDC", {"paid": "0"})
    counted = {outcome: int(sums.get(outcome, "0")) for outcome in OUTCOMES}
    assert int(sums["paid"]) == sum(counted.values())
    assert min(counted.values()) >= 0
    open_cases = {key: case for key, case in cases_of(history).items() if case.status == "open"}
    due = sum(case.amount for case in open_cases.values())
    order = reduce(X402Order.evolve, (recorded.event for recorded in history), X402Order())
    assert due == counted["refund_due"], open_cases
    stands = order.failure and (order.paid or order.failure.refund_due == "0")
    assert bool(stands) == (failed_case(order.stream) in open_cases)


@settings(max_examples=150)
@given(stories(MINT))
def test_what_was_paid_for_a_mint_is_accounted_for(story: Any) -> None:
    balanced(MINT, story)


@settings(max_examples=150)
@given(stories(REGENERATE))
def test_what_was_paid_for_a_picture_is_accounted_for(story: Any) -> None:
    balanced(REGENERATE, story)
