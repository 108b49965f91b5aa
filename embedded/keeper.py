"""Keeps one part alive: prepared, started, watched, started again, stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic

import structlog

from embedded.parts.part import Part
from embedded.place import Place, WorldError
from embedded.process import Process

log = structlog.get_logger()

FIRST_TRIES = 3
PAUSE_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
CALM_S = 30.0  # after this long without a crash the next pause is the shortest again
LOOK_EVERY_S = 0.05


class NotWell(Exception):
    """A part ended, or did not become healthy in time."""


class Keeper:
    """`settings` is asked at every start, because later parts add to it."""

    def __init__(
        self,
        part: Part,
        place: Place,
        settings: Callable[[], Mapping[str, str]],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.part = part
        self.restarts = 0
        self._place = place
        self._settings = settings
        self._changed = changed
        self._process: Process | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.running else None

    async def start(self) -> None:
        """Up and healthy at return; after a few failures a WorldError that names the log."""
        self._stopping = False
        for pause_s in PAUSE_S[: FIRST_TRIES - 1]:
            try:
                return await self._start_once()
            except NotWell as reason:
                log.warning("part_not_up", part=self.part.name, reason=str(reason))
                await asyncio.sleep(pause_s)
        try:
            await self._start_once()
        except NotWell as reason:
            where = self._place.log(self.part.name)
            raise WorldError(f"{self.part.name} {reason}; see {where}.") from None

    async def _start_once(self) -> None:
        await self.part.prepare()
        command = self.part.command(self._settings())
        process = await Process.spawn(
            self.part.name,
            command,
            self._place.log(self.part.name),
            self._place.pids,
            self.part.stop_signal,
        )
        self._process = process
        try:
            await self._until_healthy(process)
            await self.part.furnish()
        except BaseException:
            await process.stop(self.part.stop_patience_s)
            raise
        self._changed()

    async def _until_healthy(self, process: Process) -> None:
        deadline = monotonic() + self.part.start_patience_s
        while not await self.part.healthy():
            if not process.running:
                raise NotWell(f"ended with status {await process.wait()}")
            if monotonic() > deadline:
                raise NotWell(f"was not healthy after {self.part.start_patience_s:.0f} s")
            await asyncio.sleep(LOOK_EVERY_S)

    async def keep(self) -> None:
        """Start the part again whenever it ends, with growing pauses, until `stop`."""
        crashes = 0
        while True:
            assert self._process is not None
            began = monotonic()
            status = await self._process.wait()
            if self._stopping:
                return
            crashes = 0 if monotonic() - began > CALM_S else crashes + 1
            pause_s = PAUSE_S[min(crashes, len(PAUSE_S) - 1)]
            self.restarts += 1
            log.warning("part_ended", part=self.part.name, status=status, restart_in_s=pause_s)
            self._changed()
            await asyncio.sleep(pause_s)
            await self._again()

    async def _again(self) -> None:
        try:
            await self._start_once()
        except (NotWell, WorldError) as reason:
            log.warning("part_not_up", part=self.part.name, reason=str(reason))

    async def stop(self) -> None:
        self._stopping = True
        if self._process is not None:
            await self._process.stop(self.part.stop_patience_s)

    def kill(self) -> None:
        """End the process as a crash would; `keep`, if it watches, starts it again."""
        if self._process is not None:
            self._process.kill()
