"""What became of what was paid for role mints: in flight until image and token are there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.character import Character, CharacterEvent
from domain.order import Order
from domain.order_events import (
    OrderEvent,
    PaymentRejected,
    PaymentRetracted,
    PaymentSettled,
    PaymentSurplusRecorded,
)
from domain.payment import Payment
from ledger.codec import Recorded
from projections.book import Line, Outcome

ARRIVALS = (PaymentSettled, PaymentRejected, PaymentSurplusRecorded)


@dataclass(slots=True)
class RoleMintBook:
    """The orders and characters of a pass, and where each payment was recorded."""

    orders: dict[str, Order] = field(default_factory=dict)
    characters: dict[str, Character] = field(default_factory=dict)
    arrivals: dict[tuple[str, object], Recorded] = field(default_factory=dict)
    paid: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, CharacterEvent):
            known = self.characters.get(event.character_id, Character())
            self.characters[event.character_id] = known.evolve(event)
        if isinstance(event, OrderEvent):
            order = self.orders.get(event.order_id, Order())
            self._count(order, event)
            self.orders[event.order_id] = order.evolve(event)
            if isinstance(event, ARRIVALS):
                self.arrivals[event.order_id, Payment.of(event).place] = recorded

    def _count(self, order: Order, event: OrderEvent) -> None:
        if isinstance(event, ARRIVALS):
            known = order.receipts.at(Payment.of(event).place)
            self.paid[_asset(order)] += 0 if known else int(event.amount)
        elif isinstance(event, PaymentRetracted):
            gone = order.receipts.of((event.tx_hash, event.block_hash))
            self.paid[_asset(order)] -= sum(payment.amount for payment in gone)

    def lines(self) -> list[Line]:
        return [line for order in self.orders.values() for line in self._of_order(order)]

    def _of_order(self, order: Order) -> Iterable[Line]:
        if order.payment:
            yield from self._funding(order, order.payment)
        for receipt in order.receipts.taken:
            if receipt.taken_as == "price":
                continue
            event = self.arrivals[order.order_id, receipt.payment.place].event
            what = event.reason if isinstance(event, PaymentRejected) else "a further payment"
            yield self._line(order, receipt.payment, what, "refund_due", receipt.payment.amount)

    def _funding(self, order: Order, payment: Payment) -> Iterable[Line]:
        character = self.characters.get(order.character_id, Character())
        final = bool(order.terms and order.terms.recipe == "role_mint_final")
        made = character.image is not None and not (final and order.final_token_id is None)
        what = f"{order.terms.recipe if order.terms else ''} {character.role} {character.kind}"
        outcome: Outcome = "delivered" if made else "in_flight"
        yield self._line(order, payment, what, outcome, order.price)
        if beyond := payment.amount - order.price:
            yield self._line(order, payment, "more than the price", "refund_due", beyond)

    def _line(
        self, order: Order, payment: Payment, what: str, outcome: Outcome, amount: int
    ) -> Line:
        recorded = self.arrivals[order.order_id, payment.place]
        place = (recorded.id, recorded.position)
        return Line(*place, what, outcome, payment.tx_hash, _asset(order), amount)


def _asset(order: Order) -> str:
    return order.terms.asset if order.terms else ""
