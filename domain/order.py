"""Order: one paid request for one deliverable, paid by a wallet on an EVM chain.

Life: opened → (transactions claimed, seen) → settled → finalized; or failed (reverted, replaced,
expired), from which a payment that lands late still leads to settled. Never two payments for one
order: the second is refund due. Whatever a payment was taken as, a reorg takes it back until it is
final. Seed 000, `contract.md` §3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

from domain import order_events as happened
from domain.event import Event, Refused
from domain.final_mint import FinalMint
from domain.mint_ui import OrderStatus
from domain.order_events import PaymentEvent, order_stream
from domain.payment import Payment, Transaction
from domain.receipts import Receipts, TakenAs
from domain.state import changed

ORDER_LASTS = timedelta(hours=1)
CLAIMS_MAX = 20
STEPS_MAX = 100


class NotOffered(Refused):
    """This is not the next step of this order; `next_action` tells which is."""


class TooManyClaims(Refused):
    """This order already waits for too many transactions; wait until some are judged."""


class TooManySteps(Refused):
    """This order was shown in the wallet too often; pay it, or let it expire."""


@dataclass(frozen=True)
class Order:
    order_id: str = ""
    character_id: str = ""
    pass_id: str = ""
    terms: happened.OrderOpened | None = None
    expires_at: datetime | None = None
    shown_step: str | None = None
    steps: int = 0
    claims: Mapping[str, Transaction] = field(default_factory=dict)
    seen: Payment | None = None
    receipts: Receipts = field(default_factory=Receipts)
    failure: str = ""
    hashes: frozenset[str] = frozenset()
    final_mint: FinalMint = field(default_factory=FinalMint)

    # Questions.

    @property
    def stream(self) -> str:
        return order_stream(self.order_id)

    @property
    def opened(self) -> bool:
        return bool(self.order_id)

    @property
    def price(self) -> int:
        return int(self.terms.amount) if self.terms else 0

    @property
    def payment(self) -> Payment | None:
        return self.receipts.price

    @property
    def unsafe(self) -> tuple[Payment, ...]:
        """What a reorg may still take away: seen, or taken and not final."""
        return (*((self.seen,) if self.seen else ()), *self.receipts.unsafe)

    @property
    def status(self) -> OrderStatus:
        if self.payment:
            return "confirmed"
        if self.seen or self.claims:
            return "verifying"
        return "failed" if self.failure else "pending"

    @property
    def expired(self) -> bool:
        return self.status == "failed" and self.failure == "expired"

    @property
    def open(self) -> bool:
        """The one order of its character that a wallet may still pay or has paid."""
        return self.opened and not self.expired

    @property
    def wallet_step(self) -> str | None:
        if self.status == "verifying":
            return "mint_verifying"
        return self.shown_step if self.status == "pending" else None

    @property
    def token_id(self) -> int | None:
        return self.payment.token_id if self.payment else None

    @property
    def final_token_id(self) -> int | None:
        return self.final_mint.token_id

    # Decisions: what the business does when asked. Asked again, it does nothing more.

    def open_for(self, terms: happened.OrderOpened) -> list[Event]:
        return [] if self.opened else [terms]

    def show_step(self, step: str | None) -> list[Event]:
        if step == self.shown_step or self.status != "pending":
            return []
        if self.steps >= STEPS_MAX:
            raise TooManySteps()
        return [happened.WalletStepShown(**self._ids, step=step)]

    def claim(self, tx_hash: str, at: datetime) -> list[Event]:
        if tx_hash in self.claims or (self.payment and self.payment.tx_hash == tx_hash):
            return []
        if len(self.claims) >= CLAIMS_MAX:
            raise TooManyClaims(f"({CLAIMS_MAX})")
        return [happened.TransactionClaimed(**self._ids, tx_hash=tx_hash, claimed_at=at)]

    def sight(self, tx_hash: str, sender: str, nonce: int) -> list[Event]:
        claim = self.claims.get(tx_hash)
        if claim is None or claim.nonce == nonce:
            return []
        return [
            happened.TransactionSighted(**self._ids, tx_hash=tx_hash, sender=sender, nonce=nonce)
        ]

    def dismiss(self, tx_hash: str, reason: str, at: datetime) -> list[Event]:
        claim = self.claims.get(tx_hash)
        if claim is None or (reason == "unseen" and not claim.unseen(at)):
            return []
        return [happened.TransactionDismissed(**self._ids, tx_hash=tx_hash, reason=reason)]

    def record_payment(
        self,
        found: Payment,
        *,
        confirmations: int,
        wallets: frozenset[str],
        at: datetime,
        needed: bool = True,
        asked: bool = True,
    ) -> list[Event]:
        """What a payment on chain means for this order; `wallets` are those of its pass.

        Not `needed`: another order of the character is paid. Not `asked`: it came by the function
        of another recipe. A surplus pays the price when what paid it is taken back.
        """
        moved = self._moved(found, at)
        after = reduce(Order.evolve, moved, self)
        held, wanted = after.receipts.at(found.place), needed and after.payment is None
        if not found.amount or after.receipts.final_elsewhere(found):
            return moved
        fault = found.fault(self.price, wallets) if asked else "wrong_function"
        if held and (held.taken_as == "rejected" or fault or not wanted):
            return moved
        if found.depth < confirmations:
            told = fault or not wanted or (after.seen and after.seen.place == found.place)
            return moved if told else [*moved, happened.PaymentSeen(**self._facts(found))]
        return [*moved, self._judged(found, fault) if wanted else self._surplus(found)]

    def retract(self, block_hash: str, at: datetime) -> list[Event]:
        """The block is no longer part of the chain, nor is what it held of this order."""
        gone = {held.block: held for held in self.unsafe if held.block_hash == block_hash}
        paid = [self._retracted(held, at) for held in gone.values()]
        return [*paid, *self.final_mint.retract(block_hash)]

    def finalize(self, block_hash: str) -> list[Event]:
        deep = [held.tx_hash for held in self.receipts.unsafe if held.block_hash == block_hash]
        paid = [
            happened.PaymentFinalized(**self._ids, tx_hash=tx, block_hash=block_hash)
            for tx in dict.fromkeys(deep)
        ]
        return [*paid, *self.final_mint.finalize(block_hash)]

    def expire(self, at: datetime) -> list[Event]:
        if self.status != "pending" or self.expires_at is None or at < self.expires_at:
            return []
        return [happened.OrderExpired(**self._ids)]

    def reopen(self, at: datetime) -> list[Event]:
        if self.status != "failed" or self.expired:
            raise NotOffered()
        return [happened.OrderReopened(**self._ids, expires_at=at + ORDER_LASTS)]

    # History: how each fact changes what is known. It never refuses.

    def evolve(self, event: Event) -> Order:
        match event:
            case happened.OrderOpened():
                return changed(
                    self,
                    order_id=event.order_id,
                    character_id=event.character_id,
                    pass_id=event.pass_id,
                    terms=event,
                    expires_at=event.expires_at,
                )
            case happened.WalletStepShown(step=step):
                return changed(self, shown_step=step, steps=self.steps + 1)
            case happened.OrderExpired():
                return changed(self, failure="expired", shown_step=None)
            case happened.OrderReopened(expires_at=until):
                return changed(self, failure="", shown_step=None, expires_at=until)
            case happened.PaymentFinalized(tx_hash=tx, block_hash=block):
                return changed(self, receipts=self.receipts.finalize((tx, block)))
            case PaymentEvent() | happened.PaymentRetracted():
                return self._paid(event)
        minting = changed(self, final_mint=self.final_mint.evolve(event))
        return minting._claimed(event)

    def _claimed(self, event: Event) -> Order:
        match event:
            case happened.TransactionClaimed(tx_hash=tx, claimed_at=at):
                return self._with_claim(tx, Transaction(at))
            case happened.TransactionSighted(tx_hash=tx, sender=sender, nonce=nonce):
                return self._with_claim(tx, replace(self.claims[tx], sender=sender, nonce=nonce))
            case happened.TransactionDismissed(tx_hash=tx, reason=reason):
                failed = reason in ("reverted", "replaced")
                left = self._without_claim(tx)
                return changed(left, failure=reason if failed else left.failure, shown_step=None)
        return self

    def _paid(self, event: Event) -> Order:
        match event:
            case happened.PaymentSeen():
                return changed(self, seen=Payment.of(event), hashes=self.hashes | {event.tx_hash})
            case happened.PaymentSettled():
                return changed(self._taken(event, "price"), seen=None, failure="")
            case happened.PaymentRejected():
                return self._taken(event, "rejected")
            case happened.PaymentSurplusRecorded():
                return self._taken(event, "surplus")
            case happened.PaymentRetracted(tx_hash=tx, block_hash=block, retracted_at=at):
                gone = next((held for held in self.unsafe if held.block == (tx, block)), None)
                claim = Transaction(at, gone.sender, gone.nonce) if gone else Transaction(at)
                seen = None if self.seen and self.seen.block == (tx, block) else self.seen
                receipts = self.receipts.retract((tx, block))
                return changed(self, receipts=receipts, seen=seen)._with_claim(tx, claim)
        return self

    # Helpers.

    @property
    def _ids(self) -> Any:
        return {"order_id": self.order_id, "character_id": self.character_id}

    def _facts(self, found: Payment) -> Any:
        return {**self._ids, **found.facts()}

    def _moved(self, found: Payment, at: datetime) -> list[Event]:
        """What a reorg carried over from another block to that of `found`."""
        old = {held.block: held for held in self.unsafe if found.moved_from(held)}
        return [self._retracted(held, at) for held in old.values()]

    def _judged(self, found: Payment, fault: str) -> Event:
        if fault:
            return happened.PaymentRejected(**self._facts(found), reason=fault)
        beyond = str(found.amount - self.price)
        return happened.PaymentSettled(**self._facts(found), refund_due=beyond)

    def _surplus(self, found: Payment) -> Event:
        asset, due = self.terms.asset if self.terms else "", str(found.amount)
        return happened.PaymentSurplusRecorded(**self._facts(found), asset=asset, refund_due=due)

    def _retracted(self, held: Payment, at: datetime) -> Event:
        return happened.PaymentRetracted(
            **self._ids,
            tx_hash=held.tx_hash,
            block_number=held.block_number,
            block_hash=held.block_hash,
            retracted_at=at,
        )

    def _taken(self, event: PaymentEvent, as_: TakenAs) -> Order:
        payment = Payment.of(event)
        seen = None if self.seen and self.seen.place == payment.place else self.seen
        left = changed(self, receipts=self.receipts.take(payment, as_), seen=seen)
        return left._without_claim(event.tx_hash)

    def _with_claim(self, tx_hash: str, claim: Transaction) -> Order:
        claims = {**self.claims, tx_hash: claim}
        return changed(self, claims=claims, hashes=self.hashes | {tx_hash})

    def _without_claim(self, tx_hash: str) -> Order:
        if tx_hash not in self.claims:
            return self
        return changed(self, claims={h: c for h, c in self.claims.items() if h != tx_hash})
