"""feed: what passes are told as it happens, one row a live event, by the position that caused it.

One projection for all kinds of streams, so that rows appear in the order of their positions and a
reader who has seen one has missed none before it. Beside them stands how things are now, by which
a reader who was away for too long starts afresh (`decisions.md` C27, `contract.md` §6).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from ledger.codec import Recorded
from projections.announcer import Announcer
from projections.announcers import all_announcers
from projections.projection import Projection

RESUMABLE = timedelta(hours=24)
"""How long after an event a reader may still go on from it."""
SLACK = timedelta(minutes=10)
"""Rows stay a little longer, so that whoever was just let in still finds what comes next."""


@dataclass(frozen=True, slots=True)
class Known:
    """One character, order, batch or the like, as of `position`."""

    announcer: Announcer[Any]
    position: int
    state: Any


class Feed(Projection[Known]):
    name = "feed"
    version = 2
    kept = RESUMABLE + SLACK
    topics = frozenset().union(*(one.topics for one in all_announcers()))
    state = Any

    def __init__(self) -> None:
        super().__init__()
        announcers = all_announcers()
        self._by_topic = {topic: one for one in announcers for topic in one.topics}
        self._by_kind = {one.kind: (one, msgspec.json.Decoder(one.state)) for one in announcers}

    def keys(self, recorded: Recorded) -> Iterable[str]:
        announcer = self._announcer(recorded)
        return (f"{announcer.kind}:{announcer.key(recorded.event)}",)

    def fold(self, key: str, state: Known | None, recorded: Recorded) -> Known:
        announcer = self._announcer(recorded)
        after = announcer.fold(state.state if state else None, recorded)
        return Known(announcer, recorded.position, after)

    def emit(
        self, key: str, before: Known | None, after: Known | None, recorded: Recorded
    ) -> Iterable[dict[str, Any]]:
        assert after is not None
        announcer, was = after.announcer, before.state if before else None
        told = announcer.tell(was, after.state, recorded)
        if told is None:
            return ()
        kind, data = told
        about = {"position": recorded.position, "pass_id": announcer.owner(after.state)}
        return ({**about, "type": kind, "time": recorded.recorded_at.isoformat(), "data": data},)

    def record(self, key: str, state: Known) -> dict[str, Any]:
        return {
            "key": key,
            "kind": state.announcer.kind,
            "pass_id": state.announcer.owner(state.state),
            "position": state.position,
            "shown": state.announcer.show(state.state),
            "state": msgspec.json.encode(state.state).decode(),
        }

    def revive(self, text: str) -> Known:
        kind, _, state = text.partition(" ")
        announcer, decoder = self._by_kind[kind]
        return Known(announcer, 0, decoder.decode(state))  # its position comes with the next event

    def _announcer(self, recorded: Recorded) -> Announcer[Any]:
        return self._by_topic[recorded.event.TOPIC]
