"""Choices that follow from a seed: each is named, so that one more choice changes no other."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

SEED_BYTES = 32
DOMAIN = b"MPFP/1"


def pick(seed: bytes, what: str, weights: Mapping[str, int]) -> str:
    """One of the names, as likely as its weight among all of them."""
    at = below(seed, what, sum(weights.values()))
    for name, weight in weights.items():
        if at < weight:
            return name
        at -= weight
    raise ValueError(f"{what}: nothing to pick from")


def below(seed: bytes, what: str, bound: int) -> int:
    """A whole number from 0 to bound - 1, all equally likely.

    The first 8 bytes, big end first, of SHA-256 of `MPFP/1`, the seed, the try (one byte) and the
    name of the choice; a number in the incomplete last stretch of `bound` is tried again.
    """
    whole = (1 << 64) // bound * bound
    for again in range(256):
        digest = sha256(DOMAIN + seed + bytes([again]) + what.encode()).digest()
        number = int.from_bytes(digest[:8], "big")
        if number < whole:
            return number % bound
    raise ValueError(f"{what}: 256 hashes in a row, which does not happen")
