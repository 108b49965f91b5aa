"""What can have happened to a batch: one payment in SOL for up to ten tokens (seed 003).

A batch of recipe `pfp_single` is one token whose payment and mint are one transaction. Amounts are
decimal strings of lamports; signatures, keys and blockhashes base58; signed bytes base64.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.event import Event, event

BatchRecipe = Literal["pfp_batch", "pfp_single"]
FilePart = Literal["image", "metadata"]


def batch_stream(batch_id: str) -> str:
    return f"batch:{batch_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEvent(Event):
    batch_id: str

    @property
    def stream(self) -> str:
        return batch_stream(self.batch_id)


@event("batch_opened.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOpened(BatchEvent):
    """`credits` of the `quantity` are paid for already; `lamports` pay for the rest at `price`
    each. The seeds of its pictures follow from `entropy` (32 bytes of hex)."""

    pass_id: str
    wallet: str
    recipe: BatchRecipe
    quantity: int
    credits: int
    lamports: str
    price: str
    treasury: str
    entropy: str
    opened_at: datetime


# The payment.


@event("batch_prepared.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPrepared(BatchEvent):
    """The one transaction that pays. We are its fee payer, so that `signature` is its id, known
    before a wallet has seen it. It can land until the chain's height is above the last valid one;
    `expires_at` is when that may be. `minter`: who mints in it, too; empty: it only pays."""

    signature: str
    message: str
    raw: str
    blockhash: str
    last_valid_height: int
    expires_at: datetime
    minter: str


@event("batch_submitted.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSubmitted(BatchEvent):
    """The wallet signed; these whole bytes are broadcast until the chain has them or cannot."""

    raw: str
    submitted_at: datetime


@event("auto_mint_asked.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class AutoMintAsked(BatchEvent):
    """The owner wants it minted on without their browser."""


@event("batch_paid.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPaid(BatchEvent):
    """Finalized: `paid_units` are new credits, `units` all that it may mint. What was paid after
    its slots were gone is `refund_due`. Without a signature credits covered it all."""

    wallet: str
    signature: str
    slot: int
    lamports: str
    paid_units: int
    units: int
    refund_due: str
    paid_at: datetime


@event("batch_cancelled.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCancelled(BatchEvent):
    """Given up before it was paid: by its `owner`, or `replaced` by another quantity."""

    reason: Literal["owner", "replaced"]


@event("batch_lapsed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLapsed(BatchEvent):
    """The proof that its transaction can never land: at this finalized height nobody knows it."""

    signature: str
    proof_height: int
    proof_slot: int


@event("batch_failed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFailed(BatchEvent):
    """Nothing was paid: the transaction landed and did nothing, or it never came to be."""

    reason: str
    slot: int


@event("batch_units_left.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class BatchUnitsLeft(BatchEvent):
    """`count` of its units are minted by batch `to` instead."""

    count: int
    to: str


# Its units, each a token to be.


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitEvent(BatchEvent):
    """`index` counts the tokens of a batch from 1."""

    index: int


@event("pfp_mint_requested.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PfpMintRequested(UnitEvent):
    """The intent to make and mint it; `round` counts how often it was asked for. `seed`: 32 bytes
    of hex from which its picture follows."""

    round: int
    seed: str
    requested_at: datetime


@event("pfp_file_sealed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PfpFileSealed(UnitEvent):
    """What will be uploaded, and the address it will have: recorded before it leaves. The same
    seed and metadata give the same bytes; `sha256` and `bytes` are of the content."""

    part: FilePart
    vault: str
    item_id: str
    uri: str
    sha256: str
    bytes: int


@event("pfp_file_stored.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PfpFileStored(UnitEvent):
    """`receipt`: what the vault signed for it, the proof until everybody can read it there."""

    part: FilePart
    item_id: str
    receipt: str


@event("pfp_mint_signed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PfpMintSigned(UnitEvent):
    """Our own mint, signed: only these bytes are sent until they land or are proven unable to."""

    number: int
    minter: str
    tree: str
    signature: str
    raw: str
    blockhash: str
    last_valid_height: int


@event("pfp_mint_dropped.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PfpMintDropped(UnitEvent):
    """Those bytes minted nothing and never will: `reason` is `lapsed` (with the proof), `refused`
    (they never left us) or why the chain failed them."""

    signature: str
    reason: str
    proof_height: int
    proof_slot: int


@event("pfp_mint_failed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PfpMintFailed(UnitEvent):
    """One try came to nothing. `gave_up`: nobody tries until it is asked for again, or, where the
    owner wants that, until `retry_at`; the credit stays."""

    round: int
    tried: int
    error_class: str
    reason: str
    retry_at: datetime | None
    gave_up: bool


@event("pfp_minted.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class PfpMinted(UnitEvent):
    """Finalized, and what the chain holds is what was wanted."""

    owner: str
    asset_id: str
    tree: str
    leaf_index: int
    signature: str
    slot: int
    image_uri: str
    metadata_uri: str
