"""What a visit to the studio leads to: it begins and ends, preferences are set, events are told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from commands.command import Answer, Command, Seen
from commands.creations import WORDS
from commands.generations import SayEvent
from commands.passes import current_pass, followed, survivors
from domain.event import Event
from domain.generation import Generation
from domain.generation_events import EventType, generation_stream
from domain.preferences import Noted, Preferences, preferences_stream
from domain.studio_session import StudioSession, session_stream


class OfPass(Command):
    """Sees the pass that `owner` means today."""

    owner: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from survivors(seen, self.owner)

    def pass_id(self, seen: Seen) -> str:
        return current_pass(seen, self.owner).pass_id or self.owner


class BeginVisit(OfPass):
    session_id: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from super().reads(seen)
        yield session_stream(self.session_id)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self._visit(seen).begin(self.session_id, self.pass_id(seen), at)

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(201, describe_visit(self.session_id, self._visit(seen)))

    def _visit(self, seen: Seen) -> StudioSession:
        return seen.get(StudioSession, session_stream(self.session_id))


class EndVisit(Command):
    """Ended before is ended."""

    session_id: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield session_stream(self.session_id)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self._visit(seen).end(self.session_id, at)

    def pass_id(self, seen: Seen) -> str | None:
        return self._visit(seen).pass_id or None

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, describe_visit(self.session_id, self._visit(seen)))

    def _visit(self, seen: Seen) -> StudioSession:
        return seen.get(StudioSession, session_stream(self.session_id))


class SetPreferences(OfPass):
    event_id: str
    hard_blocks: tuple[str, ...]
    tag_weights: dict[str, int]

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from super().reads(seen)
        if followed(seen, self.owner):
            yield preferences_stream(self.pass_id(seen))

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        chosen = (self.hard_blocks, self.tag_weights)
        return self._preferences(seen).set(self.pass_id(seen), self.event_id, *chosen)

    def answer(self, seen: Seen, new: bool) -> Answer:
        known = self._preferences(seen)
        chosen = {"hard_blocks": list(known.hard_blocks), "tag_weights": known.tag_weights}
        return Answer(200, {"event_type": "preference_set", "preferences": chosen})

    def _preferences(self, seen: Seen) -> Preferences:
        return seen.get(Preferences, preferences_stream(self.pass_id(seen)))


class NoteEvent(OfPass):
    """A page tells of a create, a tweak or feedback that names no generation."""

    event_id: str
    type: EventType
    more: str = ""

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from super().reads(seen)
        yield f"mma_event:{self.event_id}"

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        known = seen.get(Noted, f"mma_event:{self.event_id}")
        return known.note(self.pass_id(seen), self.event_id, self.type, self.more)

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, {"event_type": self.type, "liked": None})


class TellEvent(SayEvent):
    """An event that a page tells of a generation. That it was created, tweaked or made again from
    feedback stands there already: whoever began it wrote it down."""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        terms = self.generation(seen).terms
        if terms is not None and WORDS[terms.origin] == self.type:
            return []
        return super().decide(seen, at)


class RecordSuggestion(OfPass):
    """`Type for me`: a stream that has only its step, whether it came to something or not."""

    generation_id: str
    payload: dict[str, Any]
    model: str
    prompt: str = ""

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from super().reads(seen)
        yield generation_stream(self.generation_id)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        known = seen.get(Generation, generation_stream(self.generation_id))
        if known.steps:
            return []
        made = {"provider": "openai", "model": self.model}
        return known.record(self.generation_id, "motion_suggestion", self.payload, **made)

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, {"prompt": self.prompt}, secret=True)


def describe_visit(session_id: str, visit: StudioSession) -> dict[str, Any]:
    begun, ended = visit.begun_at, visit.ended_at
    return {
        "session_id": session_id,
        "started_at": begun.isoformat() if begun else None,
        "ended_at": ended.isoformat() if ended else None,
    }
