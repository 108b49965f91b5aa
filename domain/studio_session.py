"""StudioSession: one visit to the studio, from the way in to the click away (seed 001 §3.1, §9.1).

Entering is what `mega_customers.mg_last_active` tells. A visit ends once; the next one is another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.event import Event, event
from domain.state import changed


def session_stream(session_id: str) -> str:
    return f"session:{session_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitEvent(Event):
    session_id: str
    pass_id: str

    @property
    def stream(self) -> str:
        return session_stream(self.session_id)


@event("visit_begun.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class VisitBegun(VisitEvent):
    """`last_active_at` is when: the ledger's row of the pass follows it."""

    last_active_at: datetime


@event("visit_ended.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class VisitEnded(VisitEvent):
    ended_at: datetime


@dataclass(frozen=True)
class StudioSession:
    pass_id: str = ""
    begun_at: datetime | None = None
    ended_at: datetime | None = None

    def begin(self, session_id: str, pass_id: str, at: datetime) -> list[Event]:
        if self.begun_at:
            return []
        return [VisitBegun(session_id=session_id, pass_id=pass_id, last_active_at=at)]

    def end(self, session_id: str, at: datetime) -> list[Event]:
        if self.begun_at is None or self.ended_at:
            return []
        return [VisitEnded(session_id=session_id, pass_id=self.pass_id, ended_at=at)]

    def evolve(self, event: Event) -> StudioSession:
        match event:
            case VisitBegun(pass_id=pass_id, last_active_at=at):
                return changed(self, pass_id=pass_id, begun_at=at)
            case VisitEnded(ended_at=at):
                return changed(self, ended_at=at)
        return self
