"""Takes in a signed payment: its order is opened or found, and it is for no other from now on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import reduce
from hashlib import sha256
from typing import Literal

from commands.command import Answer, Seen
from commands.passes import current_pass, opened_with, survivors
from commands.x402_slot import InSlot, PaymentAlreadyUsed, authorization_claim, settlement_claim
from domain.claim import Claim
from domain.event import Event
from domain.geoplet_events import VoucherIssued
from domain.geoplet_view import describe_tracking, expires_at, spoken_signature
from domain.passes import identity_claim
from domain.payment_slot import PaymentSlot
from domain.x402 import PaymentTerms, SignedPayment, Voucher
from domain.x402_events import PaymentType, X402OrderOpened, X402PaymentVerified, x402_stream
from domain.x402_order import X402Order
from domain.x402_refusals import PaymentReplaced

FAR = 2**53
"""No later end is told apart: JSON's numbers end here, and so will the chain."""
RECIPES: dict[PaymentType, str] = {"mint": "geoplet_mint", "regenerate": "regenerate"}


class TrackPayment(InSlot):
    """Takes in a payment that was found good, with the voucher it pays for, if any.

    `owner` is the pass that asks; without one it is whoever has the fid, or a pass that is opened
    for it. `hand_in`: it is submitted at once. A paid order is told as it is, never overwritten.
    """

    owner: str = ""
    terms: PaymentTerms
    payment: SignedPayment
    facilitator: str = ""
    payment_id: str = ""
    seen_block: int
    voucher: Voucher | None = None
    signature: str = ""
    hand_in: bool = False
    settlement_tx_hash: str = ""
    answer_as: Literal["voucher", "tracking"] = "tracking"

    @property
    def _nonce(self) -> str:
        return self.payment.authorization.nonce

    @property
    def _claim(self) -> str:
        said = self.payment.authorization
        terms = self.terms
        return authorization_claim(terms.chain_id, terms.token, said.payer, said.nonce)

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from super().reads(seen)
        yield self._claim
        if self.settlement_tx_hash:
            yield settlement_claim(self.settlement_tx_hash)
        if not self.owner:
            yield identity_claim(f"fid:{self.fid}")
            yield from survivors(seen, self._fids_pass(seen))
        if self.slot in seen:
            yield x402_stream(self._next_id(seen))

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        order = self._target(seen)
        for claim in (self._claim, settlement_claim(self.settlement_tx_hash)):
            if claim in seen and seen.get(Claim, claim).holder not in ("", self._stream(seen)):
                raise PaymentAlreadyUsed()
        if seen.get(Claim, self._claim).taken and not order.attempts.get(self._nonce):
            raise PaymentReplaced()  # it was given up, and forgotten since
        opened = self._open(seen, order, at)
        order = _after(order, opened)
        verified = order.verify(self._verified(order, at))
        order = _after(order, verified)
        events = [*opened, *verified]
        if self.voucher and (verified or self._wants_voucher(order)):
            events += order.issue(self._voucher(order))
        if attempt := order.attempts.get(self._nonce):
            if attempt.payer != self.payment.authorization.payer:
                raise PaymentAlreadyUsed()
            events += seen.get(Claim, self._claim).take(self._claim, order.stream)
            if self.settlement_tx_hash:
                events += order.claim_settlement(self.settlement_tx_hash)
                events += order.submit(self._nonce, at, "service")
            if self.hand_in:
                events += order.submit(self._nonce, at)
        return events

    def pass_id(self, seen: Seen) -> str:
        owner = self._target(seen).pass_id or self.owner
        return owner or current_pass(seen, self._fids_pass(seen)).pass_id or self._new_pass

    def answer(self, seen: Seen, new: bool) -> Answer:
        order = self.order(seen)
        if self.answer_as == "voucher":
            return Answer(200, spoken_signature(order), secret=True)
        current = order.attempts.current
        assert current is not None
        shown = describe_tracking(order, current.verified_at)
        body = {"status": shown["status"], "expiresAt": shown["expiresAt"]}
        if not self.settlement_tx_hash:
            return Answer(200, body)
        status = "verified" if order.in_flight else body["status"]
        return Answer(200, {**body, "status": status, "verifying": order.paid is None})

    # Helpers.

    def _wants_voucher(self, order: X402Order) -> bool:
        """A service may tell a newer one while nothing is paid; ours takes the place of its."""
        known = order.minting.voucher
        return known is None or (not order.paid if self._by_service else not known.ours)

    @property
    def _by_service(self) -> bool:
        return not self.owner

    @property
    def _new_pass(self) -> str:
        return f"pass:user:fid:{self.fid}"

    def _fids_pass(self, seen: Seen) -> str:
        claim = identity_claim(f"fid:{self.fid}")
        holder = seen.get(Claim, claim).holder if claim in seen else ""
        return holder or self._new_pass

    def _next_id(self, seen: Seen) -> str:
        return seen.get(PaymentSlot, self.slot).next_order_id(self.fid, self.payment_type)

    def _stream(self, seen: Seen) -> str:
        order = self.order(seen)
        return x402_stream(self._next_id(seen)) if not order.opened or order.ended else order.stream

    def _target(self, seen: Seen) -> X402Order:
        """The order that this payment is for: the open one, or the next."""
        stream = self._stream(seen)
        return seen.get(X402Order, stream) if stream in seen else X402Order()

    def _open(self, seen: Seen, order: X402Order, at: datetime) -> list[Event]:
        if order.opened:
            return []
        owner, joined = self.pass_id(seen), []
        if not self.owner:
            joined = opened_with(seen, self._fids_pass(seen), (f"fid:{self.fid}",), at)
        slot, order_id = seen.get(PaymentSlot, self.slot), self._next_id(seen)
        opened = X402OrderOpened(
            order_id=order_id,
            fid=self.fid,
            payment_type=self.payment_type,
            pass_id=owner,
            number=slot.number + 1,
            recipe=RECIPES[self.payment_type],
            asset=self.terms.asset,
            amount=str(self.terms.amount),
            chain_id=self.terms.chain_id,
            token=self.terms.token,
            pay_to=self.terms.pay_to,
        )
        taken = slot.take(self.fid, self.payment_type, order_id)
        return [*joined, *order.open_for(opened), *taken]

    def _verified(self, order: X402Order, at: datetime) -> X402PaymentVerified:
        said = self.payment.authorization
        deadline = self.voucher.deadline if self.voucher else None
        return X402PaymentVerified(
            **order.ids,
            nonce=said.nonce,
            payer=said.payer,
            pay_to=said.pay_to,
            amount=str(said.value),
            valid_after=min(said.valid_after, FAR),
            valid_before=min(said.valid_before, FAR),
            version=self.payment.version,
            header=self.payment.header,
            header_hash=sha256(self.payment.header.encode()).hexdigest(),
            facilitator=self.facilitator,
            payment_id=self.payment_id,
            seen_block=self.seen_block,
            verified_at=at,
            expires_at=expires_at(said.valid_before, deadline, at),
        )

    def _voucher(self, order: X402Order) -> VoucherIssued:
        assert self.voucher is not None
        return VoucherIssued(
            **order.ids,
            to=self.voucher.to,
            voucher_nonce=str(self.voucher.nonce),
            deadline=self.voucher.deadline,
            signature=self.signature,
            proof_block=self.seen_block,
            ours=not self._by_service,
        )


def _after(order: X402Order, events: list[Event]) -> X402Order:
    return reduce(X402Order.evolve, events, order)
