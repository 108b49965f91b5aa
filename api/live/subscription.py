"""One listener: what it has heard, what waits for it, and how it catches up when that is too much.

It is live while a short queue holds all that it has not heard. When the queue overflows it is
dropped, and what is missing is read from the feed, from the listener's own place on, until there is
no more; the queue starts where that ends. So it costs others nothing, and loses nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

from api.live.messages import Message
from api.live.meters import Tally
from api.principal import Principal

QUEUE_MAX = 256
HEARD_MAX = 60
"""Messages that a client may send at once; one more a second. Nobody reads them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to go on: with what comes after `after`; `lost` says why that cannot be. The feed had
    `reached` this position when it was asked."""

    reached: int
    after: int
    lost: str = ""


class FeedAway(Exception):
    """The feed cannot be read, and was asked often enough."""


class Source(Protocol):
    """The feed; `position` is how far it was read for those who are live. Raises FeedAway."""

    position: int

    async def missed(
        self, names: tuple[str, ...], after: int, upto: int
    ) -> tuple[list[Message], bool]:
        """A page of what these passes were told between two positions, the first excluded; whether
        there may be more."""
        ...

    async def afresh(self, who: Principal, why: str) -> tuple[Message, Message]:
        """A reset and a snapshot, whose position is the place to go on from."""
        ...


class Subscription:
    """It hears what its pass is told, or only what is said about one `topic`.

    `closing` says why we end it; `blocked_at` since when the network has taken nothing from it;
    `cut` breaks the connection."""

    def __init__(
        self,
        source: Source,
        who: Principal,
        place: Place,
        tally: Tally,
        cut: Callable[[], None],
        topic: str = "",
    ) -> None:
        self.topic = topic
        self.who, self.lost, self.tally, self.cut = who, place.lost, tally, cut
        self.closing, self.left = "", False
        self.blocked_at: float | None = None
        self._source, self._place = source, place.after
        self._behind = place.after < source.position
        self._queue: deque[Message] = deque()
        self._fetched: deque[Message] = deque()
        self._woken = asyncio.Event()
        self._heard = 0

    @property
    def ears(self) -> tuple[str, ...]:
        """What it listens for: its passes, by all their names, or its one topic."""
        return (self.topic,) if self.topic else self.who.names

    # What others do to it.

    def offer(self, message: Message) -> None:
        """It happened; whoever is behind will find it in the feed."""
        if self._behind or message.position <= self._place:
            return
        if len(self._queue) >= QUEUE_MAX:
            self._queue.clear()
            self._behind = True
            self.tally.fell_behind()
        else:
            self._queue.append(message)
        self._woken.set()

    def lose(self, who: Principal, why: str) -> None:
        """What it has heard is not all that it should have: it starts afresh."""
        self.who, self.lost = who, why
        self._woken.set()

    def close(self, why: str) -> None:
        self.closing = self.closing or why
        self._woken.set()

    def leave(self) -> None:
        """The client has gone."""
        self.left = True
        self._woken.set()

    def hear(self) -> None:
        """The client said something."""
        self._heard += 1
        if self._heard > HEARD_MAX:
            self.close("flooding")

    def forgive(self) -> None:
        """A second has passed."""
        self._heard = max(0, self._heard - 1)

    # What it is told.

    async def told(self) -> AsyncIterator[Message]:
        """Everything from its place on, in order, each once, until it is closed."""
        while message := await self._next():
            self.blocked_at = time.monotonic()
            yield message
            self.blocked_at = None
            self.tally.sent()
        self.blocked_at = time.monotonic()  # a farewell may take its time, too

    async def _next(self) -> Message | None:
        while not (self.closing or self.left):
            if self._fetched:
                return self._fetched.popleft()
            if self.lost or self._behind:
                await self._look_up()
            elif self._queue:
                message = self._queue.popleft()
                self._place = message.position
                return message
            else:
                self._woken.clear()
                await self._woken.wait()
        return None

    async def _look_up(self) -> None:
        try:
            await (self._start_afresh() if self.lost else self._catch_up())
        except FeedAway:
            self.close("away")

    async def _catch_up(self) -> None:
        """From here on the queue takes what comes after `upto`; the page is all before that."""
        upto, self._behind = self._source.position, False
        page, more = await self._source.missed(self.who.names, self._place, upto)
        self._fetched.extend(page)
        if more:  # the page is not empty, then
            self._place = page[-1].position
            self._queue.clear()
            self._behind = True
        else:
            self._place = max(self._place, upto)

    async def _start_afresh(self) -> None:
        why, self.lost = self.lost, ""
        reset, snapshot = await self._source.afresh(self.who, why)
        self._fetched.extend((reset, snapshot))
        self._place = snapshot.position
        self._queue.clear()
        self._behind = self._place < self._source.position
