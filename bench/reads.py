"""Rows of the table about reading: replay, loading, projecting, and what a larger ledger costs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import psycopg
import uvloop
from psycopg import AsyncConnection

from bench.fill import fill
from bench.measure import Measurement, alone, paired
from bench.samples import stream_of
from bench.writes import MASTER_KEY, append_one, in_flight
from domain.order import Order
from ledger.ledger import SQL, Ledger
from ledger.sync import SyncLedger
from projections.characters import Characters
from projections.runner import LIVE, Runner, connect, set_up
from tests.world import Database

PAGE = 2_000
LOADS = 200
AGGREGATE = 1_000


def rows(database: Database, events: int, seconds: float) -> Iterator[Measurement]:
    yield from growth(database, events, seconds)
    head = head_of(database.admin_url)
    span = min(head, 100_000)
    yield paired(
        "replay to typed events",
        partial(run, replay, database.url, span),
        partial(run, raw_replay, database.url, span),
        ratio_to="raw fetch of the same rows",
        unit="events/s",
        target=0.3,
    )
    stream = long_stream(database.url)
    yield paired(
        f"load an aggregate of {AGGREGATE:,} events",
        partial(run, load, database.url, stream),
        partial(run, raw_load, database.url, stream),
        ratio_to="raw fetch of the same rows",
        unit="loads/s",
        target=5.0,
        slower=True,
    )
    rate = run(project, database.url, span)
    yield alone(
        "batch projection into a table", rate, unit="events/s", target=20_000, at_most=False
    )


def growth(database: Database, events: int, seconds: float) -> Iterator[Measurement]:
    """The append at ten times and a hundred times the rows, against the smallest in this run."""
    append = partial(in_flight, database.url, append_one, 64, seconds)
    fill(database.url, events // 100)
    small = append()
    for size in (events // 10, events):
        fill(database.url, size - head_of(database.admin_url))
        rate = append()
        yield Measurement(
            name=f"async append at {size:,} events",
            value=rate,
            unit="per s",
            ratio_to=f"the same at {events // 100:,}",
            ratio=rate / small,
            runs=1,
            target=0.8,
            at_most=False,
        )


def run(work: Any, *values: Any) -> float:
    return float(uvloop.run(work(*values)))


async def replay(url: str, span: int) -> float:
    async with Ledger(url, master_key=MASTER_KEY) as ledger:
        start = time.perf_counter()
        for after in range(0, span, PAGE):
            await ledger.page(after, PAGE)
        return span / (time.perf_counter() - start)


async def raw_replay(url: str, span: int) -> float:
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        start = time.perf_counter()
        for after in range(0, span, PAGE):
            cursor = await connection.execute(SQL["page"], (after, PAGE), prepare=True)
            await cursor.fetchall()
        return span / (time.perf_counter() - start)


def long_stream(url: str) -> str:
    events = list(stream_of(AGGREGATE))
    with SyncLedger(url, master_key=MASTER_KEY) as ledger:
        ledger.append(events)
    return events[0].stream


async def load(url: str, stream: str) -> float:
    async with Ledger(url, master_key=MASTER_KEY) as ledger:
        start = time.perf_counter()
        for _ in range(LOADS):
            order = Order()
            for event in (await ledger.streams([stream]))[stream].events:
                order = order.evolve(event)
        return LOADS / (time.perf_counter() - start)


async def raw_load(url: str, stream: str) -> float:
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        start = time.perf_counter()
        for _ in range(LOADS):
            cursor = await connection.execute(SQL["streams"], ([stream],), prepare=True)
            await cursor.fetchall()
        return LOADS / (time.perf_counter() - start)


async def project(url: str, span: int) -> float:
    projection = Characters()
    async with Ledger(url, master_key=MASTER_KEY) as ledger:
        runner = Runner(url, ledger, projection)
        async with await connect(url, LIVE) as connection:
            await set_up(connection, projection)
            head, _ = await ledger.head()
            start = time.perf_counter()
            await runner.catch_up(connection, 0)
            return head / (time.perf_counter() - start)


def head_of(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT coalesce(max(mg_position), 0) FROM mega_generations")
        found: Sequence[Any] | None = row.fetchone()
        return int(found[0]) if found else 0
