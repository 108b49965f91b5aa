"""What became of what was paid by x402: in flight until the Geoplet, or the picture, is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.x402_attempt import Attempt
from domain.x402_events import X402Event, X402LandedEvent, X402PaymentRetracted
from domain.x402_order import X402Order
from ledger.codec import Recorded
from projections.book import Line, Outcome


@dataclass(slots=True)
class X402Book:
    """The orders of a pass, and where each landing was recorded, by order and nonce."""

    orders: dict[str, X402Order] = field(default_factory=dict)
    arrivals: dict[tuple[str, str], Recorded] = field(default_factory=dict)
    paid: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, recorded: Recorded) -> None:
        event = recorded.event
        if not isinstance(event, X402Event):
            return
        order = self.orders.get(event.order_id, X402Order())
        if isinstance(event, X402LandedEvent):
            known = order.attempts.get(event.nonce)
            self.paid[_asset(order)] += 0 if known and known.landed else int(event.amount)
            self.arrivals[event.order_id, event.nonce] = recorded
        elif isinstance(event, X402PaymentRetracted):
            gone = order.attempts.get(event.nonce)
            self.paid[_asset(order)] -= gone.landing.amount if gone and gone.landing else 0
        self.orders[event.order_id] = order.evolve(event)

    def lines(self) -> Iterable[Line]:
        return [line for order in self.orders.values() for line in self._of_order(order)]

    def _of_order(self, order: X402Order) -> Iterable[Line]:
        assert order.terms is not None
        if order.paid:
            yield self._line(order, order.paid, order.terms.recipe, _outcome(order))
        for attempt in order.attempts.surplus:
            yield self._line(order, attempt, "a further payment", "refund_due")

    def _line(self, order: X402Order, attempt: Attempt, what: str, outcome: Outcome) -> Line:
        recorded = self.arrivals[order.order_id, attempt.nonce]
        assert attempt.landing is not None and order.terms is not None
        return Line(
            event_id=recorded.id,
            position=recorded.position,
            what=f"{what} fid {order.terms.fid}",
            outcome=outcome,
            tx=attempt.landing.tx_hash,
            asset=_asset(order),
            amount=attempt.landing.amount,
        )


def _outcome(order: X402Order) -> Outcome:
    if order.failure:
        return "refund_due"
    return "delivered" if order.delivered else "in_flight"


def _asset(order: X402Order) -> str:
    return order.terms.asset if order.terms else ""
