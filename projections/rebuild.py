"""Builds a projection anew from position 0 beside the live one, and puts it in its place.

The new rows grow in a schema of their own, so a rebuild that stops goes on where it was. The swap
is one short transaction that holds the row of the live position: the live runner waits for it, then
finds its position or version changed and goes on from the new one. Reads never stop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg
import stamina
from psycopg import AsyncConnection

from ledger.codec import Recorded
from ledger.ledger import Ledger
from ledger.statements import named_statements
from projections.batch import apply
from projections.projection import Projection
from projections.tables import connect, set_up

SQL = named_statements(Path(__file__).with_suffix(".sql"))
PAGE = 5_000
SWAP_TRIES = 20
TABLES = ("mega_customers", "mega_admin")
Progress = Callable[[int, int], None]
# Reads a topic anew; its module is above this one.
OfTopic = Callable[[Progress, asyncio.Event], Awaitable["Rebuilt"]]


class RebuildRunning(Exception):
    """Somebody else is rebuilding this projection at the moment."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """`done`: the new rows are live, as of `position`. Otherwise it stopped there and can go on."""

    name: str
    position: int
    done: bool


def shadow_of(projection: Projection[Any]) -> str:
    """The schema in which a projection is rebuilt."""
    return f"rebuild_{projection.name}"


class Rebuild:
    """One rebuild of one projection; `cancelled` stops it between two pages, its work is kept.

    `progress` is called after each page with the position reached and the head of the ledger.
    """

    def __init__(
        self,
        url: str,
        ledger: Ledger,
        projection: Projection[Any],
        *,
        page: int = PAGE,
        progress: Progress = lambda done, total: None,
        cancelled: asyncio.Event | None = None,
    ) -> None:
        self._url, self._ledger, self.projection = url, ledger, projection
        self._page, self._progress = page, progress
        self._cancelled = cancelled or asyncio.Event()

    def cancel(self) -> None:
        self._cancelled.set()

    async def run(self, *, fresh: bool = False) -> Rebuilt:
        """Goes on from an earlier attempt, unless `fresh`. Raises RebuildRunning."""
        async with await connect(self._url, shadow_of(self.projection)) as connection:
            position = await self._prepare(connection, fresh=fresh)
            position = await self._fill(connection, position)
            done = not self._cancelled.is_set()
            if done:
                await connection.execute(SQL["measure"])
                position = await self._swap(connection, position)
        return Rebuilt(self.projection.name, position, done)

    async def _prepare(self, connection: AsyncConnection, *, fresh: bool) -> int:
        """Opens the shadow; returns the position it has reached."""
        names = {"name": self.projection.name, "shadow": shadow_of(self.projection)}
        row = await (await connection.execute(SQL["claim"], names)).fetchone()
        if not row or not row[0]:
            raise RebuildRunning(self.projection.name)
        await connection.execute(SQL["aim"], names)
        if fresh:
            await connection.execute(SQL["discard"])
        await connection.execute(SQL["open"])
        version, position = await set_up(connection, self.projection)
        if version == self.projection.version:
            return position
        return await self._prepare(connection, fresh=True)

    async def _fill(self, connection: AsyncConnection, position: int) -> int:
        """Pages up to the head of the ledger; the next one is fetched while one is written."""
        head, _ = await self._ledger.head()
        coming = self._fetch(position, head)
        try:
            while position < head and not self._cancelled.is_set():
                last, page = await coming
                if last == head:
                    head, _ = await self._ledger.head()
                coming = self._fetch(last, head)
                await apply(connection, self.projection, page, after=position, last=last)
                position = last
                self._progress(position, head)
        finally:
            coming.cancel()
        return position

    def _fetch(self, after: int, head: int) -> asyncio.Task[tuple[int, list[Recorded]]]:
        async def fetched() -> tuple[int, list[Recorded]]:
            last = min(after + self._page, head)
            return last, await self._window(after, last)

        return asyncio.create_task(fetched())

    async def _window(self, after: int, last: int) -> list[Recorded]:
        return await self._ledger.window(after, last, sorted(self.projection.topics))

    @stamina.retry(on=psycopg.errors.LockNotAvailable, attempts=SWAP_TRIES, timeout=60.0)
    async def _swap(self, connection: AsyncConnection, position: int) -> int:
        """Never behind what readers have seen: what is missing is applied under the lock."""
        async with connection.transaction():
            await connection.execute(SQL["hurry"])
            place = {"name": self.projection.name, "version": self.projection.version}
            await connection.execute(SQL["register"], place)
            row = await (await connection.execute(SQL["hold"], place)).fetchone()
            seen: int = row[0] if row else 0
            if seen > position:
                page = await self._window(position, seen)
                await apply(connection, self.projection, page, after=position, last=seen)
                position = seen
            await connection.execute(SQL["swap"])
        return position


@dataclass(frozen=True, slots=True)
class RebuiltAll:
    """`left` names what was not reached; `tables` has the rows of those the database folds."""

    projections: tuple[Rebuilt, ...]
    tables: Mapping[str, int]
    left: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        return not self.left


async def rebuild_all(
    url: str,
    ledger: Ledger,
    projections: Sequence[Projection[Any]],
    *,
    topics: Mapping[str, OfTopic] = MappingProxyType({}),
    tables: Sequence[str] = TABLES,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
    cancelled: asyncio.Event | None = None,
    fresh: bool = False,
) -> RebuiltAll:
    """Read models of the ledger, those of `topics` by name, then `tables`, which the database folds
    itself, each in one transaction."""
    cancelled = cancelled or asyncio.Event()
    names = (*(projection.name for projection in projections), *topics, *tables)
    rebuilt: list[Rebuilt] = []

    def of_ledger(projection: Projection[Any]) -> OfTopic:
        return lambda report, stop: Rebuild(
            url, ledger, projection, progress=report, cancelled=stop
        ).run(fresh=fresh)

    work = {projection.name: of_ledger(projection) for projection in projections}
    for name, rebuild in (work | dict(topics)).items():
        rebuilt.append(await rebuild(partial(progress, name), cancelled))
        if cancelled.is_set():
            finished = sum(each.done for each in rebuilt)
            return RebuiltAll(tuple(rebuilt), {}, names[finished:])
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        counts = {name: await _count(connection, name) for name in tables}
    return RebuiltAll(tuple(rebuilt), counts)


async def _count(connection: AsyncConnection, table: str) -> int:
    row = await (await connection.execute(SQL[table])).fetchone()
    return int(row[0]) if row else 0
