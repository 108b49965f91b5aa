"""What can have happened to the deliverable of an x402 order: a Geoplet's mint, or a picture.

Shapes as in `x402_events.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.event import Secret, event
from domain.x402_events import X402Event

# The mint.


@event("voucher_issued.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherIssued(X402Event):
    """Leave to mint until `deadline` (chain time). One that follows another has the proof that the
    old one can mint no more: at `proof_block`, past its deadline, the fid was not minted. One that
    is not `ours` was told by a service, and proves nothing.
    """

    to: str
    voucher_nonce: str
    deadline: int
    signature: Secret
    proof_block: int
    ours: bool


@event("mint_claimed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MintClaimed(X402Event):
    """Somebody names the transaction that minted. It proves nothing."""

    tx_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MintEvent(X402Event):
    owner: str
    tx_hash: str
    block_number: int
    block_hash: str
    log_index: int


@event("geoplet_mint_seen.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class GeopletMintSeen(MintEvent):
    """A block has the mint; it is not yet deep enough to count."""


@event("geoplet_minted.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class GeopletMinted(MintEvent):
    minted_at: datetime


@event("geoplet_mint_retracted.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class GeopletMintRetracted(X402Event):
    """A reorg took the block of the mint away."""

    tx_hash: str
    block_hash: str


@event("geoplet_mint_finalized.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class GeopletMintFinalized(X402Event):
    tx_hash: str
    block_hash: str


# The picture.


@event("regeneration_requested.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class RegenerationRequested(X402Event):
    """The intent, recorded before the provider is called."""

    attempt: int
    prompt: Secret
    provider: str
    model: str
    requested_at: datetime


@event("regeneration_failed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class RegenerationFailed(X402Event):
    """`retry_at` None: only the payer asks again. `gave_up`: who waits for it is told so now."""

    attempt: int
    error_class: str
    reason: str
    retry_at: datetime | None
    gave_up: bool


@event("regeneration_stored.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class RegenerationStored(X402Event):
    """The picture is at its permanent public URL, small enough for the contract."""

    attempt: int
    output_url: str
    sha256: str
    content_type: str
    bytes: int
    stored_at: datetime


@event("regeneration_delivered.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class RegenerationDelivered(X402Event):
    """The picture was handed to the payer: the next one is paid for anew."""
