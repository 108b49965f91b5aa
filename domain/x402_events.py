"""What can have happened to an order paid by x402: a Geoplet mint or a regeneration (seed 004).

`nonce` is that of the EIP-3009 authorization. Amounts are decimal strings of atomic units,
addresses and hashes lower case hex, times aware UTC. A payment header moves money and a voucher's
signature mints, so both are secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.event import Event, Secret, event

PaymentType = Literal["mint", "regenerate"]


def x402_stream(order_id: str) -> str:
    return f"order:x402:{order_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class X402Event(Event):
    order_id: str
    fid: int
    payment_type: PaymentType

    @property
    def stream(self) -> str:
        return x402_stream(self.order_id)


@event("x402_order_opened.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class X402OrderOpened(X402Event):
    """One Geoplet mint, or one regeneration, at one price. `number` counts those of its kind."""

    pass_id: str
    number: int
    recipe: str
    asset: str
    amount: str
    chain_id: int
    token: str
    pay_to: str


# The payment.


@dataclass(frozen=True, slots=True, kw_only=True)
class X402PaymentEvent(X402Event):
    nonce: str


@event("x402_payment_verified.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class X402PaymentVerified(X402PaymentEvent):
    """A good authorization, not yet handed in: it moves `amount` to `pay_to`, whatever is asked
    later. `expires_at`: until when we hand it in; `seen_block` is where the chain stood;
    `header_hash` the sha256 of the header."""

    payer: str
    pay_to: str
    amount: str
    valid_after: int
    valid_before: int
    version: int
    header: Secret
    header_hash: str
    facilitator: str
    payment_id: str
    seen_block: int
    verified_at: datetime
    expires_at: datetime


@event("x402_payment_submitted.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class X402PaymentSubmitted(X402PaymentEvent):
    """The intent, recorded before a facilitator is asked to move the money. From here on the
    outcome is unknown until the chain tells it. `cause`: payer, minted (the token is out), or
    service (it says that this is settled already)."""

    submitted_at: datetime
    cause: str


@event("x402_settlement_tried.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class X402SettlementTried(X402PaymentEvent):
    """The facilitator is about to be asked, for the `number`th time, with the same bytes."""

    number: int


@event("x402_settlement_not_sent.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class X402SettlementNotSent(X402PaymentEvent):
    """The facilitator was not reached, or turned us away: that try cannot have moved anything."""

    number: int


@event("x402_settlement_claimed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class X402SettlementClaimed(X402PaymentEvent):
    """Somebody names the transaction that settled it. It proves nothing."""

    tx_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class X402LandedEvent(X402PaymentEvent):
    """`depth` counts the block itself."""

    payer: str
    amount: str
    tx_hash: str
    block_number: int
    block_hash: str
    log_index: int
    depth: int


@event("x402_payment_settled.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class X402PaymentSettled(X402LandedEvent):
    """The evidence that makes the order paid: token, payee, payer, amount, depth."""

    settled_at: datetime


@event("x402_payment_surplus_recorded.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class X402PaymentSurplusRecorded(X402LandedEvent):
    """Landed although the order is paid or ended: its whole amount is refund due."""

    asset: str
    refund_due: str


@event("x402_payment_rejected.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class X402PaymentRejected(X402PaymentEvent):
    """Refused by the facilitator and unused on chain, or cancelled there. `reason` is x402's."""

    reason: str
    rejected_at: datetime


@event("x402_payment_replaced.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class X402PaymentReplaced(X402PaymentEvent):
    """The payer signed another one for the same order; this one is not handed in any more."""

    by: str


@event("x402_payment_dismissed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class X402PaymentDismissed(X402PaymentEvent):
    """Not handed in, and not wanted any more. `reason`: payer, service, retention."""

    reason: str


@event("x402_payment_expired.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class X402PaymentExpired(X402PaymentEvent):
    """Past its deadline and never handed in: the payer has to sign again."""


@event("x402_payment_lapsed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class X402PaymentLapsed(X402PaymentEvent):
    """The negative proof: a final block is past `valid_before`, and the nonce is unused."""

    proof_block: int
    proof_block_hash: str
    proof_time: int


@event("x402_payment_retracted.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class X402PaymentRetracted(X402PaymentEvent):
    """A reorg took the block away: whether it is settled is unknown again."""

    tx_hash: str
    block_hash: str
    retracted_at: datetime


@event("x402_payment_finalized.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class X402PaymentFinalized(X402PaymentEvent):
    """Deeper than any reorg that is watched for."""

    tx_hash: str
    block_hash: str


@event("x402_order_failed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class X402OrderFailed(X402Event):
    """The end without delivery. `refund_due` is what was paid for it by `tx_hash`, "0" when nothing
    was.

    `error_code`: MINTED_UNPAID, FID_MINTED_BY_ANOTHER, NOT_DELIVERED_IN_TIME.
    """

    error_code: str
    tx_hash: str
    refund_due: str
    failed_at: datetime
