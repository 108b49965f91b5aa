"""The network's time: slots that pass by themselves, blocks in most of them, commitment levels.

Every sixteenth slot has no block, so that heights and slots differ and grow apart: who compares one
with the other is wrong at once. The blockhash of a slot follows from its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Literal

from solders.hash import Hash

from embedded.solana.genesis import SEED

Commitment = Literal["processed", "confirmed", "finalized"]
COMMITMENTS: tuple[Commitment, ...] = ("processed", "confirmed", "finalized")

SLOT_MS = 400
CONFIRMED_AFTER = 2
FINALIZED_AFTER = 32
BLOCKHASH_LIFETIME = 150  # blocks
EPOCH_SLOTS = 432_000
SKIPPED_EVERY = 16

# Of a new chain; blocks before it are empty. Late enough for heights to be more than a blockhash's
# lifetime below their slots.
FIRST_SLOT = 5_000


def skipped(slot: int) -> bool:
    return slot % SKIPPED_EVERY == SKIPPED_EVERY - 1


def produced(slot: int) -> int:
    """The last slot with a block, up to `slot`."""
    return slot - 1 if skipped(slot) else slot


def height(slot: int) -> int:
    """Of the block in `slot`, or before it when there is none."""
    return slot - (slot + 1) // SKIPPED_EVERY


def slot_of(block_height: int) -> int:
    return block_height + block_height // (SKIPPED_EVERY - 1)


@lru_cache(maxsize=4_096)
def blockhash(slot: int) -> Hash:
    return Hash.from_bytes(sha256(SEED + slot.to_bytes(8, "little")).digest())


def genesis_hash() -> Hash:
    return Hash.from_bytes(sha256(SEED).digest())


def last_valid_height(slot: int) -> int:
    """Up to which height a transaction with the blockhash of `slot` can land."""
    return height(slot) + BLOCKHASH_LIFETIME


@dataclass(slots=True)
class Slots:
    """`born_at`, in unix milliseconds, is when the first slot began; `now_ms` is the current time,
    which never goes back."""

    born_at: int
    slot_ms: int = SLOT_MS
    finalized_after: int = FINALIZED_AFTER
    now_ms: int = 0

    def move_to(self, now_ms: int) -> None:
        self.now_ms = max(self.now_ms, now_ms, self.born_at)

    def tip(self, commitment: Commitment = "processed") -> int:
        """The newest slot with a block at `commitment`."""
        behind = {
            "processed": 0,
            "confirmed": min(CONFIRMED_AFTER, self.finalized_after),
            "finalized": self.finalized_after,
        }[commitment]
        current = FIRST_SLOT + (self.now_ms - self.born_at) // self.slot_ms
        return produced(current - behind)

    def commitment_of(self, slot: int) -> Commitment:
        """The highest that a block in `slot` has reached."""
        reached = (each for each in reversed(COMMITMENTS) if slot <= self.tip(each))
        return next(reached, "processed")

    def start_of(self, slot: int) -> int:
        """Unix milliseconds at which `slot` began."""
        return self.born_at + (slot - FIRST_SLOT) * self.slot_ms

    def time_of(self, slot: int) -> int:
        """The block time of `slot`, in unix seconds."""
        return self.start_of(slot) // 1000

    def slot_of_blockhash(self, value: Hash, commitment: Commitment = "processed") -> int | None:
        """The slot whose blockhash `value` is, if it can still be used; else None."""
        newest = height(self.tip(commitment))
        oldest = height(self.tip()) - BLOCKHASH_LIFETIME
        for each in range(newest, oldest - 1, -1):
            if blockhash(slot_of(each)) == value:
                return slot_of(each)
        return None
