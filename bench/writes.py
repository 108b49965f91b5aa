"""Rows of the table about appends and changes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import psycopg
import uvloop
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from bench.measure import Measurement, paired
from bench.pgbench import Pgbench
from bench.samples import metadata, one_event, opened, settled
from commands.command import Context, handle
from commands.orders import ShowWalletStep
from ledger.codec import encode
from ledger.ledger import Ledger, NewEvent
from tests.world import Database

MASTER_KEY = bytes(32)
Work = Callable[[Ledger], Awaitable[object]]


def rows(database: Database, pgbench: Pgbench, seconds: float, size: str) -> Iterator[Measurement]:
    """`size` ends the names of the rows."""
    append = partial(in_flight, database.url, append_one, 64, seconds)
    yield paired(
        f"async append, 64 in flight{size}",
        append,
        lambda: pgbench.rate(16),
        ratio_to="pgbench -c 16",
        target=1.5,
        slower=True,
    )
    yield paired(
        f"async append, 64 in flight, against the stock recorder{size}",
        append,
        partial(stock_recorder, database, seconds),
        ratio_to="eventsourcing's recorder, 16 threads",
        target=8.0,
    )
    yield paired(
        f"two processes, 64 in flight each{size}",
        partial(two_processes, database.url, seconds),
        lambda: pgbench.rate(16),
        ratio_to="pgbench -c 16",
        target=1.0,
    )
    yield from commands(database, pgbench, seconds, size)


def commands(
    database: Database, pgbench: Pgbench, seconds: float, size: str
) -> Iterator[Measurement]:
    yield paired(
        f"one command at a time{size}",
        partial(in_flight, database.url, append_one, 1, seconds),
        lambda: pgbench.rate(1),
        ratio_to="pgbench -c 1",
        target=3.5,
        slower=True,
    )
    yield paired(
        f"change of a stream of up to 20 events, 16 in flight{size}",
        partial(in_flight, database.url, Changes().one, 16, seconds),
        lambda: pgbench.rate(16),
        ratio_to="pgbench -c 16",
        target=3.0,
        slower=True,
    )


async def append_one(ledger: Ledger) -> None:
    await ledger.append(one_event())


class Changes:
    """Load, decide, append on streams that are exchanged when they reach 20 events."""

    def __init__(self) -> None:
        self._free: list[tuple[str, int]] = []

    async def one(self, ledger: Ledger) -> None:
        order_id, version = self._free.pop() if self._free else (await open_order(ledger), 1)
        step = "awaiting_mint" if version % 2 else "awaiting_approve"
        await handle(ledger, ShowWalletStep(order_id=order_id, step=step), context())
        if version < 19:
            self._free.append((order_id, version + 1))


async def open_order(ledger: Ledger) -> str:
    order_id = str(uuid4())
    event = opened(order_id)
    await ledger.append([NewEvent(event.stream, 1, event, metadata())])
    return order_id


def context() -> Context:
    id_ = str(uuid4())
    return Context(at=datetime.now(UTC), correlation_id=id_, causation_id=f"command:{id_}")


def in_flight(url: str, work: Work, hands: int, seconds: float) -> float:
    """How often a second `work` is done by `hands` tasks of one process."""
    return uvloop.run(_in_flight(url, work, hands, seconds))


async def _in_flight(url: str, work: Work, hands: int, seconds: float) -> float:
    async with Ledger(url, master_key=MASTER_KEY) as ledger:
        done = 0
        end = time.perf_counter() + seconds

        async def hand() -> None:
            nonlocal done
            while time.perf_counter() < end:
                await work(ledger)
                done += 1

        await work(ledger)
        start = time.perf_counter()
        await asyncio.gather(*[hand() for _ in range(hands)])
        return done / (time.perf_counter() - start)


def two_processes(url: str, seconds: float) -> float:
    command = [sys.executable, "-m", "bench.writes", url, str(seconds)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    return sum(float(process.communicate()[0]) for process in running)


def stock_recorder(database: Database, seconds: float) -> float:
    """Inserts a second of eventsourcing's own recorder, one event each, from 16 threads."""
    parts = psycopg.conninfo.conninfo_to_dict(database.admin_url)
    with PostgresDatastore(
        dbname=str(parts["dbname"]),
        host=str(parts["host"]),
        port=str(parts["port"]),
        user=str(parts["user"]),
        password=str(parts["password"]),
        pool_size=16,
        originator_id_type="text",
    ) as datastore:
        recorder = PostgresApplicationRecorder(datastore, events_table_name="stock_events")
        recorder.create_table()
        state = encode(settled("0" * 36), metadata(), str).encode()
        end = time.perf_counter() + seconds

        def hand(_: int) -> int:
            done = 0
            while time.perf_counter() < end:
                recorder.insert_events([StoredEvent(str(uuid4()), 1, "payment_settled.v1", state)])
                done += 1
            return done

        start = time.perf_counter()
        with ThreadPoolExecutor(16) as hands:
            total = sum(hands.map(hand, range(16)))
        return total / (time.perf_counter() - start)


if __name__ == "__main__":
    print(in_flight(sys.argv[1], append_one, 64, float(sys.argv[2])))
