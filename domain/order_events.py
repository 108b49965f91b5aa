"""What can have happened to an Order paid on an EVM chain. Amounts are decimal strings of atomic
units, addresses and hashes are lower case hex, times are aware UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.event import Event, event


def order_stream(order_id: str) -> str:
    return f"order:{order_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent(Event):
    order_id: str
    character_id: str

    @property
    def stream(self) -> str:
        return order_stream(self.order_id)


@event("order_opened.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderOpened(OrderEvent):
    """One character is offered at one price, payable by a wallet of the pass until `expires_at`."""

    pass_id: str
    recipe: str
    asset: str
    amount: str
    chain_id: int
    contract: str
    token: str
    treasury: str
    opened_block: int
    expires_at: datetime


@event("wallet_step_shown.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class WalletStepShown(OrderEvent):
    """What the wallet is showing; None: it was closed."""

    step: str | None


@event("transaction_claimed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionClaimed(OrderEvent):
    """Somebody says that this transaction pays. It proves nothing and reserves nothing."""

    tx_hash: str
    claimed_at: datetime


@event("transaction_sighted.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionSighted(OrderEvent):
    """A node knew the claimed transaction, so its nonce can later prove it replaced."""

    tx_hash: str
    sender: str
    nonce: int


@event("transaction_dismissed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionDismissed(OrderEvent):
    """A claim ended without paying. `reason`: reverted, replaced, not_for_order, unseen."""

    tx_hash: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEvent(OrderEvent):
    """`depth` counts the block itself: 1 is just mined. `sender` and `nonce`: the transaction's."""

    tx_hash: str
    sender: str
    nonce: int
    block_number: int
    block_hash: str
    log_index: int
    payer: str
    amount: str
    token_id: str | None
    depth: int


@event("payment_seen.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSeen(PaymentEvent):
    """A block has the payment; it is not yet deep enough to count."""


@event("payment_settled.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSettled(PaymentEvent):
    """The evidence that makes an order paid: right contract, token, amount, payer, depth.

    `refund_due` is what goes beyond the price.
    """

    refund_due: str = "0"


@event("payment_retracted.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRetracted(OrderEvent):
    """A reorg took the block away: what its transaction paid, or seemed to, is open again."""

    tx_hash: str
    block_number: int
    block_hash: str
    retracted_at: datetime


@event("payment_finalized.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFinalized(OrderEvent):
    """Deeper than any reorg that is watched for."""

    tx_hash: str
    block_hash: str


@event("payment_rejected.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRejected(PaymentEvent):
    """Money arrived for this order that cannot fund it: a case for an operator.

    `reason`: foreign_payer, amount_too_low, wrong_function (paid where a mint was asked, or the
    other way round).
    """

    reason: str


@event("payment_surplus_recorded.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSurplusRecorded(PaymentEvent):
    """A further payment for an order that is already paid: its whole amount is refund due."""

    asset: str
    refund_due: str


@event("order_expired.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderExpired(OrderEvent):
    """Nobody paid in time. A payment that lands later is honoured all the same."""


@event("order_reopened.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReopened(OrderEvent):
    """The pass tries a failed mint again, under the same id and at the same price."""

    expires_at: datetime


@event("final_mint_signed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class FinalMintSigned(OrderEvent):
    """The server's own mint, recorded before it is broadcast: these bytes and no others."""

    tx_hash: str
    raw: str
    sender: str
    nonce: int
    to: str
    uri: str


@event("final_mint_dropped.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class FinalMintDropped(OrderEvent):
    """Proof that the signed bytes can never land: their nonce was used by another transaction."""

    tx_hash: str
    nonce: int


@event("token_minted.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMinted(OrderEvent):
    """The server's mint is on chain, deep enough."""

    tx_hash: str
    block_number: int
    block_hash: str
    log_index: int
    token_id: str


@event("token_retracted.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRetracted(OrderEvent):
    """A reorg took the block of the server's mint away: the signed bytes are sent again."""

    tx_hash: str
    block_hash: str


@event("token_finalized.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFinalized(OrderEvent):
    """The server's mint is deeper than any reorg that is watched for."""

    tx_hash: str
    block_hash: str
