"""statement: what a pass has paid, and what became of every unit of it.

Paid = delivered + credit + refund due + refunded + expired + in flight, per asset. A payment counts
once it is settled; one that a reorg takes away counts no more. It is in flight until the image is
stored (and, for `role_mint_final`, the token minted), then delivered. What cannot fund an order
(a second payment, a foreign payer, too little) and what goes beyond the price is refund due, to be
judged by an operator. `contract.md` §8.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

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

Outcome = Literal["delivered", "credit", "refund_due", "refunded", "expired", "in_flight"]
OUTCOMES: tuple[Outcome, ...] = (
    "delivered",
    "credit",
    "refund_due",
    "refunded",
    "expired",
    "in_flight",
)
STREAMS = ("order", "character")
ARRIVALS = (PaymentSettled, PaymentRejected, PaymentSurplusRecorded)


@dataclass(frozen=True, slots=True)
class Line:
    """One amount with one outcome; `event_id` and `tx` are of the payment it is part of."""

    event_id: str
    position: int
    what: str
    outcome: Outcome
    tx: str
    asset: str
    amount: int

    def spoken(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "position": self.position,
            "what": f"{self.what}: {self.amount} {self.asset}",
            "outcome": self.outcome,
            "tx": self.tx,
        }


@dataclass(slots=True)
class Book:
    """The orders and characters of a pass, and where each payment was recorded.

    `paid` is counted from the events alone, the lines from the state they lead to, so that each
    checks the other.
    """

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
        found = [line for order in self.orders.values() for line in self._of_order(order)]
        return sorted(found, key=lambda line: (line.position, line.outcome))

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


def make_statement(
    pass_id: str, history: Iterable[Recorded], *, position: int, head_hash: str
) -> dict[str, Any]:
    """The unsigned statement of a pass over the events of its orders and characters.

    `history` in ledger order, up to `position`, whose hash is `head_hash`. Amounts are strings.
    """
    book = Book()
    for recorded in history:
        book.add(recorded)
    lines = book.lines()
    assets = {asset: _totals(paid, asset, lines) for asset, paid in sorted(book.paid.items())}
    return {
        "pass_id": pass_id,
        "position": position,
        "head_hash": head_hash,
        "assets": assets,
        "lines": [line.spoken() for line in lines],
    }


def _totals(paid: int, asset: str, lines: Iterable[Line]) -> dict[str, str]:
    sums = dict.fromkeys(OUTCOMES, 0)
    for line in lines:
        if line.asset == asset:
            sums[line.outcome] += line.amount
    if paid != sum(sums.values()):
        raise Unbalanced(f"{asset}: paid {paid}, accounted for {sums}")
    return {"paid": str(paid), **{name: str(amount) for name, amount in sums.items()}}


class Unbalanced(Exception):
    """A bug: what was paid is not what became of it. Such a statement is never signed."""


def _asset(order: Order) -> str:
    return order.terms.asset if order.terms else ""
