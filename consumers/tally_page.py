"""One page of a topic into its projection: taken, or parked with its error and told.

A message that cannot be taken holds up no other. One that is parked already is passed over, so a
topic that is read again from its beginning gives the same rows and parks nothing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from psycopg import AsyncConnection

from consumers.intake import SQL as PARKING
from consumers.message import (
    KEY_BYTES_MAX,
    Notice,
    described,
    pack_headers,
    unpack_headers,
    unreadable,
)
from consumers.producer import Publisher
from consumers.topic_reader import TopicReader
from consumers.topics import PARKED
from ledger.statements import named_statements
from projections import topical
from projections.topical import Refusal, TopicProjection

SQL = named_statements(Path(__file__).with_suffix(".sql"))
REPLAY = 200
# Kept beside a parked message's own headers: an award has its place by it.
TIMESTAMP = "kafka_timestamp"

log = structlog.get_logger()


class Kept(NamedTuple):
    """A parked message, with what `TopicProjection.read` asks of a record."""

    partition: int
    offset: int
    timestamp: int
    key: bytes
    headers: tuple[tuple[str, bytes], ...]
    value: bytes | None


class Pages:
    """Takes in for one projection; the tables are those of the connection's schema."""

    def __init__(self, projection: TopicProjection[Any], publisher: Publisher) -> None:
        self._projection, self._publisher = projection, publisher
        self._name = {"reader": projection.reader, "topic": projection.topic}

    async def take(
        self, connection: AsyncConnection, records: Mapping[int, Sequence[Any]]
    ) -> list[Any]:
        """Within a transaction. Returns the records that were passed over: they are parked."""
        parked = await self._parked(connection, records)
        every = [record for of_part in records.values() for record in of_part]
        if not parked:
            await self.settle(connection, every)
            return []
        places = [(record.partition, record.offset) in parked for record in every]
        pairs = list(zip(every, places, strict=True))
        await self.settle(connection, [record for record, known in pairs if not known])
        return [record for record, known in pairs if known]

    async def settle(self, connection: AsyncConnection, records: Iterable[Any]) -> None:
        """Applies what can be applied and parks the rest."""
        refused = await self._apply(connection, records)
        if not refused:
            return
        async with connection.cursor() as cursor:
            await cursor.executemany(PARKING["park"], [self._row(each) for each in refused])
        await self._tell(refused)

    async def replay(self, connection: AsyncConnection) -> None:
        """Tries the parked messages again that an operator asked for."""
        due = {"reader": self._projection.reader, "limit": REPLAY}
        if not await (await connection.execute(PARKING["due_hints"], due)).fetchall():
            return
        name = {"name": self._projection.name}
        async with connection.transaction():
            await connection.execute(topical.SQL["hold"], name)  # a rebuild waits, or is through
            rows = await (await connection.execute(PARKING["due_hints"], due)).fetchall()
            kept = [_kept(*row) for row in rows]
            refused = await self._apply(connection, kept)
            failed = {each.record: each.error for each in refused}
            for record in kept:
                place = {**self._name, "part": record.partition, "place": record.offset}
                error = described(failed[record]) if record in failed else None
                statement = PARKING["failed_again" if error else "through"]
                await connection.execute(statement, {**place, "error": error})
            await self._tell(refused)
        log.info("messages_replayed", reader=due["reader"], tried=len(kept), failed=len(refused))

    async def still_parked(self, connection: AsyncConnection) -> set[tuple[int, int]]:
        """(partition, offset) of every message that waits."""
        rows = await connection.execute(SQL["still_parked"], self._name)
        return set(await rows.fetchall())

    async def _apply(self, connection: AsyncConnection, records: Iterable[Any]) -> list[Refusal]:
        readable, refused = [], []
        for record in records:
            if (undecoded := unreadable(record.headers)) is None:
                readable.append(record)
            else:
                refused.append(Refusal(record, undecoded))
        return refused + await topical.take(connection, self._projection, readable)

    async def _parked(
        self, connection: AsyncConnection, records: Mapping[int, Sequence[Any]]
    ) -> set[tuple[int, int]]:
        found = [of_part for of_part in records.values() if of_part]
        page = {
            "parts": [of_part[0].partition for of_part in found],
            "firsts": [of_part[0].offset for of_part in found],
            "lasts": [of_part[-1].offset for of_part in found],
        }
        rows = await connection.execute(SQL["parked"], {**self._name, **page})
        return set(await rows.fetchall())

    def _row(self, refused: Refusal) -> dict[str, Any]:
        record = refused.record
        headers = [(name, text or b"") for name, text in record.headers]
        headers.append((TIMESTAMP, str(record.timestamp).encode()))
        return {
            **self._name,
            "part": record.partition,
            "place": record.offset,
            "key": (record.key or b"")[:KEY_BYTES_MAX],
            "headers": pack_headers(tuple(headers)),
            "value": record.value,
            "error": described(refused.error),
        }

    async def _tell(self, refused: Sequence[Refusal]) -> None:
        """All at once: the messages behind them wait for the slowest acknowledgement only."""
        await asyncio.gather(*[self._tell_one(each) for each in refused])

    async def _tell_one(self, refused: Refusal) -> None:
        record, error = refused.record, described(refused.error)
        key = (record.key or b"")[:KEY_BYTES_MAX].decode(errors="replace")
        origin = f"{self._projection.topic}/{record.partition}/{record.offset}"
        log.warning("message_parked", origin=origin, reader=self._projection.reader, error=error)
        notice = Notice(origin=origin, reader=self._projection.reader, key=key, error=error)
        await self._publisher.publish(PARKED, notice.subject, asdict(notice), message_id=notice.id)


async def begin(
    connection: AsyncConnection, projection: TopicProjection[Any], reader: TopicReader
) -> dict[int, int]:
    """Starts the reader where the rows are; returns where that is."""
    ends = await reader.ends()
    at = await topical.register(connection, projection, ends)
    starts = await reader.start(at)
    if steps := topical.steps(at, starts, ends):
        async with connection.transaction():
            await topical.move(connection, projection, steps)
    return starts


def _kept(
    topic: str, part: int, place: int, key: bytes, headers: bytes, value: bytes | None, due: bool
) -> Kept:
    told = unpack_headers(bytes(headers))
    body = None if value is None else bytes(value)
    return Kept(part, place, int(dict(told)[TIMESTAMP]), bytes(key), told, body)
