"""Starts parts and errands as soon as what they need is there; stops them in reverse order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from embedded.keeper import Keeper


@dataclass(frozen=True)
class Errand:
    """Something done once on the way up, such as migrating the database."""

    name: str
    needs: tuple[str, ...]
    run: Callable[[], Awaitable[None]]


class Progress(Protocol):
    """Told what happens on the way up and down; prints it for a person."""

    def begun(self, name: str) -> None: ...

    def ready(self, name: str, took_s: float, where: str) -> None: ...

    def stopping(self, name: str) -> None: ...


class Supervisor:
    def __init__(
        self, keepers: Iterable[Keeper], errands: Iterable[Errand], progress: Progress
    ) -> None:
        self._keepers = {keeper.part.name: keeper for keeper in keepers}
        self._errands = {errand.name: errand for errand in errands}
        self._progress = progress
        self._ready = {name: asyncio.Event() for name in (*self._keepers, *self._errands)}
        self._started: list[Keeper] = []
        self._watches: list[asyncio.Task[None]] = []

    async def run(self, stop: asyncio.Event, up: Callable[[], None]) -> None:
        """Bring everything up, call `up`, keep it up until `stop` is set, bring it down."""
        try:
            bringing_up = asyncio.create_task(self._bring_all_up())
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({bringing_up, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if bringing_up.done():
                bringing_up.result()
                up()
                await stopped
            await _cancel(bringing_up, stopped)
        finally:
            await self._bring_all_down()

    async def _bring_all_up(self) -> None:
        async with asyncio.TaskGroup() as group:
            for keeper in self._keepers.values():
                group.create_task(self._bring_up(keeper))
            for errand in self._errands.values():
                group.create_task(self._do(errand))

    async def _bring_up(self, keeper: Keeper) -> None:
        part = keeper.part
        began = await self._begin(part.name, part.needs)
        self._started.append(keeper)
        await keeper.start()
        self._watches.append(asyncio.create_task(keeper.keep()))
        self._progress.ready(part.name, monotonic() - began, part.where())
        self._ready[part.name].set()

    async def _do(self, errand: Errand) -> None:
        began = await self._begin(errand.name, errand.needs)
        await errand.run()
        self._progress.ready(errand.name, monotonic() - began, "")
        self._ready[errand.name].set()

    async def _begin(self, name: str, needs: tuple[str, ...]) -> float:
        """Wait for what is needed; what is replaced by a real service is not waited for."""
        for need in needs:
            if need in self._ready:
                await self._ready[need].wait()
        self._progress.begun(name)
        return monotonic()

    async def _bring_all_down(self) -> None:
        await _cancel(*self._watches)
        for keeper in reversed(self._started):
            self._progress.stopping(keeper.part.name)
            await keeper.stop()


async def _cancel(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
