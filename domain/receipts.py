"""Receipts: what each payment of an order was taken as, until a reorg takes its block away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from domain.payment import Block, Payment, Place

TakenAs = Literal["price", "surplus", "rejected"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """`final`: its block is deeper than any reorg that is watched for."""

    payment: Payment
    taken_as: TakenAs
    final: bool = False


@dataclass(frozen=True, slots=True)
class Receipts:
    taken: tuple[Receipt, ...] = ()

    # Questions.

    @property
    def price(self) -> Payment | None:
        """The one payment that pays the price."""
        return next((each.payment for each in self.taken if each.taken_as == "price"), None)

    @property
    def surplus(self) -> tuple[Payment, ...]:
        return tuple(each.payment for each in self.taken if each.taken_as == "surplus")

    @property
    def unsafe(self) -> tuple[Payment, ...]:
        return tuple(each.payment for each in self.taken if not each.final)

    def of(self, block: Block) -> tuple[Payment, ...]:
        return tuple(each.payment for each in self.taken if each.payment.block == block)

    def at(self, place: Place) -> Receipt | None:
        return next((each for each in self.taken if each.payment.place == place), None)

    def final_elsewhere(self, found: Payment) -> bool:
        """Final in another block, which only a lying node undoes."""
        return any(each.final and found.moved_from(each.payment) for each in self.taken)

    # History.

    def take(self, payment: Payment, as_: TakenAs) -> Receipts:
        """Taken anew, a payment counts as nothing else any more."""
        others = (each for each in self.taken if each.payment.place != payment.place)
        return Receipts((*others, Receipt(payment, as_)))

    def finalize(self, block: Block) -> Receipts:
        return Receipts(
            tuple(
                replace(each, final=True) if each.payment.block == block else each
                for each in self.taken
            )
        )

    def retract(self, block: Block) -> Receipts:
        return Receipts(tuple(each for each in self.taken if each.payment.block != block))
