"""What can be asked of a Batch: to be prepared, paid, given up, and to learn what the chain says.

A batch, the slots of its wallet and the credits of its pass change in one append, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from commands.command import Answer, Command, Seen
from commands.passes import credits_of, current_pass, followed, survivors
from domain.allowance import Allowance, allowance_stream
from domain.batch import Batch
from domain.batch_events import batch_stream
from domain.batch_view import describe_batch
from domain.credit_account import CreditAccount, account_stream
from domain.event import Event
from domain.solana import Absence, TokenFound

PFP: Final = "PFP"


class WithBatch(Command):
    """Sees a batch, its wallet's slots and the credits of the pass whose it is today."""

    batch_id: str

    @property
    def stream(self) -> str:
        return batch_stream(self.batch_id)

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.stream
        if self.stream in seen and self.batch(seen).opened:
            yield allowance_stream(self.batch(seen).wallet)
            owner = self.batch(seen).pass_id
            yield from survivors(seen, owner)
            if followed(seen, owner):
                yield account_stream(self.pass_id(seen))

    def batch(self, seen: Seen) -> Batch:
        return seen.get(Batch, self.stream)

    def allowance(self, seen: Seen) -> Allowance:
        return seen.get(Allowance, allowance_stream(self.batch(seen).wallet))

    def account(self, seen: Seen) -> CreditAccount:
        return credits_of(seen, self.pass_id(seen))

    def pass_id(self, seen: Seen) -> str:
        owner = self.batch(seen).pass_id
        known = current_pass(seen, owner) if owner in seen else None
        return known.pass_id or owner if known else owner

    def credits(self, seen: Seen) -> int:
        """What the pass has paid for and not had yet, this batch's units among it."""
        return seen.get(CreditAccount, account_stream(self.pass_id(seen))).balance(PFP)

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, describe_batch(self.batch(seen)))

    def let_go(self, seen: Seen) -> list[Event]:
        """Its slots and the credits it held, when nothing will be paid."""
        batch, owner = self.batch(seen), self.pass_id(seen)
        slots = self.allowance(seen).release(batch.wallet, batch.batch_id)
        return [*slots, *self.account(seen).release(owner, PFP, batch.batch_id)]


class SeeBatch(WithBatch):
    """Decides nothing: what a reaction or a route looks at before it asks the outside."""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []


class SubmitPayment(WithBatch):
    """The wallet handed in its transaction, checked and complete; without `raw` the owner only
    wants to be rid of the browser. Asked again, the same answer."""

    raw: str = ""
    auto_mint: bool = False

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        batch = self.batch(seen)
        asked = batch.ask_auto_mint() if self.auto_mint else []
        return [*(batch.submit(self.raw, at) if self.raw else []), *asked]

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, {"batchId": self.batch_id, "status": self.batch(seen).status})


class CancelBatch(WithBatch):
    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        cancelled = self.batch(seen).cancel("owner")
        return [*cancelled, *(self.let_go(seen) if cancelled else [])]


class Landed(WithBatch):
    """Its transaction is finalized: what was paid becomes credits that it holds itself."""

    signature: str
    slot: int

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        batch, allowance, account = self.batch(seen), self.allowance(seen), self.account(seen)
        wanted = batch.quantity - batch.credits
        slots = allowance.slots_for(batch.batch_id, wanted)
        paid = batch.land(self.signature, self.slot, slots, at)
        if not paid:
            return []
        units = batch.evolve(paid[0]).paid
        assert units is not None
        used = allowance.use(batch.wallet, batch.batch_id, units.paid_units)
        granted = account.grant(self.pass_id(seen), PFP, batch.batch_id, units.paid_units)
        return [*paid, *used, *granted]


class LandedWithToken(Landed):
    """A single mint's transaction is finalized: it paid and minted at once."""

    token: TokenFound

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        paid = super().decide(seen, at)
        if not paid:
            return []
        account = self.account(seen)
        for event in paid:
            account = account.evolve(event)
        batch = self.batch(seen)
        minted = batch.unit(1).record(self.batch_id, batch.wallet, self.signature, self.token)
        captured = account.capture(self.pass_id(seen), PFP, self.batch_id, 1)
        return [*paid, *minted, *captured]


class PaymentFailed(WithBatch):
    """Its transaction is finalized and did nothing, or it never came to one."""

    reason: str
    slot: int = 0

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        failed = self.batch(seen).fail(self.reason, self.slot)
        return [*failed, *(self.let_go(seen) if failed else [])]


class GiveUp(WithBatch):
    """A single mint whose transaction will never be made."""

    reason: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        given_up = self.batch(seen).give_up(self.reason)
        return [*given_up, *(self.let_go(seen) if given_up else [])]


class PaymentLapsed(WithBatch):
    """Its transaction can never land any more."""

    proof: Absence

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        lapsed = self.batch(seen).lapse(self.proof)
        return [*lapsed, *(self.let_go(seen) if lapsed else [])]
