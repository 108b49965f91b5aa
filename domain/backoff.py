"""How long to wait before a try is repeated."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

DOUBLINGS_MAX = 16


def pause(first: timedelta, waited: int, cap: timedelta, about: str) -> timedelta:
    """`first`, doubled for each of the `waited` pauses before, at most `cap`; less a share of up
    to a quarter that follows from `about`: jitter without chance."""
    longest: timedelta = min(cap, first * 2 ** min(waited, DOUBLINGS_MAX))
    return longest - longest * sha256(about.encode()).digest()[0] / 1024
