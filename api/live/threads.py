"""A thread: what one generation tells, for whoever follows only that (`GET /mma/stream/{id}`).

What was said before is read from the ledger, so that it is whole however old it is; what comes is
heard from the hub like everything else. Both are the same messages under the same ids.
"""

from __future__ import annotations

from typing import NoReturn

import msgspec
import stamina

from api.live.messages import Message, message_of, topic_of
from api.live.subscription import FeedAway, Source
from api.principal import Principal
from domain.generation_events import generation_stream
from ledger.codec import Recorded
from ledger.errors import LedgerUnavailable
from ledger.ledger import Ledger
from projections.studio_announcers import GenerationMessages, Progress

_announcer = GenerationMessages()


class Thread(Source):
    """`feed` tells how far those who are live have been read to."""

    def __init__(self, ledger: Ledger, feed: Source, generation_id: str) -> None:
        self._ledger, self._feed = ledger, feed
        self._stream = generation_stream(generation_id)
        self.topic = topic_of(generation_id)

    @property
    def position(self) -> int:  # type: ignore[override]
        return self._feed.position

    async def over(self, after: int) -> bool:
        """Whether its last line is not after this position."""
        lines = [message for message in await self._told() if message.position <= after]
        return bool(lines and lines[-1].line and lines[-1].line.last)

    async def missed(
        self, names: tuple[str, ...], after: int, upto: int
    ) -> tuple[list[Message], bool]:
        try:
            told = await self._told()
        except LedgerUnavailable as down:
            raise FeedAway(str(down)) from down
        return [message for message in told if after < message.position <= upto], False

    async def afresh(self, who: Principal, why: str) -> NoReturn:
        raise AssertionError("a thread is whole, so nobody loses their way in it")

    @stamina.retry(on=LedgerUnavailable, attempts=6, timeout=15.0)
    async def _told(self) -> list[Message]:
        return lines_of(await self._ledger.history([self._stream]))


def lines_of(history: list[Recorded]) -> list[Message]:
    """All that a generation has told, by its own events."""
    state: Progress | None = None
    found = []
    for recorded in history:
        if recorded.event.TOPIC not in _announcer.topics:
            continue
        before, state = state, _announcer.fold(state, recorded)
        if said := _announcer.tell(before, state, recorded):
            type_, data = said
            about = (recorded.position, state.pass_id, type_, recorded.recorded_at)
            found.append(message_of(*about, msgspec.json.encode(data).decode()))
    return found
