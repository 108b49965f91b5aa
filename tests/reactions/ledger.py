"""A ledger in memory, for the desk of a reaction: the two calls that commands make of it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from commands.command import Command, look
from domain.event import Event
from ledger.errors import StreamConflict
from ledger.rows import Stream
from tests.spec import NOON


class MemoryLedger:
    """`now` is moved by the test; `before` is asked at every call, and may end the process."""

    def __init__(self, before=lambda what: None):
        self.history: list[Event] = []
        self.now: datetime = NOON
        self._streams: defaultdict[str, list[Event]] = defaultdict(list)
        self._before = before

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def streams(self, names):
        self._before("look")
        return {name: Stream(list(self._streams[name]), len(self.history)) for name in names}

    async def append(self, rows, *, pass_id=None):
        self._before("append")
        for row in rows:
            if row.version != len(self._streams[row.stream]) + 1:
                raise StreamConflict(row.stream)
            self._streams[row.stream].append(row.event)
            self.history.append(row.event)
        self._before("appended")
        return len(self.history)

    def put(self, events) -> None:
        for event in events:
            self._streams[event.stream].append(event)
            self.history.append(event)

    async def seen(self, command: Command):
        return await look(self, command)
