"""Finds payments and mints by their effect: every event of a source, reported or not.

One watcher of a source leads at a time. It reads the logs of new blocks and of the last few again,
in case a reorg exchanged them, and publishes each event twice a run as a hint: when it is new and
when it is deep enough to count. What it means is looked up by whoever takes the hint in.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import structlog
from psycopg import AsyncConnection

from consumers.evidence import depth
from consumers.gateways.ports import Failure
from consumers.reactions.payments import CHAIN_RESULTS
from consumers.reactions.promise import Publishes
from consumers.sightings import Sighting, Source
from ledger.statements import named_statements

SQL = named_statements(Path(__file__).with_suffix(".sql"))
BLOCKS_AT_ONCE = 500
ELECTION_S = 0.5
SEEN_MAX = 10_000

log = structlog.get_logger()


class Watcher:
    """As many blocks as make a payment count are read again each time, so that nothing becomes
    deep unseen; `poll_s` is the pause between two looks."""

    def __init__(
        self, url: str, source: Source, publisher: Publishes, *, confirmations: int, poll_s: float
    ) -> None:
        self._url, self._source, self._publisher = url, source, publisher
        self._confirmations, self._poll_s = confirmations, poll_s
        self._told: dict[tuple[str, bool], None] = {}
        self._stop = asyncio.Event()

    def stop(self) -> None:
        self._stop.set()

    async def run(self) -> None:
        while not self._stop.is_set():
            try:
                async with await AsyncConnection.connect(self._url, autocommit=True) as session:
                    await self._lead(session)
            except (psycopg.OperationalError, Failure) as down:
                log.warning("watcher_waits", why=str(down))
                await self._pause(ELECTION_S)

    async def _lead(self, session: AsyncConnection) -> None:
        source = self._source
        name = {"name": source.name, "topic": source.topic, "field": source.field}
        while not self._stop.is_set():
            row = await (await session.execute(SQL["lead"], name)).fetchone()
            if row and row[0]:
                break
            await self._pause(ELECTION_S)
        while not self._stop.is_set():
            kept = await (await session.execute(SQL["cursor"], name)).fetchone()
            reached = await self._look(kept[0] if kept else None)
            await session.execute(SQL["move"], {**name, "position": reached})
            await self._pause(self._poll_s)

    async def _look(self, known: int | None) -> int:
        """Reads on from block `known`; returns the last block read. A shorter chain starts over.

        Without a block to go on from there is no order yet, and it starts at the head.
        """
        head = await self._source.head()
        known = head.number if known is None else min(known, head.number)
        first = max(0, known - self._confirmations)
        last = min(head.number, first + self._confirmations + BLOCKS_AT_ONCE)
        for seen in await self._source.between(first, last):
            await self._tell(seen, deep=depth(head, seen.block_number) >= self._confirmations)
        return last

    async def _tell(self, seen: Sighting, *, deep: bool) -> None:
        if (seen.id, deep) in self._told:
            return
        id_ = f"{seen.id}:{deep:d}"
        await self._publisher.publish(CHAIN_RESULTS, seen.key, seen.value, message_id=id_)
        self._told[seen.id, deep] = None
        while len(self._told) > SEEN_MAX:
            self._told.pop(next(iter(self._told)))

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return
