"""levels: how every pass stands with its level token, with when somebody must look at it next.

`due_at`: when the chain should be asked, or a mint that is owed be tried; `pin_due_at`: when the
metadata should be stored. Null: nothing is due. This is the cache of seed 002: rows are refreshed
by events, one by one on request (`refresh.py`), all of them by a rebuild, and a missing row is read
from the ledger instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from domain.upgrade import Upgrade
from domain.upgrade_events import UpgradeEvent
from domain.upgrade_view import pin_due, watch_due
from ledger.codec import Recorded
from projections.projection import Projection
from projections.topics import topics_of


class RowMissing(Exception):
    """The row of a pass that has a history is gone: folded on from nothing it would be wrong."""


@dataclass(frozen=True, slots=True)
class Climb:
    """`position` and `changed_at` are of the last event."""

    position: int
    changed_at: datetime
    upgrade: Upgrade


class Levels(Projection[Climb]):
    name = "levels"
    topics = topics_of(UpgradeEvent)
    state = Climb

    def keys(self, recorded: Recorded) -> Iterable[str]:
        event = recorded.event
        assert isinstance(event, UpgradeEvent)
        return (event.pass_id,)

    def fold(self, key: str, state: Climb | None, recorded: Recorded) -> Climb:
        if state is None and recorded.version > 1:
            raise RowMissing(key)
        upgrade = (state.upgrade if state else Upgrade()).evolve(recorded.event)
        return Climb(recorded.position, recorded.recorded_at, upgrade)

    def record(self, key: str, state: Climb) -> dict[str, Any]:
        upgrade, since = state.upgrade, state.changed_at
        due, pin = watch_due(upgrade, since), pin_due(upgrade, since)
        return {
            "pass_id": key,
            "position": state.position,
            "changed_at": since.isoformat(),
            "level": upgrade.level,
            "mint": upgrade.token.mint if upgrade.token else None,
            "wallet": upgrade.token.owner if upgrade.token else None,
            "away": sorted(upgrade.away),
            "due_at": due.isoformat() if due else None,
            "pin_due_at": pin.isoformat() if pin else None,
            "state": msgspec.json.encode(state).decode(),
        }
