"""What can have happened on the way to a level token, in one stream a pass (seed 002).

An attempt is one unlock or one upgrade; its id is that of every event of it. Signatures, keys and
blockhashes are base58, signed bytes base64, volumes decimal strings of US dollars.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.event import Event, event

UpgradeRecipe = Literal["nft_unlock", "nft_upgrade", "nft_exchange"]
ReasonClass = Literal["ADD_SOL", "RETRYING", "SUPPORT"]
UpgradeState = Literal[
    "prepared",
    "submitted",
    "burn_confirmed",
    "mint_submitted",
    "minted",
    "failed",
    "recovery",
    "compensated",
]
Discrepancy = Literal[
    "burned_outside",
    "sent_away",
    "came_back",
    "vanished",
    "level_mismatch",
    "unknown_token",
    "second_token",
]


def upgrade_stream(pass_id: str) -> str:
    return f"upgrade:{pass_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeEvent(Event):
    """`pass_id` is the pass whose stream it is; it may have been merged into another since."""

    pass_id: str
    upgrade_id: str

    @property
    def stream(self) -> str:
        return upgrade_stream(self.pass_id)


# The attempt, and the transaction that the wallet signs.


@event("upgrade_requested.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeRequested(UpgradeEvent):
    """Qualified for `level`, by this evidence, which nothing that comes later can take back.

    `mint` is the address that its token has or will have, `burns` that of the token it gives up
    (none: an unlock). `metadata` is the token's JSON, `cid` its address in IPFS. `badges` are the
    ids that it consumes, given back when it fails before the burn.
    """

    recipe: UpgradeRecipe
    level: int
    wallet: str
    mint: str
    burns: str
    cid: str
    metadata: str
    volume_usd: str
    required_volume_usd: str
    badges: tuple[str, ...]
    config_version: int
    requested_at: datetime


@event("upgrade_prepared.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradePrepared(UpgradeEvent):
    """The one transaction of this attempt that a wallet signs and pays for. It can land until the
    chain's height is above the last valid one; `expires_at` is when that may be."""

    message: str
    raw: str
    blockhash: str
    last_valid_height: int
    expires_at: datetime


@event("upgrade_submitted.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeSubmitted(UpgradeEvent):
    """The wallet handed in what it signed; `raw` is empty when it sent that itself."""

    raw: str
    signature: str
    submitted_at: datetime


@event("upgrade_failed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeFailed(UpgradeEvent):
    """Before anything was burned or minted; the badges are free again."""

    reason_class: ReasonClass
    reason: str


@event("upgrade_reopened.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeReopened(UpgradeEvent):
    """It had failed, and its transaction can still land: it is offered again."""


@event("upgrade_lapsed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeLapsed(UpgradeEvent):
    """Its transaction can never land: at this finalized height the chain shows no effect of it."""

    proof_height: int
    proof_slot: int


@event("burn_confirmed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class BurnConfirmed(UpgradeEvent):
    """The chain shows, finalized, that `owner` burned the old token in transaction `signature`.
    From here on a token is owed."""

    mint: str
    owner: str
    signature: str
    slot: int


# The token that is owed.


@event("level_mint_signed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class LevelMintSigned(UpgradeEvent):
    """The bytes of mint `number` of this attempt, before they leave. `level` and `cid` are the
    original ones unless a compensation was approved."""

    number: int
    level: int
    cid: str
    signature: str
    raw: str
    blockhash: str
    last_valid_height: int


@event("level_mint_dropped.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class LevelMintDropped(UpgradeEvent):
    """The signed mint can never land (`proof_height` above 0), or landed and did nothing."""

    signature: str
    reason: str
    proof_height: int
    proof_slot: int


@event("level_mint_failed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class LevelMintFailed(UpgradeEvent):
    """Try `tried` came to nothing; the next one comes at `retry_at`."""

    tried: int
    error_class: str
    reason: str
    retry_at: datetime


@event("mint_retry_asked.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MintRetryAsked(UpgradeEvent):
    """An operator does not want to wait for the next try."""

    by: str


@event("level_minted.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class LevelMinted(UpgradeEvent):
    """The chain shows the token, finalized, with the level and metadata that were wanted."""

    recipe: UpgradeRecipe
    level: int
    mint: str
    owner: str
    cid: str
    signature: str
    slot: int
    compensation: bool


@event("metadata_pinned.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataPinned(UpgradeEvent):
    """The vault has the metadata, and the picture it names, under these addresses."""

    cid: str


# What people decide when a token stays owed, or ledger and chain differ.


@event("compensation_proposed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class CompensationProposed(UpgradeEvent):
    level: int
    reason: str
    by: str


@event("compensation_approved.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class CompensationApproved(UpgradeEvent):
    """A second person wants the same: from now on a token of this level is minted instead."""

    level: int
    cid: str
    metadata: str
    reason: str
    by: str
    proposed_by: str


@event("correction_recorded.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionRecorded(UpgradeEvent):
    """Ledger and chain differed in `field` of the token of `mint`. The chain is right about whose a
    token is (`decisions.md` C19); what the rules do not settle is left to a `review`.
    `upgrade_id` is of the attempt that made the token, empty when none of ours did."""

    kind: Discrepancy
    mint: str
    field: str
    ledger_value: str
    chain_value: str
    slot: int
    review: bool


@event("review_closed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewClosed(UpgradeEvent):
    """An operator has seen to the case of `mint`, or of an attempt that needed support."""

    mint: str
    reason: str
    by: str
