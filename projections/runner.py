"""Keeps projections up to date: one leader each, pages in order, a short poll when idle.

A leader holds a session advisory lock, so a process that dies hands over at once. A projection
whose version is new is rebuilt beside the old one (`rebuild.py`) before it is led.
"""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import structlog
from psycopg import AsyncConnection

from ledger.errors import LedgerUnavailable
from ledger.ledger import Ledger
from projections.batch import SQL, LeadLost, apply
from projections.head import Head
from projections.projection import Projection
from projections.rebuild import Rebuild, RebuildRunning
from projections.tables import LIVE, connect, set_up, standing

__all__ = ["LIVE", "Runner", "connect", "set_up", "standing"]
PAGE = 1_000
ELECTION_S = 0.5
OUTDATED_S = 5.0

# Somebody dropped the tables under us: they are made again and filled from the ledger.
DROPPED = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)

log = structlog.get_logger()


class Runner:
    """Runs one projection for as long as this process lives; `stop` ends it between two pages.
    Those of one process share a `head`."""

    def __init__(
        self,
        url: str,
        ledger: Ledger,
        projection: Projection[Any],
        *,
        page: int = PAGE,
        head: Head | None = None,
    ) -> None:
        self._url, self._ledger, self.projection = url, ledger, projection
        self._page, self._head = page, head or Head(ledger)
        self._stop = asyncio.Event()

    def stop(self) -> None:
        self._stop.set()
        self._head.wake()

    async def run(self) -> None:
        while not self._stop.is_set():
            try:
                async with await connect(self._url, LIVE) as connection:
                    await self._lead(connection)
            except LeadLost:
                log.info("projection_moved", projection=self.projection.name)
            except (psycopg.OperationalError, LedgerUnavailable, *DROPPED) as down:
                log.warning("projection_waits", projection=self.projection.name, why=str(down))
                await self._pause(ELECTION_S)

    async def catch_up(self, connection: AsyncConnection, position: int) -> int:
        """Applies what there is beyond `position`; returns the new position."""
        head, _ = await self._ledger.head()
        while position < head and not self._stop.is_set():
            last = min(position + self._page, head)
            topics = sorted(self.projection.topics)
            page = await self._ledger.window(position, last, topics)
            await apply(connection, self.projection, page, after=position, last=last)
            position = last
        return position

    async def _lead(self, connection: AsyncConnection) -> None:
        version, _ = await set_up(connection, self.projection)
        if version < self.projection.version:
            await self._renew()
        if not await self._elected(connection):
            return
        version, position = await standing(connection, self.projection)
        if version != self.projection.version:
            # A newer program took over, or its rebuild is not through: its rows are not ours.
            log.info("projection_outdated", projection=self.projection.name, version=version)
            await connection.execute(SQL["step_down"])
            await self._pause(OUTDATED_S)
            return
        while not self._stop.is_set():
            position = await self.catch_up(connection, position)
            await self._head.beyond(position, self._stop)

    async def _renew(self) -> None:
        log.info("projection_rebuild", projection=self.projection.name)
        try:
            await Rebuild(self._url, self._ledger, self.projection, cancelled=self._stop).run()
        except RebuildRunning:
            await self._pause(ELECTION_S)

    async def _elected(self, connection: AsyncConnection) -> bool:
        while not self._stop.is_set():
            values = {"name": self.projection.name}
            row = await (await connection.execute(SQL["lead"], values)).fetchone()
            if row and row[0]:
                return True
            await self._pause(ELECTION_S)
        return False

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return
