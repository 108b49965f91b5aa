"""Commands over streams in memory: loaded, decided, kept, as `commands.command.handle` does it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

from commands.aggregates import initial
from commands.command import Command, Seen
from domain.event import Event
from tests.spec import NOON


class Memory:
    """`now` is moved by the test. A refused command changes nothing."""

    def __init__(self) -> None:
        self.streams: defaultdict[str, list[Event]] = defaultdict(list)
        self.history: list[Event] = []
        self.now: datetime = NOON
        self._folded: dict[str, tuple[int, Any]] = {}

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def do(self, command: Command) -> dict[str, Any]:
        """Its answer; raises its refusal. Decided a second time it must be silent."""
        seen = self.look(command)
        events = command.decide(seen, self.now)
        seen.evolve(events)
        for event in events:
            self.streams[event.stream].append(event)
        self.history += events
        return command.answer(seen, bool(events)).body

    def look(self, command: Command) -> Seen:
        seen = Seen()
        wanted = list(command.reads(seen))
        while wanted:
            for stream in wanted:
                seen.add(stream, self.streams[stream], 0)
            wanted = [name for name in command.reads(seen) if name not in seen]
        return seen

    def state(self, stream: str) -> Any:
        events = self.streams[stream]
        done, state = self._folded.get(stream, (0, initial(stream)))
        state = reduce(lambda known, event: known.evolve(event), events[done:], state)
        self._folded[stream] = (len(events), state)
        return state
