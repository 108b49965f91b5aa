"""The end of the ledger, looked at once for all who wait for it to move."""

from __future__ import annotations

import asyncio

from ledger.ledger import Ledger

POLL_S = 0.02


class Head:
    """Looks every `POLL_S` seconds, while anybody waits."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._position = 0
        self._away: Exception | None = None
        self._news = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._waiting = 0

    async def beyond(self, position: int, stop: asyncio.Event) -> int:
        """The last position, once it is beyond this one; as it is when `stop` is set, of which
        `wake` has to tell. Raises what the look raised: LedgerUnavailable."""
        self._waiting += 1
        try:
            while self._position <= position and not stop.is_set():
                if self._looking is None or self._looking.done():
                    self._away, self._looking = None, asyncio.create_task(self._look())
                await self._news.wait()
                if self._away:
                    raise self._away
            return self._position
        finally:
            self._waiting -= 1

    def wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _look(self) -> None:
        while self._waiting:
            try:
                head, _ = await self._ledger.head()
            except Exception as away:  # noqa: BLE001 — raised again, by each who waits
                self._away = away
                self.wake()
                return
            if head > self._position:
                self._position = head
                self.wake()
            await asyncio.sleep(POLL_S)
