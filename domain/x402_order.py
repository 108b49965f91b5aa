"""X402Order: one Geoplet mint or regeneration, paid by a signed USDC authorization (seed 004).

Life: opened → verified (again, while unpaid) → submitted → settled → minting → minted, or → picture
made → completed. Once submitted, its outcome is unknown until the chain tells it; a payment that
lands after all settles the order, a second one is refund due. Ends otherwise only with a proof:
nothing can land any more, or the day for a picture is over. `contract.md` §4, `decisions.md` C8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import Any, Literal

from domain import geoplet_events as made
from domain import x402_events as happened
from domain.event import Event
from domain.geoplet_mint import CLAIMS_MAX, MintFound, Minting
from domain.regeneration import RETRY_WITHIN, NothingPaid, Regeneration
from domain.state import changed
from domain.x402_attempt import CANCELED, Attempt, Attempts, Landing
from domain.x402_events import x402_stream
from domain.x402_refusals import (
    PaymentAlreadySettled,
    PaymentInFlight,
    PaymentReplaced,
    TooManyAttempts,
)

ATTEMPTS_MAX = 20

Status = Literal["verified", "settling", "settled", "minting", "minted", "completed", "failed"]


@dataclass(frozen=True)
class X402Order:
    terms: happened.X402OrderOpened | None = None
    attempts: Attempts = field(default_factory=Attempts)
    minting: Minting = field(default_factory=Minting)
    picture: Regeneration = field(default_factory=Regeneration)
    claims: frozenset[str] = frozenset()
    failure: happened.X402OrderFailed | None = None

    # Questions.

    @property
    def opened(self) -> bool:
        return self.terms is not None

    @property
    def order_id(self) -> str:
        return self.terms.order_id if self.terms else ""

    @property
    def stream(self) -> str:
        return x402_stream(self.order_id)

    @property
    def pass_id(self) -> str:
        return self.terms.pass_id if self.terms else ""

    @property
    def ids(self) -> Any:
        """The fields that every event of this order has."""
        assert self.terms is not None
        return {
            "order_id": self.terms.order_id,
            "fid": self.terms.fid,
            "payment_type": self.terms.payment_type,
        }

    @property
    def mints(self) -> bool:
        return self.terms is not None and self.terms.payment_type == "mint"

    @property
    def paid(self) -> Attempt | None:
        return self.attempts.settled

    @property
    def delivered(self) -> bool:
        """What was paid for is there."""
        return self.picture.stored is not None or (self.minting.minted and self.paid is not None)

    @property
    def ended(self) -> bool:
        """Nothing is owed and nothing is expected: the next payment is for another order."""
        return self.failure is not None or (self.delivered and not self.mints)

    @property
    def in_flight(self) -> bool:
        """Whether it is paid is not known."""
        return self.paid is None and self.attempts.in_flight is not None

    @property
    def status(self) -> Status | None:
        """None: nothing is paid, and nothing is open."""
        if self.failure:
            return "failed"
        if self.picture.stored:
            return "completed"
        if self.paid and self.minting.seen:
            return "minted" if self.minting.minted else "minting"
        if self.paid:
            return "settled"
        if self.in_flight or self.minting.seen:
            return "settling"
        if self.attempts.refused:
            return "failed"
        return "verified" if self.attempts.verified else None

    @property
    def retry_until(self) -> datetime | None:
        """Until when the payer may have a paid picture made again for nothing."""
        settled_at = self.paid.settled_at if self.paid else None
        return settled_at + RETRY_WITHIN if settled_at else None

    # Decisions: what the business does when asked. Asked again, it does nothing more.

    def open_for(self, terms: happened.X402OrderOpened) -> list[Event]:
        return [] if self.opened else [terms]

    def verify(self, verified: happened.X402PaymentVerified) -> list[Event]:
        """Takes in a good authorization; one that was not handed in yet is replaced by it."""
        if known := self.attempts.get(verified.nonce):
            known.still_good()
            return []
        if self.in_flight:
            raise PaymentInFlight()
        if self.paid or self.ended:
            return []
        if len(self.attempts.alive) >= ATTEMPTS_MAX:
            raise TooManyAttempts(f"({ATTEMPTS_MAX})")
        before, by = self.attempts.verified, verified.nonce
        gone = [happened.X402PaymentReplaced(**self._of(before), by=by)] if before else []
        return [*gone, verified]

    def submit(self, nonce: str, at: datetime, cause: str = "payer") -> list[Event]:
        """It is to be settled. Past its deadline it expires when its payer asks."""
        attempt = self.attempts.get(nonce)
        if attempt is None:
            raise PaymentReplaced()
        if attempt.landed or attempt.standing == "submitted":
            return []
        if cause == "payer" and attempt.standing == "verified" and at > attempt.expires_at:
            return [happened.X402PaymentExpired(**self._of(attempt))]
        if cause == "payer" or attempt.lapsed:
            attempt.still_good()
        if self.paid or self.failure:
            raise PaymentReplaced()
        if self.in_flight:
            raise PaymentInFlight()
        return [happened.X402PaymentSubmitted(**self._of(attempt), submitted_at=at, cause=cause)]

    def try_settlement(self, nonce: str) -> list[Event]:
        """No money is moved for what is paid or over."""
        return [] if self.paid or self.failure else self.attempts.try_settlement(self.ids, nonce)

    def reject(self, nonce: str, reason: str, at: datetime, *, proven: bool = False) -> list[Event]:
        """The facilitator refused and the chain shows it unused. Only its first word counts: after
        a try with an unknown outcome a refusal proves nothing, unless the chain has the proof."""
        attempt = self.attempts.get(nonce)
        if attempt is None or not attempt.alive:
            return []
        if not proven and (attempt.standing != "submitted" or attempt.tries != 1):
            return []
        ids = self._of(attempt)
        rejected = happened.X402PaymentRejected(**ids, reason=reason, rejected_at=at)
        return [rejected, *self._after(rejected, at)]

    def land(self, nonce: str, found: Landing, *, confirmations: int, at: datetime) -> list[Event]:
        """What the use of an authorization on chain means for this order."""
        attempt = self.attempts.get(nonce)
        if attempt is None or (attempt.landed and attempt.final):
            return []
        if attempt.landing:
            if attempt.landing.block_hash == found.block_hash:
                return []
            moved = self.retract(attempt.landing.block_hash, at)
            left = reduce(X402Order.evolve, moved, self)
            return [*moved, *left.land(nonce, found, confirmations=confirmations, at=at)]
        if found.depth < confirmations:
            return []
        if not found.amount:
            return self.reject(nonce, CANCELED, at, proven=True)
        facts = {**self._of(attempt), **found.facts()}
        # What a failed order refunds is its price: a reorg may bring that back, and it is not new.
        over = self.failure is not None and int(self.failure.refund_due) == 0
        if self.paid or over:
            asset, due = self.terms.asset if self.terms else "", str(found.amount)
            extra = happened.X402PaymentSurplusRecorded(**facts, asset=asset, refund_due=due)
            return [extra]
        return [happened.X402PaymentSettled(**facts, settled_at=at)]

    def lapse(self, nonce: str, lapsed: happened.X402PaymentLapsed, at: datetime) -> list[Event]:
        """The proof that an authorization can never land."""
        attempt = self.attempts.get(nonce)
        if attempt is None or not attempt.alive:
            return []
        return [lapsed, *self._after(lapsed, at)]

    def dismiss(self, reason: str) -> list[Event]:
        if self.paid or self.in_flight or self.minting.seen or self.attempts.surplus:
            raise PaymentAlreadySettled()
        last = self.attempts.current
        if last is None or last.standing not in ("verified", "rejected"):
            return []
        return [happened.X402PaymentDismissed(**self._of(last), reason=reason)]

    def claim_settlement(self, tx_hash: str) -> list[Event]:
        current = self.attempts.current
        if current is None or current.landed or tx_hash in self.claims:
            return []
        if len(self.claims) >= CLAIMS_MAX:
            raise TooManyAttempts(f"({CLAIMS_MAX} claims)")
        return [happened.X402SettlementClaimed(**self._of(current), tx_hash=tx_hash)]

    def issue(self, voucher: made.VoucherIssued) -> list[Event]:
        return [] if self.failure else self.minting.issue(voucher)

    def record_mint(self, found: MintFound, *, deep: bool, at: datetime) -> list[Event]:
        """The token is out. Unpaid, its payment is handed in at once; minted to somebody else, what
        was paid for it is refund due."""
        if self.failure or not self.mints:
            return []
        if found.owner not in self.minting.minters | {each.payer for each in self.attempts.all}:
            lost = self.paid and deep and not self.minting.seen
            return [self._failed("FID_MINTED_BY_ANOTHER", at)] if lost else []
        events = self.minting.record(self.ids, found, deep=deep, at=at)
        known = reduce(X402Order.evolve, events, self)
        return events if self.paid or self.in_flight else [*events, *known._collect(at)]

    def overdue(self, at: datetime) -> list[Event]:
        """The day is over, and no picture was delivered: its price is refund due."""
        late = self.retry_until is not None and at >= self.retry_until
        done = self.mints or self.delivered or self.failure
        if done or self.picture.open or self.attempts.in_flight or not late:
            return []
        return [self._failed("NOT_DELIVERED_IN_TIME", at)]

    def regenerate(self, requested: made.RegenerationRequested) -> list[Event]:
        if self.mints or not self.paid or self.failure:
            raise NothingPaid()
        if self.retry_until and requested.requested_at >= self.retry_until:
            raise NothingPaid()
        return self.picture.request(requested)

    def retract(self, block_hash: str, at: datetime) -> list[Event]:
        """The block is no longer part of the chain, nor is what it held of this order."""
        paid = self.attempts.retract(self.ids, block_hash, at)
        left = reduce(Attempts.evolve, paid, self.attempts)
        instead = [] if self.failure else left.promote(self.ids, at)
        return [*paid, *instead, *self.minting.retract(self.ids, block_hash)]

    def finalize(self, block_hash: str) -> list[Event]:
        paid = self.attempts.finalize(self.ids, block_hash)
        return [*paid, *self.minting.finalize(self.ids, block_hash)]

    # History: how each fact changes what is known. It never refuses.

    def evolve(self, event: Event) -> X402Order:
        match event:
            case happened.X402OrderOpened():
                return changed(self, terms=event)
            case happened.X402OrderFailed():
                return changed(self, failure=event)
            case happened.X402SettlementClaimed(tx_hash=tx):
                return changed(self, claims=self.claims | {tx})
            case happened.X402PaymentEvent():
                return changed(self, attempts=self.attempts.evolve(event))
        minting, picture = self.minting.evolve(event), self.picture.evolve(event)
        return changed(self, minting=minting, picture=picture)

    # Helpers.

    def _of(self, attempt: Attempt) -> Any:
        return {**self.ids, "nonce": attempt.nonce}

    def _failed(self, code: str, at: datetime) -> Event:
        due = self.attempts.due()
        return happened.X402OrderFailed(**self.ids, **due, error_code=code, failed_at=at)

    def _collect(self, at: datetime) -> list[Event]:
        """The token is out and nothing is paid: hands in what may still land, the newest first."""
        for each in reversed(self.attempts.alive):
            if each.standing not in ("rejected", "submitted"):
                return self.submit(each.nonce, at, "minted")
        wait = self.attempts.alive or not self.minting.minted
        return [] if wait else [self._failed("MINTED_UNPAID", at)]

    def _after(self, event: Event, at: datetime) -> list[Event]:
        """One way to be paid for a token that is out is gone: the next, or none."""
        left = self.evolve(event)
        unpaid = left.minting.seen and not left.paid and not left.in_flight and not left.failure
        return left._collect(at) if unpaid else []
