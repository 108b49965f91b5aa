"""What a payer can ask of the order that a fid and a payment type mean: to hand its payment in, to
drop it, to look at a transaction, to have a new voucher."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from commands.command import Answer, Command, Seen
from domain.claim import Claim
from domain.event import Event, Refused
from domain.geoplet_events import MintClaimed, VoucherIssued
from domain.geoplet_view import spoken_signature
from domain.payment_slot import PaymentSlot, slot_stream
from domain.x402 import Voucher
from domain.x402_events import PaymentType, x402_stream
from domain.x402_order import X402Order


class PaymentAlreadyUsed(Refused):
    """This payment is for another order."""


class NothingTracked(Refused):
    """There is no payment of this kind to speak of."""


def authorization_claim(chain_id: int, token: str, payer: str, nonce: str) -> str:
    return f"claim:authorization:{chain_id}:{token}:{payer}:{nonce}"


def settlement_claim(tx_hash: str) -> str:
    return f"claim:settlement:{tx_hash}"


class InSlot(Command):
    """About the order that a fid and a payment type mean now."""

    fid: int
    payment_type: PaymentType

    @property
    def slot(self) -> str:
        return slot_stream(self.fid, self.payment_type)

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.slot
        if self.slot in seen and (order_id := seen.get(PaymentSlot, self.slot).order_id):
            yield x402_stream(order_id)

    def order(self, seen: Seen) -> X402Order:
        """An order that was never opened when there is none."""
        order_id = seen.get(PaymentSlot, self.slot).order_id
        return seen.get(X402Order, x402_stream(order_id)) if order_id else X402Order()

    def pass_id(self, seen: Seen) -> str | None:
        return self.order(seen).pass_id or None

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []


class SeePayment(InSlot):
    """Decides nothing: what a route looks at before it asks for money or moves it."""


class SeeAuthorization(Command):
    """Decides nothing: which order an authorization is for."""

    claim: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.claim
        if self.claim in seen and (holder := seen.get(Claim, self.claim).holder):
            yield holder

    def order(self, seen: Seen) -> X402Order:
        """One that was never opened when the authorization is for none."""
        holder = seen.get(Claim, self.claim).holder
        return seen.get(X402Order, holder) if holder else X402Order()

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []


class IssueVoucher(InSlot):
    """A voucher of ours for a paid mint that has none which is good: at `proof_block`, at its time
    `proof_time`, the chain showed the fid unminted."""

    voucher: Voucher
    signature: str
    proof_block: int
    proof_time: int

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        order = self.order(seen)
        issued = VoucherIssued(
            **order.ids,
            to=self.voucher.to,
            voucher_nonce=str(self.voucher.nonce),
            deadline=self.voucher.deadline,
            signature=self.signature,
            proof_block=self.proof_block,
            ours=True,
        )
        known = order.minting.voucher
        good = known and known.ours and known.deadline >= self.proof_time
        return [] if good else order.issue(issued)

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, spoken_signature(self.order(seen)), secret=True)


class SubmitPayment(InSlot):
    """The payer wants a known payment settled."""

    nonce: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).submit(self.nonce, at)


class DismissPayment(InSlot):
    reason: Literal["payer", "service"]

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.order(seen).dismiss(self.reason)

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, {"success": True})


class ClaimSettlement(InSlot):
    tx_hash: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from super().reads(seen)
        yield settlement_claim(self.tx_hash)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        order = self.order(seen)
        if order.attempts.current is None:
            raise NothingTracked()
        holder = seen.get(Claim, settlement_claim(self.tx_hash)).holder
        if holder not in ("", order.stream):
            raise PaymentAlreadyUsed()
        return order.claim_settlement(self.tx_hash)

    def answer(self, seen: Seen, new: bool) -> Answer:
        order = self.order(seen)
        landing = order.paid.landing if order.paid else None
        tx_hash = landing.tx_hash if landing else self.tx_hash
        body = {"success": True, "status": order.status, "settlementTxHash": tx_hash}
        return Answer(200, {**body, "verifying": landing is None})


class ClaimMint(InSlot):
    tx_hash: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        order = self.order(seen)
        if order.terms is None or not order.mints:
            raise NothingTracked()
        return order.minting.claim(MintClaimed(**order.ids, tx_hash=self.tx_hash))

    def answer(self, seen: Seen, new: bool) -> Answer:
        order = self.order(seen)
        verifying = not order.minting.minted
        return Answer(200, {"success": True, "status": order.status, "verifying": verifying})
