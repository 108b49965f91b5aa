"""upgrades: every unlock and upgrade as it is shown, with its timeline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from domain.mint_view import spoken_time
from domain.upgrade_attempt import Attempt
from domain.upgrade_events import UpgradeEvent, UpgradeRequested
from domain.upgrade_view import describe_attempt
from ledger.codec import Recorded
from projections.projection import Projection
from projections.topics import topics_of

TIMELINE_MAX = 200
"""Moments that are shown; of a mint that is tried for days only the last ones and the first."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What had happened, and the state that it led to."""

    event: str
    event_id: str
    state: str
    at: str


@dataclass(frozen=True, slots=True)
class Tracked:
    position: int
    attempt: Attempt
    timeline: tuple[Moment, ...]


class Upgrades(Projection[Tracked]):
    name = "upgrades"
    topics = topics_of(UpgradeEvent)
    state = Tracked

    def keys(self, recorded: Recorded) -> Iterable[str]:
        event = recorded.event
        assert isinstance(event, UpgradeEvent)
        return (event.upgrade_id,) if event.upgrade_id else ()

    def fold(self, key: str, state: Tracked | None, recorded: Recorded) -> Tracked | None:
        event = recorded.event
        if isinstance(event, UpgradeRequested):
            state, attempt = Tracked(recorded.position, Attempt(event), ()), Attempt(event)
        elif state is None:
            return None
        else:
            attempt = state.attempt.evolve(event)
        name = recorded.topic.partition(".")[0]
        moment = Moment(name, recorded.id, attempt.state, spoken_time(recorded.recorded_at))
        return Tracked(state.position, attempt, _with(state.timeline, moment))

    def view(self, tracked: Tracked) -> dict[str, Any]:
        """The body of `GET /api/nft/upgrades/{id}`."""
        moments = [msgspec.to_builtins(moment) for moment in tracked.timeline]
        return {**describe_attempt(tracked.attempt), "timeline": moments}

    def record(self, key: str, state: Tracked) -> dict[str, Any]:
        return {
            "upgrade_id": key,
            "pass_id": state.attempt.terms.pass_id,
            "position": state.position,
            "state_name": state.attempt.state,
            "view": self.view(state),
            "state": msgspec.json.encode(state).decode(),
        }


def _with(timeline: tuple[Moment, ...], moment: Moment) -> tuple[Moment, ...]:
    half = TIMELINE_MAX // 2
    if len(timeline) >= TIMELINE_MAX:
        timeline = timeline[:half] + timeline[half + 1 :]
    return (*timeline, moment)
