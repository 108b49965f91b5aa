"""Attempts: the authorizations that a payer signed for one order, and what became of each.

An authorization lives on until it has landed or provably cannot: giving one up (replaced,
dismissed, expired, rejected) only means that we do not hand it in. Spec `invariants.md` I-04.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from domain import x402_events as happened
from domain.event import Event
from domain.x402_refusals import PaymentReplaced, SettlementFailed, SignatureExpired

Standing = Literal[
    "verified", "submitted", "settled", "surplus",
    "replaced", "dismissed", "expired", "rejected", "lapsed",
]  # fmt: skip
CANCELED = "authorization_canceled"
GIVEN_UP = frozenset({"replaced", "dismissed", "expired", "rejected"})


@dataclass(frozen=True, slots=True)
class Landing:
    """Where an authorization was used, as its event in a block tells it, and how deep that is."""

    payer: str
    amount: int
    tx_hash: str
    block_number: int
    block_hash: str
    log_index: int
    depth: int

    def facts(self) -> dict[str, Any]:
        """The fields of an X402LandedEvent."""
        return {
            "payer": self.payer,
            "amount": str(self.amount),
            "tx_hash": self.tx_hash,
            "block_number": self.block_number,
            "block_hash": self.block_hash,
            "log_index": self.log_index,
            "depth": self.depth,
        }


@dataclass(frozen=True, slots=True)
class Attempt:
    """`header` is as secret as its event's. `tries` counts how often a facilitator may have acted.

    `lapsed` is proof that it can never land; one that was handed in ends by it, any other keeps the
    standing that it has in the business.
    """

    nonce: str
    payer: str
    pay_to: str
    amount: int
    valid_before: int
    expires_at: datetime
    verified_at: datetime
    seen_block: int
    facilitator: str
    payment_id: str
    header: str = field(repr=False)
    standing: Standing = "verified"
    tries: int = 0
    submitted_at: datetime | None = None
    landing: Landing | None = None
    settled_at: datetime | None = None
    final: bool = False
    lapsed: bool = False
    reason: str = ""
    rejected_at: datetime | None = None

    @property
    def landed(self) -> bool:
        return self.landing is not None

    @property
    def alive(self) -> bool:
        """It may still land, as far as anybody has proven."""
        return not self.landed and not self.lapsed

    @property
    def ends_at(self) -> datetime:
        """When the chain stops taking it."""
        return datetime.fromtimestamp(min(self.valid_before, 2**33), UTC)

    def still_good(self) -> None:
        """Raises the refusal that says why it is not handed in (any more)."""
        if self.lapsed and self.standing == "verified":
            raise SignatureExpired()
        match self.standing:
            case "replaced" | "dismissed":
                raise PaymentReplaced()
            case "expired" | "lapsed":
                raise SignatureExpired()
            case "rejected":
                raise SettlementFailed(self.reason)

    def evolve(self, event: happened.X402PaymentEvent) -> Attempt:
        match event:
            case happened.X402PaymentSubmitted(submitted_at=at):
                return replace(self, standing="submitted", submitted_at=at)
            case happened.X402SettlementTried():
                return replace(self, tries=self.tries + 1)
            case happened.X402SettlementNotSent():
                return replace(self, tries=self.tries - 1)
            case happened.X402PaymentSettled(settled_at=at):
                return replace(self._landed(event), standing="settled", settled_at=at)
            case happened.X402PaymentSurplusRecorded():
                return replace(self._landed(event), standing="surplus")
            case happened.X402PaymentRejected(reason=reason, rejected_at=at):
                over = self.lapsed or reason == CANCELED
                gone = replace(self, standing="rejected", reason=reason, rejected_at=at)
                return replace(gone, lapsed=over)
            case happened.X402PaymentReplaced():
                return replace(self, standing="replaced")
            case happened.X402PaymentDismissed():
                return replace(self, standing="dismissed")
            case happened.X402PaymentExpired():
                return replace(self, standing="expired")
            case happened.X402PaymentLapsed():
                ended: Standing = "lapsed" if self.standing == "submitted" else self.standing
                return replace(self, standing=ended, lapsed=True)
            case happened.X402PaymentRetracted():
                unknown = self.standing == "settled" or self.submitted_at is not None
                wanted: Standing = "submitted" if unknown else "replaced"
                return replace(self, standing=wanted, landing=None, final=False)
            case happened.X402PaymentFinalized():
                return replace(self, final=True)
        return self

    def _landed(self, event: happened.X402LandedEvent) -> Attempt:
        landing = Landing(
            payer=event.payer,
            amount=int(event.amount),
            tx_hash=event.tx_hash,
            block_number=event.block_number,
            block_hash=event.block_hash,
            log_index=event.log_index,
            depth=event.depth,
        )
        return replace(self, landing=landing, final=False)


@dataclass(frozen=True, slots=True)
class Attempts:
    """By nonce, in the order in which they were verified. One that was given up and has lapsed
    since is forgotten, unless it is the newest."""

    by_nonce: dict[str, Attempt] = field(default_factory=dict)

    @property
    def all(self) -> tuple[Attempt, ...]:
        return tuple(self.by_nonce.values())

    @property
    def current(self) -> Attempt | None:
        """The newest one."""
        return self.by_nonce[self._newest] if self.by_nonce else None

    @property
    def _newest(self) -> str:
        return next(reversed(self.by_nonce), "")

    @property
    def settled(self) -> Attempt | None:
        """The one that pays the price."""
        return next((each for each in self.all if each.standing == "settled"), None)

    @property
    def in_flight(self) -> Attempt | None:
        """Handed in, with an outcome that nobody knows yet."""
        return next((each for each in self.all if each.standing == "submitted"), None)

    def due(self) -> dict[str, Any]:
        """What an X402OrderFailed says of the payment that it ends."""
        paid = self.settled.landing if self.settled else None
        return {
            "tx_hash": paid.tx_hash if paid else "",
            "refund_due": str(paid.amount if paid else 0),
        }

    @property
    def verified(self) -> Attempt | None:
        return next((each for each in self.all if each.standing == "verified"), None)

    @property
    def refused(self) -> bool:
        """The newest one was, so that its payer has to sign again."""
        return self.current is not None and self.current.standing == "rejected"

    @property
    def surplus(self) -> tuple[Attempt, ...]:
        return tuple(each for each in self.all if each.standing == "surplus")

    @property
    def unsafe(self) -> tuple[Attempt, ...]:
        """Landed in a block that a reorg may still take away."""
        return tuple(each for each in self.all if each.landed and not each.final)

    @property
    def alive(self) -> tuple[Attempt, ...]:
        return tuple(each for each in self.all if each.alive)

    def get(self, nonce: str) -> Attempt | None:
        return self.by_nonce.get(nonce)

    def try_settlement(self, ids: Any, nonce: str) -> list[Event]:
        """`ids` are those of the order."""
        attempt = self.get(nonce)
        if attempt is None or attempt.standing != "submitted":
            return []
        return [happened.X402SettlementTried(**ids, nonce=nonce, number=attempt.tries + 1)]

    def not_sent(self, ids: Any, nonce: str, number: int) -> list[Event]:
        attempt = self.get(nonce)
        if attempt is None or attempt.tries != number or attempt.landed:
            return []
        return [happened.X402SettlementNotSent(**ids, nonce=nonce, number=number)]

    def retract(self, ids: Any, block_hash: str, at: datetime) -> list[Event]:
        return [
            happened.X402PaymentRetracted(
                **ids, nonce=nonce, tx_hash=tx, block_hash=block_hash, retracted_at=at
            )
            for nonce, tx in self._unsafe_in(block_hash)
        ]

    def promote(self, ids: Any, at: datetime) -> list[Event]:
        """What was beyond the price pays it once nothing else does."""
        extra = next(iter(self.surplus), None)
        if self.settled or extra is None or extra.landing is None:
            return []
        facts = {**ids, "nonce": extra.nonce, **extra.landing.facts()}
        return [happened.X402PaymentSettled(**facts, settled_at=at)]

    def finalize(self, ids: Any, block_hash: str) -> list[Event]:
        return [
            happened.X402PaymentFinalized(**ids, nonce=nonce, tx_hash=tx, block_hash=block_hash)
            for nonce, tx in self._unsafe_in(block_hash)
        ]

    def _unsafe_in(self, block_hash: str) -> list[tuple[str, str]]:
        """(nonce, transaction) of what a reorg of this block would take away."""
        landed = [(each.nonce, each.landing) for each in self.unsafe if each.landing]
        return [(nonce, it.tx_hash) for nonce, it in landed if it.block_hash == block_hash]

    def evolve(self, event: Event) -> Attempts:
        match event:
            case happened.X402PaymentVerified():
                return Attempts({**self.by_nonce, event.nonce: _verified(event)})
            case happened.X402PaymentEvent(nonce=nonce) if nonce in self.by_nonce:
                moved = self.by_nonce[nonce].evolve(event)
                if moved.lapsed and moved.standing in GIVEN_UP and nonce != self._newest:
                    return Attempts({n: each for n, each in self.by_nonce.items() if n != nonce})
                return Attempts({**self.by_nonce, nonce: moved})
        return self


def _verified(event: happened.X402PaymentVerified) -> Attempt:
    return Attempt(
        nonce=event.nonce,
        payer=event.payer,
        pay_to=event.pay_to,
        amount=int(event.amount),
        valid_before=event.valid_before,
        expires_at=event.expires_at,
        verified_at=event.verified_at,
        seen_block=event.seen_block,
        facilitator=event.facilitator,
        payment_id=event.payment_id,
        header=event.header,
    )
