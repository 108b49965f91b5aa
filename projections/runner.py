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

from ledger.ledger import Ledger
from projections.batch import SQL, apply
from projections.projection import Projection

PAGE = 1_000
POLL_S = 0.02
ELECTION_S = 0.5
LIVE = "views"

log = structlog.get_logger()


async def connect(url: str, schema: str) -> AsyncConnection:
    """A connection whose unqualified names are those of `schema`, then of the ledger."""
    connection = await AsyncConnection.connect(url, autocommit=True)
    await connection.execute("SELECT set_config('search_path', %s, false)", (f"{schema}, public",))
    return connection


async def set_up(connection: AsyncConnection, projection: Projection[Any]) -> None:
    """Creates the tables of a projection in the connection's schema, unless they are there."""
    async with connection.transaction():
        await connection.execute(projection.sql["schema"])
        values = {"name": projection.name, "version": projection.version}
        await connection.execute(SQL["register"], values)


async def standing(connection: AsyncConnection, projection: Projection[Any]) -> tuple[int, int]:
    """(version, position) of a projection in the connection's schema."""
    row = await (await connection.execute(SQL["standing"], {"name": projection.name})).fetchone()
    assert row is not None
    return row[0], row[1]


class Runner:
    """Runs one projection for as long as this process lives; `stop` ends it between two pages."""

    def __init__(self, url: str, ledger: Ledger, projection: Projection[Any]) -> None:
        self._url, self._ledger, self.projection = url, ledger, projection
        self._stop = asyncio.Event()

    def stop(self) -> None:
        self._stop.set()

    async def run(self) -> None:
        while not self._stop.is_set():
            try:
                async with await connect(self._url, LIVE) as connection:
                    await self._lead(connection)
            except psycopg.OperationalError as down:
                log.warning("projection_waits", projection=self.projection.name, why=str(down))
                await self._pause(ELECTION_S)

    async def catch_up(self, connection: AsyncConnection, position: int) -> int:
        """Applies what there is beyond `position`; returns the new position."""
        head, _ = await self._ledger.head()
        while position < head and not self._stop.is_set():
            last = min(position + PAGE, head)
            topics = sorted(self.projection.topics)
            page = await self._ledger.window(position, last, topics)
            await apply(connection, self.projection, page, after=position, last=last)
            position = last
        return position

    async def _lead(self, connection: AsyncConnection) -> None:
        await set_up(connection, self.projection)
        while not self._stop.is_set():
            values = {"name": self.projection.name}
            row = await (await connection.execute(SQL["lead"], values)).fetchone()
            if row and row[0]:
                break
            await self._pause(ELECTION_S)
        _, position = await standing(connection, self.projection)
        while not self._stop.is_set():
            moved = await self.catch_up(connection, position)
            if moved == position:
                await self._pause(POLL_S)
            position = moved

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return
