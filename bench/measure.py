"""What a benchmark yields: a value, and its ratio to a reference measured in the same run.

Ours and the reference take turns (A B A B …), so that a machine whose speed drifts drifts for both;
the ratio is the median of the pairs.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Measurement:
    """`target` is met when `ratio` (or, without a reference, `value`) is on its right side.

    `at_most`: smaller is better. `unit` is that of `value`, for example `events/s`.
    """

    name: str
    value: float
    unit: str
    ratio_to: str | None
    ratio: float | None
    runs: int
    target: float
    at_most: bool

    @property
    def met(self) -> bool:
        judged = self.value if self.ratio is None else self.ratio
        return judged <= self.target if self.at_most else judged >= self.target

    def stored(self) -> dict[str, Any]:
        return {**asdict(self), "met": self.met, "machine": machine()}


def paired(
    name: str,
    ours: Callable[[], float],
    reference: Callable[[], float],
    *,
    ratio_to: str,
    target: float,
    unit: str = "per s",
    at_most: bool = False,
    slower: bool = False,
    runs: int = 3,
) -> Measurement:
    """Both callables return a rate. `slower` states the ratio as times slower."""
    pairs = [(ours(), reference()) for _ in range(runs)]
    ratios = [theirs / mine if slower else mine / theirs for mine, theirs in pairs]
    value = median(mine for mine, _ in pairs)
    at_most = at_most or slower
    return Measurement(name, value, unit, ratio_to, median(ratios), runs, target, at_most)


def alone(
    name: str, value: float, *, unit: str, target: float, at_most: bool, runs: int = 1
) -> Measurement:
    return Measurement(name, value, unit, None, None, runs, target, at_most)


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()} {platform.release()}"


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
