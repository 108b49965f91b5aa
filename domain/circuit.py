"""Circuit: whether a provider is out of credit, so that nobody pays for what it cannot make.

Opened by the failure that says so, in the same append; closed by the next picture, or by time.
Spec `providers.md` §4, case 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.event import Event, event

OPEN_FOR = timedelta(minutes=5)
TRIPS = frozenset({"quota"})


def circuit_stream(provider: str) -> str:
    return f"circuit:{provider}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitEvent(Event):
    provider: str

    @property
    def stream(self) -> str:
        return circuit_stream(self.provider)


@event("circuit_opened.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitOpened(CircuitEvent):
    """New payments are refused until `until`, or until a picture is made."""

    error_class: str
    until: datetime


@event("circuit_closed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitClosed(CircuitEvent):
    pass


@dataclass(frozen=True, slots=True)
class Circuit:
    until: datetime | None = None

    def open_at(self, at: datetime) -> bool:
        return self.until is not None and at < self.until

    def failed(self, provider: str, error_class: str, at: datetime) -> list[Event]:
        if error_class not in TRIPS or self.open_at(at + OPEN_FOR / 2):
            return []
        until = at + OPEN_FOR
        return [CircuitOpened(provider=provider, error_class=error_class, until=until)]

    def succeeded(self, provider: str) -> list[Event]:
        return [CircuitClosed(provider=provider)] if self.until else []

    def evolve(self, event: Event) -> Circuit:
        match event:
            case CircuitOpened(until=until):
                return Circuit(until)
            case CircuitClosed():
                return Circuit()
        return self
