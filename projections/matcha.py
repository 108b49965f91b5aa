"""matcha: what every pass has, with when somebody must look at it next.

`due_at` is when a lot or a hold ends by itself; null: nothing will. A pass that was merged away
keeps a row of noughts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from domain.matcha import MatchaAccount
from domain.matcha_events import MatchaEvent
from ledger.codec import Recorded
from projections.projection import Projection
from projections.topics import topics_of


@dataclass(frozen=True, slots=True)
class Drinker:
    """`position` is of the last event."""

    position: int
    account: MatchaAccount


class Matcha(Projection[Drinker]):
    name = "matcha"
    topics = topics_of(MatchaEvent)
    state = Drinker

    def keys(self, recorded: Recorded) -> Iterable[str]:
        event = recorded.event
        assert isinstance(event, MatchaEvent)
        return (event.pass_id,)

    def fold(self, key: str, state: Drinker | None, recorded: Recorded) -> Drinker:
        account = state.account if state else MatchaAccount()
        return Drinker(recorded.position, account.evolve(recorded.event))

    def record(self, key: str, state: Drinker) -> dict[str, Any]:
        account, due = state.account, state.account.next_deadline
        return {
            "pass_id": key,
            "position": state.position,
            "balance": account.balance,
            "held": account.held,
            "owed": account.owed,
            "due_at": due.isoformat() if due else None,
            "state": msgspec.json.encode(state).decode(),
        }
