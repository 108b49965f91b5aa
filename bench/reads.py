"""Rows of the table about reading: replay, loading, projecting."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import psycopg
import uvloop
from psycopg import AsyncConnection

from bench.measure import Measurement, alone, paired
from bench.samples import stream_of
from bench.writes import MASTER_KEY
from domain.order import Order
from ledger.ledger import SQL, Ledger
from ledger.sync import SyncLedger
from projections.characters import Characters
from projections.runner import LIVE, Runner, connect, set_up
from tests.world import Database

PAGE = 2_000
LOADS = 200
AGGREGATE = 1_000


def rows(database: Database, size: str) -> Iterator[Measurement]:
    """`size` says how large the ledger is, in the names of the rows."""
    head = head_of(database.admin_url)
    span = min(head, 100_000)
    yield paired(
        f"replay to typed events{size}",
        partial(run, replay, database.url, span),
        partial(run, raw_replay, database.url, span),
        ratio_to="raw fetch of the same rows",
        unit="events/s",
        target=0.3,
    )
    stream = long_stream(database.url)
    yield paired(
        f"load an aggregate of {AGGREGATE:,} events{size}",
        partial(run, load, database.url, stream),
        partial(run, raw_load, database.url, stream),
        ratio_to="raw fetch of the same rows",
        unit="loads/s",
        target=5.0,
        slower=True,
    )
    rate = run(project, database.url)
    name = f"batch projection into a table{size}"
    yield alone(name, rate, unit="events/s", target=20_000, at_most=False)


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


async def project(url: str) -> float:
    """From where the last run ended to the head."""
    projection = Characters()
    async with Ledger(url, master_key=MASTER_KEY) as ledger:
        runner = Runner(url, ledger, projection)
        async with await connect(url, LIVE) as connection:
            _, position = await set_up(connection, projection)
            start = time.perf_counter()
            reached = await runner.catch_up(connection, position)
            return (reached - position) / (time.perf_counter() - start)


def head_of(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT coalesce(max(mg_position), 0) FROM mega_generations")
        found: Sequence[Any] | None = row.fetchone()
        return int(found[0]) if found else 0
