"""What facilitators and the chain have to say of an order paid by x402."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from commands.command import Command, Seen
from commands.x402_slot import settlement_claim
from domain.claim import Claim
from domain.event import Event
from domain.geoplet_mint import MintFound
from domain.x402_attempt import Landing
from domain.x402_events import X402PaymentLapsed, x402_stream
from domain.x402_order import X402Order


class WithX402Order(Command):
    order_id: str

    @property
    def stream(self) -> str:
        return x402_stream(self.order_id)

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.stream

    def order(self, seen: Seen) -> X402Order:
        return seen.get(X402Order, self.stream)

    def pass_id(self, seen: Seen) -> str | None:
        return self.order(seen).pass_id or None


class SeeX402Order(WithX402Order):
    """Decides nothing: what a reaction looks at before it asks the outside."""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []


class TrySettlement(WithX402Order):
    """The facilitator is about to be asked: the intent of this very call."""

    nonce: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).try_settlement(self.nonce)


class SettlementNotSent(WithX402Order):
    """The facilitator never had that call, so it proves nothing."""

    nonce: str
    number: int

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        order = self.order(seen)
        return order.attempts.not_sent(order.ids, self.nonce, self.number)


class NameSettlement(WithX402Order):
    """The facilitator named the transaction that settles it."""

    tx_hash: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).claim_settlement(self.tx_hash)


class RejectPayment(WithX402Order):
    """The facilitator refused; the caller has seen the authorization unused on chain since."""

    nonce: str
    reason: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).reject(self.nonce, self.reason, at)


class LandPayment(WithX402Order):
    """The chain shows an authorization used; the caller has checked token and payee."""

    nonce: str
    found: Landing
    confirmations: int

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.stream
        yield settlement_claim(self.found.tx_hash)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        order, claim = self.order(seen), settlement_claim(self.found.tx_hash)
        landed = order.land(self.nonce, self.found, confirmations=self.confirmations, at=at)
        # One transaction may settle several orders, each by a nonce of its own: the first holds it.
        free = landed and not seen.get(Claim, claim).taken
        return [*landed, *Claim().take(claim, self.stream)] if free else landed


class LapsePayment(WithX402Order):
    """A final block is past the end of an authorization, and its nonce is unused."""

    nonce: str
    proof_block: int
    proof_block_hash: str
    proof_time: int

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        order = self.order(seen)
        lapsed = X402PaymentLapsed(
            **order.ids,
            nonce=self.nonce,
            proof_block=self.proof_block,
            proof_block_hash=self.proof_block_hash,
            proof_time=self.proof_time,
        )
        return order.lapse(self.nonce, lapsed, at)


class RecordGeopletMint(WithX402Order):
    """The contract's event, at the depth that it has now."""

    found: MintFound
    deep: bool

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).record_mint(self.found, deep=self.deep, at=at)


class RetractX402Block(WithX402Order):
    """The block that held a settlement or the mint is no longer part of the chain."""

    block_hash: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).retract(self.block_hash, at)


class FinalizeX402Block(WithX402Order):
    block_hash: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).finalize(self.block_hash)


class ForgetUnpaid(WithX402Order):
    """Retention: what was never handed in is dropped a day after its end."""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        order = self.order(seen)
        return order.dismiss("retention") if order.status == "verified" else []


class EndOverdue(WithX402Order):
    """Nobody was given a picture within the day."""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).overdue(at)
