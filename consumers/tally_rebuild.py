"""Reads a topic from its beginning into tables beside the live ones, and puts them in their place.

Beside a living reader the rebuild goes as far as that one has come and no further: which of two
contradicting messages was first, the living one decides. It ends under the lock of the live
offsets, so readers never see less than before. Without a reader it goes to the end of the topic,
and none begins meanwhile.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import psycopg
import stamina
from psycopg import AsyncConnection

from consumers.producer import Publisher
from consumers.tally_page import Pages, begin
from consumers.topic_reader import Read, TopicReader, reading
from projections import topical
from projections.batch import SQL as LEADING
from projections.rebuild import SQL, SWAP_TRIES, Progress, RebuildRunning, Rebuilt
from projections.tables import connect
from projections.topical import TopicProjection

Records = dict[int, list[Any]]


class TallyRebuild:
    """One rebuild of one projection; `cancelled` stops it between two pages, nothing is kept.

    `progress` is called after each page with the messages read and those there are.
    """

    def __init__(
        self,
        url: str,
        bootstrap: Sequence[str],
        prefix: str,
        projection: TopicProjection[Any],
        *,
        progress: Progress = lambda done, total: None,
        cancelled: asyncio.Event | None = None,
    ) -> None:
        self._url, self._bootstrap, self._prefix = url, bootstrap, prefix
        self.projection = projection
        self._progress = progress
        self._cancelled = cancelled or asyncio.Event()
        self._publisher = Publisher(bootstrap, prefix)
        self._pages = Pages(projection, self._publisher)
        self._at: dict[int, int] = {}
        self._read: dict[int, int] = {}
        self._ahead: Records = {}
        self._coming: asyncio.Task[Read] | None = None
        self._passed: dict[tuple[int, int], Any] = {}

    async def run(self) -> Rebuilt:
        """Raises RebuildRunning, KafkaErrors and what the database raises."""
        name = self.projection.name
        try:
            async with await connect(self._url, f"rebuild_{name}") as connection:
                alone = await self._prepare(connection)
                async with reading(self._bootstrap, self._prefix, self.projection.topic) as reader:
                    try:
                        await self._begin(connection, reader)
                        await self._fill(connection, reader, alone=alone)
                        if not self._cancelled.is_set():
                            await connection.execute(SQL["measure"])
                            await self._swap(connection, reader)
                    finally:
                        await self._end_reading()
        finally:
            await self._publisher.close()
        return Rebuilt(name, sum(self._at.values()), not self._cancelled.is_set())

    async def _prepare(self, connection: AsyncConnection) -> bool:
        """Empty tables in a schema of their own; whether nobody leads, and nobody will."""
        name = self.projection.name
        names = {"name": name, "shadow": f"rebuild_{name}"}
        row = await (await connection.execute(SQL["claim"], names)).fetchone()
        if not row or not row[0]:
            raise RebuildRunning(name)
        await connection.execute(SQL["aim"], names)
        await connection.execute(SQL["discard"])
        await connection.execute(SQL["open"])
        await topical.set_up(connection, self.projection)
        row = await (await connection.execute(LEADING["lead"], names)).fetchone()
        return bool(row and row[0])

    async def _begin(self, connection: AsyncConnection, reader: TopicReader) -> None:
        """Goes on where the rows are; what was read ahead is forgotten."""
        await self._end_reading()
        self._ahead = {}
        self._at = await begin(connection, self.projection, reader)
        self._coming = asyncio.create_task(reader.poll())

    async def _end_reading(self) -> None:
        if self._coming is not None:
            await asyncio.gather(self._coming, return_exceptions=True)
            self._coming = None

    async def _fill(self, connection: AsyncConnection, reader: TopicReader, *, alone: bool) -> None:
        while not self._cancelled.is_set():
            goal = await reader.ends()
            if not alone:
                goal = _reachable(await self._seen(connection, "places"), goal)
            if not self._behind(goal):
                return
            moved = True
            while moved and self._behind(goal) and not self._cancelled.is_set():
                moved = await self._page(connection, reader, goal)
                self._progress(sum(self._at.values()), sum(goal.values()))

    async def _seen(self, connection: AsyncConnection, statement: str) -> dict[int, int]:
        """How far the live rows are."""
        rows = await connection.execute(topical.SQL[statement], {"name": self.projection.name})
        return dict(await rows.fetchall())

    def _behind(self, goal: Mapping[int, int]) -> bool:
        return any(self._at.get(part, 0) < place for part, place in goal.items())

    async def _page(
        self, connection: AsyncConnection, reader: TopicReader, goal: Mapping[int, int]
    ) -> bool:
        """Takes what is read ahead and lies before `goal`; reads on when there is nothing.

        Whether there was something.
        """
        records = self._before(goal)
        if not records:
            assert self._coming is not None
            read = await self._coming
            if read.grown:
                await self._begin(connection, reader)
                return False
            self._coming = asyncio.create_task(reader.poll())
            self._read = dict(read.nexts)
            for part, found in read.records.items():
                self._ahead.setdefault(part, []).extend(found)
            records = self._before(goal)
        first = {part: left[0].offset for part, left in self._ahead.items() if left}
        nexts = {**self._read, **first}
        if not (steps := topical.steps(self._at, nexts, {})):
            return False
        async with connection.transaction():
            await topical.move(connection, self.projection, steps)
            passed = await self._pages.take(connection, records)
        self._passed.update({(each.partition, each.offset): each for each in passed})
        self._at = nexts
        return True

    def _before(self, goal: Mapping[int, int]) -> Records:
        """Removes what lies before `goal` from what is read ahead."""
        records: Records = {}
        for part, ahead in self._ahead.items():
            count = bisect_left(ahead, goal.get(part, 0), key=attrgetter("offset"))
            if count:
                records[part], self._ahead[part] = ahead[:count], ahead[count:]
        return records

    @stamina.retry(on=psycopg.errors.LockNotAvailable, attempts=SWAP_TRIES, timeout=60.0)
    async def _swap(self, connection: AsyncConnection, reader: TopicReader) -> None:
        """Never behind what readers have seen: what is missing is read under the lock."""
        try:
            async with connection.transaction():
                await connection.execute(SQL["hurry"])
                seen = await self._seen(connection, "hold_live")
                while self._behind(goal := _reachable(seen, await reader.ends())):
                    await self._page(connection, reader, goal)
                await self._settle(connection)
                await connection.execute(topical.SQL["hand_over"])
                await connection.execute(topical.SQL["let_go"])
                await connection.execute(SQL["swap"])
        except psycopg.errors.LockNotAvailable:
            await self._begin(connection, reader)
            raise

    async def _settle(self, connection: AsyncConnection) -> None:
        """What was parked when it was passed over, and has been replayed since."""
        parked = await self._pages.still_parked(connection)
        freed = [record for place, record in self._passed.items() if place not in parked]
        await self._pages.settle(connection, freed)


def _reachable(wanted: Mapping[int, int], ends: Mapping[int, int]) -> dict[int, int]:
    """A topic that was made anew ends before what was seen of the old one."""
    return {part: min(place, ends.get(part, 0)) for part, place in wanted.items()}
