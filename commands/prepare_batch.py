"""Preparing a batch: what is asked, what credits cover, what is left to pay, in one decision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import reduce

from commands.batches import PFP, WithBatch
from commands.command import Answer, Command, Seen
from commands.passes import credits_of, current_pass, followed, survivors
from commands.pfp_status import chosen_wallet
from domain.allowance import GIVEN_BACK_MAX, Allowance, allowance_stream
from domain.batch import QUANTITY_MAX, Batch
from domain.batch_events import BatchOpened, BatchRecipe, batch_stream
from domain.batch_view import describe_prepared
from domain.credit_account import CreditAccount, account_stream
from domain.event import Event, Refused
from domain.passes import Pass
from domain.pfp_refusals import (
    BatchPaymentInFlight,
    InvalidQuantity,
    SolanaWalletRequired,
    TooManyPrepared,
)
from domain.solana import Prepared

MakePayment = Callable[[str, int, str], Prepared]
"""(wallet, lamports, batch id) → the payment, signed by us. It is arithmetic: nothing is sent."""


class OpenPayment(Refused):
    """Another batch was prepared for this wallet at the same moment; ask again."""

    def __init__(self, signature: str) -> None:
        """`signature` is of its payment, which has to be looked for on the chain first."""
        super().__init__()
        self.signature = signature


class PrepareBatch(Command):
    """Opens a batch of `quantity`, or finds the open one of the same. One of another quantity is
    cancelled, once the chain does not show its payment: `unseen` is the signature that the caller
    has looked for, else OpenPayment is raised. Credits are used first, those of idle batches among
    them; slots are reserved for the rest. `pay` None: the payment is made later (a single mint)."""

    owner: str
    wallet: str = ""
    batch_id: str
    recipe: BatchRecipe = "pfp_batch"
    quantity: int
    price: int
    treasury: str
    entropy: str
    expires_at: datetime
    pay: MakePayment | None = None
    unseen: str = ""

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from survivors(seen, self.owner)
        if not followed(seen, self.owner):
            return
        wallet, credits = self._wallet(seen), account_stream(self.pass_id(seen))
        yield batch_stream(self.batch_id)
        yield credits
        yield allowance_stream(wallet)
        if credits in seen:
            allowance, account = self._allowance(seen), self._account(seen)
            batches = (*allowance.reserved, *allowance.given_back, *account.holders(PFP))
            yield from map(batch_stream, dict.fromkeys(batches))

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        if not 1 <= self.quantity <= QUANTITY_MAX:
            raise InvalidQuantity()
        if seen.get(Batch, batch_stream(self.batch_id)).opened:
            return []
        if known := self._open(seen):
            self._must_be_offered(seen, known, at)
            if known.quantity == self.quantity:
                return []
        self._must_not_flood(seen)
        replaced = self._replace(seen, known) if known else []
        allowance = reduce(Allowance.evolve, replaced, self._allowance(seen))
        account = reduce(CreditAccount.evolve, replaced, credits_of(seen, self.pass_id(seen)))
        taken, credits = self._take_over(seen, account)
        account = reduce(CreditAccount.evolve, taken, account)
        units = self.quantity - credits
        opened = self._opened(seen, credits, at)
        batch = Batch().evolve(opened)
        held = account.hold(self.pass_id(seen), PFP, self.batch_id, credits)
        paid = self._pay(batch, at)
        free = batch.recipe == "pfp_batch" and not units
        reserved = [] if free else allowance.reserve(self._wallet(seen), self.batch_id, units)
        return [*replaced, *taken, opened, *held, *reserved, *paid]

    def pass_id(self, seen: Seen) -> str:
        return self._pass(seen).pass_id or self.owner

    def answer(self, seen: Seen, new: bool) -> Answer:
        batch = self._mine(seen)
        return Answer(
            200,
            {
                "batchId": batch.batch_id,
                **describe_prepared(batch),
                "creditsApplied": batch.credits,
            },
        )

    # Helpers.

    def _mine(self, seen: Seen) -> Batch:
        own = seen.get(Batch, batch_stream(self.batch_id))
        known = own if own.opened else self._open(seen)
        assert known is not None
        return known

    def _pass(self, seen: Seen) -> Pass:
        return current_pass(seen, self.owner)

    def _wallet(self, seen: Seen) -> str:
        wallet = chosen_wallet(self._pass(seen), self.wallet)
        if not wallet:
            raise SolanaWalletRequired()
        return wallet

    def _allowance(self, seen: Seen) -> Allowance:
        return seen.get(Allowance, allowance_stream(self._wallet(seen)))

    def _account(self, seen: Seen) -> CreditAccount:
        return seen.get(CreditAccount, account_stream(self.pass_id(seen)))

    def _open(self, seen: Seen) -> Batch | None:
        """The batch of this kind that its wallet may still pay."""
        waiting = (seen.get(Batch, batch_stream(id_)) for id_ in self._allowance(seen).reserved)
        return next((each for each in waiting if each.recipe == self.recipe), None)

    def _must_be_offered(self, seen: Seen, known: Batch, at: datetime) -> None:
        mine = known.pass_id in (self.pass_id(seen), *self._pass(seen).absorbed)
        over = known.window is not None and known.window.expires_at <= at
        if known.submitted or over or not mine:
            raise BatchPaymentInFlight()
        if known.window and known.window.signature != self.unseen:
            raise OpenPayment(known.window.signature)

    def _must_not_flood(self, seen: Seen) -> None:
        """Each transaction that may land costs us its fee, also when it fails."""
        last = self._allowance(seen).given_back
        alive = [id_ for id_ in last if seen.get(Batch, batch_stream(id_)).watched]
        if len(alive) >= GIVEN_BACK_MAX:
            raise TooManyPrepared(f"({GIVEN_BACK_MAX})")

    def _replace(self, seen: Seen, known: Batch) -> list[Event]:
        slots = self._allowance(seen).release(known.wallet, known.batch_id)
        credits = self._account(seen).release(self.pass_id(seen), PFP, known.batch_id)
        return [*known.cancel("replaced"), *slots, *credits]

    def _take_over(self, seen: Seen, account: CreditAccount) -> tuple[list[Event], int]:
        """(what idle batches give up, how many credits cover this one)"""
        found = min(self.quantity, account.available(PFP))
        events: list[Event] = []
        for id_ in account.holders(PFP):
            batch = seen.get(Batch, batch_stream(id_))
            count = min(self.quantity - found, batch.idle, account.held(PFP, id_))
            if count:
                events += batch.leave(count, self.batch_id)
                events += account.release(self.pass_id(seen), PFP, id_, count)
                found += count
        return events, found

    def _opened(self, seen: Seen, credits: int, at: datetime) -> BatchOpened:
        return BatchOpened(
            batch_id=self.batch_id,
            pass_id=self.pass_id(seen),
            wallet=self._wallet(seen),
            recipe=self.recipe,
            quantity=self.quantity,
            credits=credits,
            lamports=str((self.quantity - credits) * self.price),
            price=str(self.price),
            treasury=self.treasury,
            entropy=self.entropy,
            opened_at=at,
        )

    def _pay(self, batch: Batch, at: datetime) -> list[Event]:
        if batch.recipe == "pfp_single":
            return batch.draw(at)
        if not batch.lamports:
            return batch.cover(at)
        assert self.pay is not None
        prepared = self.pay(batch.wallet, batch.lamports, batch.batch_id)
        return batch.prepare(prepared, self.expires_at)


class PrepareSingle(WithBatch):
    """The picture of a single mint is stored, so its transaction is made."""

    prepared: Prepared
    expires_at: datetime
    minter: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        batch = self.batch(seen)
        if not batch.unit(1).art_stored:
            return []
        return batch.prepare(self.prepared, self.expires_at, self.minter)

    def answer(self, seen: Seen, new: bool) -> Answer:
        batch = self.batch(seen)
        return Answer(200, {"mintId": batch.batch_id, **describe_prepared(batch)})
