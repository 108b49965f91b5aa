"""Payment: what a block says was paid for an order, and the transactions that claim to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.order_events import PaymentEvent

UNSEEN_AFTER = timedelta(minutes=30)

Block = tuple[str, str]
"""A transaction and the block that it stands in."""

Place = tuple[str, str, int]
"""Where a payment stands: transaction, block, place of its event in the block."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A claimed transaction that is still open. `nonce` is known once a node has seen it."""

    claimed_at: datetime
    sender: str = ""
    nonce: int | None = None

    @property
    def known(self) -> bool:
        """A node has had it, so only its nonce can prove that it will never land."""
        return self.nonce is not None

    def unseen(self, at: datetime) -> bool:
        return not self.known and at - self.claimed_at >= UNSEEN_AFTER


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment on chain: which transaction and block, what it moved, what it minted."""

    tx_hash: str
    sender: str
    nonce: int
    block_number: int
    block_hash: str
    log_index: int
    payer: str
    amount: int
    token_id: int | None
    depth: int

    @property
    def place(self) -> Place:
        return (self.tx_hash, self.block_hash, self.log_index)

    @property
    def block(self) -> Block:
        return (self.tx_hash, self.block_hash)

    def fault(self, price: int, wallets: frozenset[str]) -> str:
        """Why it does not pay a price that one of `wallets` owes; empty when it does."""
        if self.payer not in wallets:
            return "foreign_payer"
        return "amount_too_low" if self.amount < price else ""

    def moved_from(self, other: Payment) -> bool:
        """The same transaction in another block: a reorg carried it over."""
        return self.tx_hash == other.tx_hash and self.block_hash != other.block_hash

    def facts(self) -> dict[str, Any]:
        """The fields of a PaymentEvent."""
        token_id = None if self.token_id is None else str(self.token_id)
        return {**asdict(self), "amount": str(self.amount), "token_id": token_id}

    @staticmethod
    def of(event: PaymentEvent) -> Payment:
        token_id = None if event.token_id is None else int(event.token_id)
        return Payment(
            tx_hash=event.tx_hash,
            sender=event.sender,
            nonce=event.nonce,
            block_number=event.block_number,
            block_hash=event.block_hash,
            log_index=event.log_index,
            payer=event.payer,
            amount=int(event.amount),
            token_id=token_id,
            depth=event.depth,
        )
