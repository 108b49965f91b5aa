"""Whose an object is: its first event tells, never changes, and is remembered.

Asked of the ledger and not of a view, so that what was just recorded is already somebody's.
"""

from __future__ import annotations

from collections import OrderedDict

from domain.event import Event
from ledger.ledger import Ledger

REMEMBERED_MAX = 100_000


class Births:
    """The first event of each stream that was asked for."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: OrderedDict[str, Event] = OrderedDict()

    async def of(self, stream: str) -> Event | None:
        if stream not in self._known:
            events = (await self._ledger.streams([stream]))[stream].events
            if not events:
                return None
            self._known[stream] = events[0]
            if len(self._known) > REMEMBERED_MAX:
                self._known.popitem(last=False)
        return self._known[stream]
