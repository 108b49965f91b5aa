"""The newest block: one question for all who ask at once, remembered when a node is down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

FRESH_S = 0.25
TIMEOUT_S = 0.5
LEFT_ALONE_S = 2.0


@dataclass(frozen=True, slots=True)
class Block:
    """`time` is the chain's clock in unix seconds."""

    number: int
    time: int


class ChainHead:
    """A node that did not answer is left alone for `LEFT_ALONE_S`, so that it slows nobody down."""

    def __init__(self, ask: Callable[[], Awaitable[Block | None]]) -> None:
        self._ask = ask
        self._asking: asyncio.Task[None] | None = None
        self._known = Block(0, 0)
        self._told_at = -FRESH_S
        self._silent_until = 0.0

    async def known(self) -> int:
        """The newest block that was ever told, 0 when none was; never ahead of the chain."""
        await self._refresh()
        return self._known.number

    async def live(self) -> Block | None:
        """The newest block now; None when the chain cannot be asked."""
        await self._refresh()
        return None if time.monotonic() < self._silent_until else self._known

    async def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._told_at < FRESH_S or now < self._silent_until:
            return
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._tell())
        await asyncio.shield(self._asking)

    async def _tell(self) -> None:
        try:
            told = await asyncio.wait_for(self._ask(), TIMEOUT_S)
        except TimeoutError:
            told = None
        if told is None:
            self._silent_until = time.monotonic() + LEFT_ALONE_S
        else:
            self._known, self._told_at = told, time.monotonic()
