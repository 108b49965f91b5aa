"""passes: who each pass is, and which names lead to it; ended sessions, so that they stay ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from domain.passes import Pass, PassEvent
from ledger.codec import Recorded
from projections.projection import Projection
from projections.topics import topics_of


@dataclass(frozen=True, slots=True)
class Known:
    changed: int
    known: Pass


class Passes(Projection[Known]):
    name = "passes"
    topics = topics_of(PassEvent)
    state = Known

    def keys(self, recorded: Recorded) -> Iterable[str]:
        event = recorded.event
        assert isinstance(event, PassEvent)
        return (event.pass_id,)

    def fold(self, key: str, state: Known | None, recorded: Recorded) -> Known:
        known = state or Known(recorded.position, Pass())
        return replace(known, changed=recorded.position, known=known.known.evolve(recorded.event))

    def record(self, key: str, state: Known) -> dict[str, Any]:
        return {
            "pass_id": key,
            "changed": state.changed,
            "survivor": state.known.survivor or None,
            "identities": list(state.known.identities),
            "absorbed": list(state.known.absorbed),
            "ended_sessions": sorted(state.known.ended),
            "state": msgspec.json.encode(state).decode(),
        }
