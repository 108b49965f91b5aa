"""Waiting for something to become true, instead of sleeping and hoping."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

T = TypeVar("T")


def eventually(question: Callable[[], T], within_s: float = 20.0, *, every_s: float = 0.02) -> T:
    """The first truthy answer of `question`; an AssertionError when there is none in time."""
    deadline = monotonic() + within_s
    while not (answer := question()):
        assert monotonic() < deadline, f"not true within {within_s} s"
        sleep(every_s)
    return answer
