"""Batch: one payment in SOL, up to ten tokens, and no unit of it ever lost.

Life: opened → prepared (one transaction, ours signed) → submitted → paid → units minted one by one
→ complete; or cancelled, lapsed (proven unable to land) or failed before it is paid. A payment that
lands after a cancellation is honoured as far as slots are left, the rest is refund due. Paid units
stay credits until their token is minted; another batch may take over those that lie idle.
Seed 003, `contract.md` §5, `decisions.md` C12–C14.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from domain import batch_events as happened
from domain.batch_events import BatchRecipe, batch_stream
from domain.batch_facts import covered_by_credits, landed_with, lapsed_by, prepared_for
from domain.event import Event
from domain.pfp_refusals import (
    BatchAlreadyPaid,
    BatchCancelled,
    BatchExpired,
    BatchPaymentInFlight,
    InvalidQuantity,
    NotPaidYet,
)
from domain.pfp_unit import Unit
from domain.solana import Absence, Prepared
from domain.state import changed

QUANTITY_MAX = 10

Status = Literal[
    "prepared", "confirming", "paid", "minting", "complete", "expired", "cancelled", "failed"
]


@dataclass(frozen=True)
class Batch:
    """`watched`: its transaction may still land; `ended`: how it came to nothing."""

    terms: happened.BatchOpened | None = None
    window: happened.BatchPrepared | None = None
    submitted: happened.BatchSubmitted | None = None
    paid: happened.BatchPaid | None = None
    ended: Literal["", "expired", "cancelled", "failed"] = ""
    reason: str = ""
    watched: bool = False
    auto_mint: bool = False
    left: int = 0
    units: Mapping[int, Unit] = field(default_factory=dict)

    # Questions.

    @property
    def opened(self) -> bool:
        return self.terms is not None

    @property
    def batch_id(self) -> str:
        return self.terms.batch_id if self.terms else ""

    @property
    def stream(self) -> str:
        return batch_stream(self.batch_id)

    @property
    def pass_id(self) -> str:
        return self.terms.pass_id if self.terms else ""

    @property
    def wallet(self) -> str:
        return self.terms.wallet if self.terms else ""

    @property
    def recipe(self) -> BatchRecipe:
        return self.terms.recipe if self.terms else "pfp_batch"

    @property
    def price(self) -> int:
        return int(self.terms.price) if self.terms else 0

    @property
    def lamports(self) -> int:
        return int(self.terms.lamports) if self.terms else 0

    @property
    def quantity(self) -> int:
        """How many it is for; `credits` of them by credits."""
        return self.terms.quantity if self.terms else 0

    @property
    def credits(self) -> int:
        return self.terms.credits if self.terms else 0

    @property
    def unpaid(self) -> bool:
        """Open, and nothing is known of a payment."""
        return self.opened and not self.paid and not self.ended

    @property
    def minted(self) -> tuple[happened.PfpMinted, ...]:
        found = (unit.minted for _, unit in sorted(self.units.items()))
        return tuple(minted for minted in found if minted)

    @property
    def in_work(self) -> tuple[Unit, ...]:
        return tuple(unit for _, unit in sorted(self.units.items()) if unit.open)

    @property
    def has_room(self) -> bool:
        """Whether the background may open one more. They are stored in turn, so that a vault that
        is down fails one of them, and confirmed together."""
        return all(unit.art_stored for unit in self.in_work)

    @property
    def remaining(self) -> int:
        """Units that are not minted and still this batch's."""
        all_ = self.paid.units if self.paid else self.quantity
        return all_ - self.left - len(self.minted)

    @property
    def idle(self) -> int:
        """Paid units that nobody works on, and nobody was asked to: of those that the server mints
        by itself the ones that it could not."""
        if self.auto_mint:
            return sum(unit.failure is not None for unit in self.waiting())
        return self.remaining - len(self.in_work) if self.paid else 0

    @property
    def status(self) -> Status:
        if self.paid:
            if not self.remaining:
                return "complete"
            return "minting" if self.minted or self.in_work else "paid"
        if self.ended:
            return self.ended
        return "confirming" if self.submitted else "prepared"

    def unit(self, index: int) -> Unit:
        return self.units.get(index, Unit())

    def waiting(self) -> list[Unit]:
        """Units that somebody may ask for, those that failed last: none stops the others."""
        if not self.paid or self.remaining <= len(self.in_work):
            return []
        units = (replace(self.unit(i), index=i) for i in range(1, self.paid.units + 1))
        return sorted((unit for unit in units if unit.idle), key=lambda unit: unit.failures)

    # Decisions: the payment.

    def open_for(self, terms: happened.BatchOpened) -> list[Event]:
        if not 1 <= terms.quantity <= QUANTITY_MAX:
            raise InvalidQuantity()
        return [] if self.opened else [terms]

    def prepare(self, prepared: Prepared, expires_at: datetime, minter: str = "") -> list[Event]:
        """The transaction that will pay, and mint where `minter` says by whom; one in the life of
        a batch."""
        if self.window or not self.unpaid:
            return []
        return [prepared_for(self.batch_id, prepared, expires_at, minter)]

    def submit(self, raw: str, at: datetime) -> list[Event]:
        """Handed in, whole and good. Repeated, it changes nothing."""
        if self.paid:
            return []
        self.must_be_payable()
        if self.submitted:
            return []
        return [happened.BatchSubmitted(batch_id=self.batch_id, raw=raw, submitted_at=at)]

    def must_be_payable(self) -> None:
        if self.ended == "cancelled":
            raise BatchCancelled()
        if self.ended:
            raise BatchExpired(*([f"({self.reason})"] if self.reason else []))

    def ask_auto_mint(self) -> list[Event]:
        wanted = self.opened and not self.auto_mint and not self.ended
        return [happened.AutoMintAsked(batch_id=self.batch_id)] if wanted else []

    def cover(self, at: datetime) -> list[Event]:
        """Credits pay for all of it."""
        return [] if self.paid or not self.terms else [covered_by_credits(self.terms, at)]

    def land(self, signature: str, slot: int, slots: int, at: datetime) -> list[Event]:
        """Its transaction is finalized; `slots` places of the allowance are there for it. What a
        cancellation gave back, slots and credits, it may not have any more."""
        known = self.window is not None and self.window.signature == signature
        if self.paid or not known or self.terms is None:
            return []
        paid_units = min(self.quantity - self.credits, slots)
        credits = 0 if self.ended else self.credits
        return [landed_with(self.terms, signature, slot, paid_units, credits, at)]

    def fail(self, reason: str, slot: int) -> list[Event]:
        if self.paid or self.ended == "failed" or not (self.watched or not self.ended):
            return []
        return [happened.BatchFailed(batch_id=self.batch_id, reason=reason, slot=slot)]

    def give_up(self, reason: str) -> list[Event]:
        """There will be no transaction: the picture that it would name was not stored, or nobody
        came back for it."""
        if self.window or not self.unpaid:
            return []
        return [happened.BatchFailed(batch_id=self.batch_id, reason=reason, slot=0)]

    def lapse(self, proof: Absence) -> list[Event]:
        known = self.window is not None and self.window.signature == proof.signature
        if self.paid or not self.watched or not known:
            return []
        return [lapsed_by(self.batch_id, proof)]

    def cancel(self, reason: Literal["owner", "replaced"]) -> list[Event]:
        if self.paid:
            raise BatchAlreadyPaid()
        if self.ended:
            return []
        # A single mint's transaction mints as it pays: what pays for it stays held until it lapses.
        if self.submitted or (self.recipe == "pfp_single" and self.window):
            raise BatchPaymentInFlight()
        return [happened.BatchCancelled(batch_id=self.batch_id, reason=reason)]

    # Decisions: its units.

    def request_mint(self, at: datetime, *, background: bool = False) -> list[Event]:
        """Opens the next unit; none when all are minted or at work. In the background there must
        be room, and one that failed waits for its time, and lets the others go first."""
        if not self.paid:
            self.must_be_payable()
            raise BatchPaymentInFlight() if self.submitted else NotPaidYet()
        ready = self.waiting() if self.has_room or not background else []
        if background:
            ready = [unit for unit in ready if not unit.retry_at or unit.retry_at <= at]
        if not ready or self.terms is None:
            return []
        return ready[0].request(self.batch_id, ready[0].index, self.terms.entropy, at)

    def draw(self, at: datetime) -> list[Event]:
        """A single mint's picture is made before it is paid, because its payment names it."""
        assert self.terms is not None
        return self.unit(1).request(self.batch_id, 1, self.terms.entropy, at)

    def leave(self, count: int, to: str) -> list[Event]:
        """Idle units go over to another batch."""
        gone = min(count, self.idle)
        return [happened.BatchUnitsLeft(batch_id=self.batch_id, count=gone, to=to)] if gone else []

    # History: how each fact changes what is known. It never refuses.

    def evolve(self, event: Event) -> Batch:
        match event:
            case happened.BatchOpened():
                return changed(self, terms=event)
            case happened.BatchPrepared():
                return changed(self, window=event, watched=True)
            case happened.BatchSubmitted():
                return changed(self, submitted=event)
            case happened.AutoMintAsked():
                return changed(self, auto_mint=True)
            case happened.BatchPaid():
                return changed(self, paid=event, ended="", reason="", watched=False)
            case happened.BatchCancelled(reason=reason):
                return changed(self, ended="cancelled", reason=reason)
            case happened.BatchLapsed():
                return changed(self, ended=self.ended or "expired", watched=False)
            case happened.BatchFailed(reason=reason):
                return changed(self, ended=self.ended or "failed", reason=reason, watched=False)
            case happened.BatchUnitsLeft(count=count):
                return changed(self, left=self.left + count)
            case happened.UnitEvent(index=index):
                units = {**self.units, index: self.unit(index).evolve(event)}
                return changed(self, units=units)
        return self
