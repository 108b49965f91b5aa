"""What the business knows of Solana: how long signed bytes are good, and what proves their end.

Keys, signatures and hashes are base58, bytes are base64, amounts are lamports. A height counts
blocks, a slot does not: what expires is compared by height (spec `providers.md` §6).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

BLOCKHASH_LASTS = timedelta(seconds=45)
"""The least that a wallet has: 150 blocks of 400 ms, less those that made the blockhash final."""


@dataclass(frozen=True, slots=True)
class Blockhash:
    """A recent blockhash; bytes signed with it can land while the height is not above the last."""

    value: str
    last_valid_height: int


@dataclass(frozen=True, slots=True)
class Absence:
    """The proof that signed bytes can never land: at a finalized `height` above their last valid
    one, every endpoint that was asked has no status for the signature, its history searched. An
    empty signature: what the bytes would have done was looked for instead, and is not there."""

    signature: str
    height: int
    slot: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A transaction signed by us and waiting for a wallet: `message` and `raw` in base64.

    `signature` is ours and its id; empty when the wallet pays the fee, whose signature is the id
    then. `raw` has zeros where the wallet's signature belongs, or is complete when nobody has to.
    """

    message: str
    raw: str
    signature: str
    blockhash: str
    last_valid_height: int


@dataclass(frozen=True, slots=True)
class TokenFound:
    """A minted token, read back from a finalized transaction and checked against what was asked.

    `asset_id` is computed from tree and leaf and equals the leaf's own; for an SPL token it is the
    mint's address, `tree` is empty and `leaf_index` 0.
    """

    asset_id: str
    tree: str
    leaf_index: int
    slot: int
