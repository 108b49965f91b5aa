"""Ledger out: every event of a published stream to its topic, at least once, in order per stream.

One relay leads, by a session advisory lock. It reads the ledger page by page, waits until Kafka
has acknowledged the whole page, and only then moves its cursor: a crash in between publishes a page
again, with the same ids and in the same order. Spec `ledger.md` (Kafka relay), `invariants.md`
I-25.

After any failure the producer is thrown away and the page begins anew. Whatever two producers then
interleave, each of them sends a stream from the same event onwards, so first appearances keep the
order of the stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import psycopg
import stamina
import structlog
from kafka import KafkaProducer
from kafka.errors import KafkaError
from psycopg import AsyncConnection

from consumers.lifetime import pause, until_stopped
from consumers.message import Notice, described
from consumers.producer import MESSAGE_BYTES_MAX, abandon, connect, send
from consumers.topics import (
    PARKED,
    Outgoing,
    create_missing,
    event_message,
    message,
    topic_of,
)
from ledger.errors import LedgerUnavailable
from ledger.ledger import Ledger
from ledger.statements import named_statements

SQL = named_statements(Path(__file__).with_suffix(".sql"))
PAGE = 2_000
POLL_S = 0.05
ELECTION_S = 0.5
RETRY_MAX_S = 2.0
GRACE_S = 5.0
# Above any outage a page may wait through: the producer itself keeps the order while it retries.
DELIVERY_MS = 60 * 60 * 1_000
OVERHEAD_BYTES = 4_096

T = TypeVar("T")
log = structlog.get_logger()


class Row(NamedTuple):
    """An event as the ledger has it; `data` and `metadata` are JSON, secrets sealed."""

    position: int
    stream: str
    version: int
    topic: str
    recorded_at: datetime
    data: str
    metadata: str


class Page(NamedTuple):
    """What becomes of a page: messages in order, and events that wait, with the error if any."""

    messages: list[Outgoing]
    waiting: list[tuple[Row, str | None]]


class LeadLost(Exception):
    """The cursor is not where this relay left it: another one leads now."""


class TooLarge(Exception):
    """The event is larger than a message may be."""


class Relay:
    """`run` works until `stop`; several may run, one of them leads."""

    def __init__(
        self, database_url: str, ledger: Ledger, bootstrap: Sequence[str], prefix: str
    ) -> None:
        self._url, self._ledger = database_url, ledger
        self._bootstrap, self._prefix = bootstrap, prefix
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="relay")
        self._producer: KafkaProducer | None = None
        self._stop = asyncio.Event()
        self.leads = False

    def stop(self) -> None:
        """Ends `run` after the page in hand, or without it when Kafka does not take it."""
        self._stop.set()

    async def run(self) -> None:
        try:
            await until_stopped(self._work(), self._stop, grace_s=GRACE_S)
        finally:
            self._thread.shutdown()

    async def _work(self) -> None:
        again = (KafkaError, psycopg.OperationalError, LedgerUnavailable, LeadLost)
        async for attempt in stamina.retry_context(
            on=again, attempts=None, timeout=None, wait_max=RETRY_MAX_S
        ):
            with attempt:
                await self._session()

    async def _session(self) -> None:
        async with await AsyncConnection.connect(self._url, autocommit=True) as connection:
            try:
                if await self._elected(connection):
                    await self._lead(connection)
            finally:
                self.leads = False
                if self._producer is not None:
                    # Not in the relay's thread, which may be waiting for this very producer.
                    await asyncio.to_thread(abandon, self._producer)
                    self._producer = None

    async def _elected(self, connection: AsyncConnection) -> bool:
        while not self._stop.is_set():
            row = await (await connection.execute(SQL["lead"])).fetchone()
            if row and row[0]:
                return True
            await pause(self._stop, ELECTION_S)
        return False

    async def _lead(self, connection: AsyncConnection) -> None:
        self._producer = await self._in_thread(self._connect)
        await connection.execute(SQL["register"])
        row = await (await connection.execute(SQL["standing"])).fetchone()
        assert row is not None
        position = row[0]
        self.leads = True
        log.info("relay_leads", position=position)
        while not self._stop.is_set():
            await self._replay(connection)
            head, _ = await self._ledger.head()
            if head == position:
                await pause(self._stop, POLL_S)
            else:
                position = await self._pass_on(connection, position, min(head, position + PAGE))

    async def _pass_on(self, connection: AsyncConnection, after: int, last: int) -> int:
        """Publishes what lies between two positions; the cursor moves once all is acknowledged."""
        rows = await _rows(connection, SQL["page"], {"after": after, "last": last})
        waiting = await (await connection.execute(SQL["waiting"])).fetchall()
        page = await self._in_thread(self._sort, rows, {stream for (stream,) in waiting})
        await self._in_thread(self._deliver, page.messages)
        async with connection.transaction():
            for row, error in page.waiting:
                values = {"position": row.position, "stream": row.stream, "error": error}
                await connection.execute(SQL["park"], values)
            moved = await connection.execute(SQL["advance"], {"after": after, "last": last})
            if moved.rowcount != 1:
                raise LeadLost()
        return last

    async def _replay(self, connection: AsyncConnection) -> None:
        """Publishes what waits and is due; of a stream that fails again nothing more."""
        rows = await _rows(connection, SQL["due"], {"limit": PAGE})
        if not rows:
            return
        page = await self._in_thread(self._sort, rows, set())
        await self._in_thread(self._deliver, page.messages)
        stuck = {row.position: error for row, error in page.waiting}
        through = [row.position for row in rows if row.position not in stuck]
        async with connection.transaction():
            await connection.execute(SQL["through"], {"positions": through})
            for position, error in stuck.items():
                if error is not None:
                    values = {"position": position, "error": error}
                    await connection.execute(SQL["failed_again"], values)
        log.info("relay_replayed", events=len(through), failed=len(stuck))

    # The thread in which kafka-python lives.

    def _connect(self) -> KafkaProducer:
        create_missing(self._bootstrap, self._prefix)
        return connect(self._bootstrap, delivery_ms=DELIVERY_MS)

    def _sort(self, rows: Sequence[Row], waiting: set[str]) -> Page:
        """Rows to messages. A row that fails makes its stream wait and is told on mega.parked."""
        page = Page([], [])
        for row in rows:
            if topic_of(row.stream) is None:
                continue
            if row.stream in waiting:
                page.waiting.append((row, None))
                continue
            try:
                page.messages.append(self._message(row))
            except Exception as poison:  # noqa: BLE001 — parked with its error, and told
                error = described(poison)
                log.error("event_parked", position=row.position, stream=row.stream, error=error)
                waiting.add(row.stream)
                page.waiting.append((row, error))
                page.messages.append(self._notice(row, error))
        return page

    def _message(self, row: Row) -> Outgoing:
        outgoing = event_message(self._prefix, **row._asdict())
        if len(outgoing.value) > MESSAGE_BYTES_MAX - OVERHEAD_BYTES:
            raise TooLarge(f"{len(outgoing.value)} bytes")
        return outgoing

    def _notice(self, row: Row, error: str) -> Outgoing:
        origin = f"{row.stream}/{row.version}"
        notice = Notice(origin=origin, reader="relay", key=row.stream, error=error)
        return message(self._prefix, PARKED, row.stream, asdict(notice), message_id=notice.id)

    def _deliver(self, messages: Sequence[Outgoing]) -> None:
        """Returns once every message is acknowledged; raises a KafkaError as soon as one is not."""
        assert self._producer is not None
        sent = [send(self._producer, outgoing) for outgoing in messages]
        self._producer.flush()
        for acknowledgement in sent:
            acknowledgement.get(timeout=0)

    def _in_thread(self, call: Callable[..., T], *values: Any) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, call, *values)


async def _rows(connection: AsyncConnection, statement: Any, values: dict[str, Any]) -> list[Row]:
    found = await (await connection.execute(statement, values)).fetchall()
    return [Row(*row) for row in found]
