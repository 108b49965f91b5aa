"""Which aggregate a stream folds into, by the word before its first colon."""

from __future__ import annotations

from typing import Any, Protocol

from domain.admin import AdminCall
from domain.character import Character
from domain.claim import Claim
from domain.event import Event
from domain.minter import Minter
from domain.order import Order
from domain.passes import Pass


class Aggregate(Protocol):
    def evolve(self, event: Event) -> Any: ...


_initial: dict[str, Aggregate] = {
    "order": Order(),
    "character": Character(),
    "pass": Pass(),
    "minter": Minter(),
    "admin_audit": AdminCall(),
    "claim": Claim(),
    "key": Claim(),
    "inbox": Claim(),
}


def initial(stream: str) -> Aggregate:
    """The aggregate before its first event."""
    return _initial[stream.partition(":")[0]]
