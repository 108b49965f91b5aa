"""Rows of the table about portraits: what drawing one costs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from hashlib import sha256

from bench.measure import Measurement, alone, percentile
from consumers.pfp import generate

PORTRAITS, CPU_MS_MAX = 100, 150.0


def rows() -> Iterator[Measurement]:
    """Of CPU, not of the clock; the first portrait also makes the glass, and is left out."""
    generate(seed(0))
    spent = [cpu_ms(seed(number)) for number in range(1, PORTRAITS + 1)]
    for share, called in ((0.5, "median"), (0.99, "p99")):
        yield alone(
            f"a PFP drawn, ms of CPU, {called}",
            percentile(spent, share),
            unit="ms",
            target=CPU_MS_MAX,
            at_most=True,
            runs=PORTRAITS,
        )


def cpu_ms(seed: bytes) -> float:
    began = time.process_time_ns()
    generate(seed)
    return (time.process_time_ns() - began) / 1e6


def seed(number: int) -> bytes:
    return sha256(str(number).encode()).digest()
