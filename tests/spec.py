"""given(history).when(decision).then(events): a specification, idempotency checked for free."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import reduce
from typing import Any

from domain.event import Event, Refused

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


class Given:
    """`initial` is an aggregate before its first event; `history` what happened to it."""

    def __init__(self, initial: Any, *history: Event) -> None:
        self.initial, self.history = initial, history
        self.decision: Callable[[Any], list[Event]] | None = None

    def when(self, decision: Callable[[Any], list[Event]]) -> Given:
        self.decision = decision
        return self

    def then(self, *expected: Event) -> None:
        assert self._decide() == list(expected)
        assert self._decide(*expected) == [], "asked twice, it must do nothing more"

    def refused(self, why: type[Refused]) -> None:
        try:
            events = self._decide()
        except why:
            return
        raise AssertionError(f"expected {why.__name__}, got {events}")

    def is_now(self) -> Any:
        return self._fold()

    def _fold(self, *more: Event) -> Any:
        return reduce(
            lambda known, event: known.evolve(event), (*self.history, *more), self.initial
        )

    def _decide(self, *more: Event) -> list[Event]:
        assert self.decision is not None
        return self.decision(self._fold(*more))
