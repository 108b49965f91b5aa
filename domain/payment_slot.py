"""PaymentSlot: which order a fid and a payment type mean, one at a time (`decisions.md` C2).

The seed's natural key (fid, payment type) leads here, and from here to the order that is open, or
to the last one. A stream of claims: it never travels.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid5

from domain.event import Event, event
from domain.x402_events import PaymentType

_ORDERS = UUID("5c6a0c9e-2f4b-5c1d-9b7e-3a1f6e2d8c40")


def slot_stream(fid: int, payment_type: PaymentType) -> str:
    return f"payment_slot:{fid}:{payment_type}"


@event("payment_slot_taken.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSlotTaken(Event):
    """`number` counts the orders of this slot from 1."""

    fid: int
    payment_type: PaymentType
    order_id: str
    number: int

    @property
    def stream(self) -> str:
        return slot_stream(self.fid, self.payment_type)


@dataclass(frozen=True, slots=True)
class PaymentSlot:
    order_id: str = ""
    number: int = 0

    def next_order_id(self, fid: int, payment_type: PaymentType) -> str:
        return str(uuid5(_ORDERS, f"{fid}\n{payment_type}\n{self.number + 1}"))

    def take(self, fid: int, payment_type: PaymentType, order_id: str) -> list[Event]:
        if order_id == self.order_id:
            return []
        number = self.number + 1
        return [
            PaymentSlotTaken(fid=fid, payment_type=payment_type, order_id=order_id, number=number)
        ]

    def evolve(self, event: Event) -> PaymentSlot:
        match event:
            case PaymentSlotTaken(order_id=order_id, number=number):
                return PaymentSlot(order_id, number)
        return self
