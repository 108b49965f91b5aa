"""Keeps the projections of topics up to date: one leader each, pages in order of their partitions.

A leader holds a session advisory lock, so a process that dies hands over at once. Offsets are kept
with the rows and move in one transaction with them: whatever is read twice counts once. Spec
`invariants.md` I-25 and I-28.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg
import stamina
import structlog
from kafka.errors import KafkaError
from psycopg import AsyncConnection

from consumers.gateways.ports import TryAgain
from consumers.lifetime import pause, until_stopped
from consumers.producer import Publisher
from consumers.tally_page import Pages, begin
from consumers.tally_rebuild import TallyRebuild
from consumers.topic_reader import Read, reading
from projections import topical
from projections.batch import SQL as LEADING
from projections.batch import LeadLost
from projections.rebuild import RebuildRunning
from projections.runner import DROPPED, ELECTION_S, OUTDATED_S
from projections.tables import LIVE, connect
from projections.topical import TopicProjection

RETRY_MAX_S = 2.0
GRACE_S = 5.0
AGAIN = (
    KafkaError,
    psycopg.OperationalError,
    psycopg.errors.UndefinedObject,
    *DROPPED,
    TryAgain,
    LeadLost,
    RebuildRunning,
)

log = structlog.get_logger()


class Tally:
    """`run` works until `stop`; several may run for one projection, one of them leads."""

    def __init__(
        self,
        database_url: str,
        bootstrap: Sequence[str],
        prefix: str,
        projection: TopicProjection[Any],
    ) -> None:
        self._url, self._bootstrap, self._prefix = database_url, bootstrap, prefix
        self._publisher = Publisher(bootstrap, prefix)
        self._pages = Pages(projection, self._publisher)
        self.projection = projection
        self._stop = asyncio.Event()
        self.leads = False

    def stop(self) -> None:
        """Ends `run` after the page in hand."""
        self._stop.set()

    async def run(self) -> None:
        try:
            await until_stopped(self._work(), self._stop, grace_s=GRACE_S)
        finally:
            await self._publisher.close()

    async def _work(self) -> None:
        while not self._stop.is_set():
            async for attempt in stamina.retry_context(
                on=AGAIN, attempts=None, timeout=None, wait_max=RETRY_MAX_S
            ):
                with attempt:
                    await self._session()

    async def _session(self) -> None:
        """Until the topic grows, the rows are no longer ours, or it is time to stop."""
        async with await connect(self._url, LIVE) as connection:
            if not await self._elected(connection):
                return
            version = await topical.set_up(connection, self.projection)
            if version > self.projection.version:
                log.info("projection_outdated", projection=self.projection.name, version=version)
                await connection.execute(LEADING["step_down"])
                await pause(self._stop, OUTDATED_S)
            elif version < self.projection.version:
                await self._renew()
            else:
                await self._lead(connection)

    async def _elected(self, connection: AsyncConnection) -> bool:
        name = {"name": self.projection.name}
        while not self._stop.is_set():
            row = await (await connection.execute(LEADING["lead"], name)).fetchone()
            if row and row[0]:
                return True
            await pause(self._stop, ELECTION_S)
        return False

    async def _renew(self) -> None:
        log.info("projection_rebuild", projection=self.projection.name)
        where = (self._url, self._bootstrap, self._prefix)
        await TallyRebuild(*where, self.projection, cancelled=self._stop).run()

    async def _lead(self, connection: AsyncConnection) -> None:
        projection = self.projection
        async with reading(self._bootstrap, self._prefix, projection.topic) as reader:
            at = await begin(connection, projection, reader)
            log.info("tally_leads", projection=projection.name, messages=sum(at.values()))
            self.leads = True
            coming = asyncio.create_task(reader.poll())
            try:
                while not self._stop.is_set():
                    read = await coming
                    if read.grown:
                        return
                    coming = asyncio.create_task(reader.poll())
                    at = await self._take(connection, at, read)
            finally:
                self.leads = False
                await asyncio.gather(coming, return_exceptions=True)

    async def _take(
        self, connection: AsyncConnection, at: dict[int, int], read: Read
    ) -> dict[int, int]:
        """Applies a page and what was asked for again; returns where it goes on."""
        await self._pages.replay(connection)
        steps = topical.steps(at, read.nexts, read.ends)
        if not steps:
            await topical.look(connection, self.projection, at)
            return at
        async with connection.transaction():
            await topical.move(connection, self.projection, steps)
            await self._pages.take(connection, read.records)
        return {**at, **read.nexts}
