"""generations: every still and video, for the archive, the studio's state and whoever makes them.

Texts stay sealed. `done_position` orders the archive: what is delivered later always comes before,
so that paging neither skips nor repeats. `due_at`: since when somebody should go on with it; only a
provider that calls back moves it. `deadline_at`: when it ends, whatever anybody does until then.
`felt_position` orders what was liked, disliked or downloaded. A stream that has only a step ("Type
for me") has no row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from domain.generation_echo import Echo
from domain.generation_events import (
    CreationBegun,
    CreationCancelled,
    CreationDelivered,
    CreationFailed,
    GenerationEvent,
    LateOutputKept,
    LateOutputMissing,
    MediaRequested,
    MediaSubmitted,
    MmaEventRecorded,
    ProviderCalledBack,
    StepRecorded,
)
from domain.generation_view import parent_of
from ledger.codec import Recorded
from projections.projection import Projection
from projections.topics import topics_of


@dataclass(frozen=True, slots=True)
class Card:
    """What lists show of one generation. `media_open`: a provider was asked and has not answered;
    `made`: it has given what was wanted; `task_id` is what it calls the work."""

    begun: CreationBegun
    position: int
    due_since: datetime
    status: str
    echo: Echo
    done_position: int | None = None
    output_url: str | None = None
    media_open: bool = False
    made: bool = False
    task_id: str | None = None
    due: bool = True
    underway: bool = True
    felt_position: int | None = None


class Generations(Projection[Card]):
    name = "generations"
    version = 3
    topics = topics_of(GenerationEvent)
    state = Card

    def keys(self, recorded: Recorded) -> Iterable[str]:
        event = recorded.event
        assert isinstance(event, GenerationEvent)
        return (event.generation_id,)

    def fold(self, key: str, state: Card | None, recorded: Recorded) -> Card | None:
        event, at = recorded.event, recorded.recorded_at
        if isinstance(event, CreationBegun):
            return Card(event, recorded.position, at, event.mma_status, Echo())
        if state is None:
            return None
        card = _went_on(state, recorded)
        return replace(card, echo=card.echo.evolve(event))

    def record(self, key: str, state: Card) -> dict[str, Any]:
        begun = state.begun
        return {
            "generation_id": key,
            "pass_id": begun.pass_id,
            "parent_id": parent_of(begun.parent_id),
            "kind": begun.mma_mode,
            "status": state.status,
            "liked": state.echo.liked,
            "position": state.position,
            "done_position": state.done_position,
            "created_at": begun.begun_at.isoformat(),
            "output_url": state.output_url,
            "task_id": state.task_id,
            "style": begun.style,
            "brief": begun.brief,
            "due_at": state.due_since.isoformat() if state.due else None,
            "deadline_at": begun.deadline_at.isoformat() if state.underway else None,
            "felt_position": state.felt_position,
            "state": msgspec.json.encode(state).decode(),
        }


def _went_on(card: Card, recorded: Recorded) -> Card:
    event = recorded.event
    card = replace(card, status=getattr(event, "mma_status", card.status))
    match event:
        case MediaRequested():
            return replace(card, media_open=True, task_id=None)
        case MediaSubmitted(task_id=task_id):
            return replace(card, task_id=task_id)
        case StepRecorded(step_type=type_) if type_.endswith("_generate"):
            return replace(card, media_open=False, made=event.payload["error"] is None)
        case CreationDelivered(output_url=url):
            done = recorded.position
            return replace(card, due=False, underway=False, output_url=url, done_position=done)
        case CreationFailed() | CreationCancelled():
            return replace(card, due=card.media_open or card.made, underway=False)
        case LateOutputKept() | LateOutputMissing():
            return replace(card, due=False, media_open=False)
        case ProviderCalledBack():
            return replace(card, due_since=recorded.recorded_at)
        case MmaEventRecorded(meta={"event_type": "like" | "dislike" | "download"}):
            return replace(card, felt_position=recorded.position)
    return card
