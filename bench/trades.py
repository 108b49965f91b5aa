"""Rows of the table about trading volume: a topic of trades read from its beginning, totals exact.

Every hundredth trade is a correction, every fiftieth is told twice.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator

import psycopg
import uvloop
from kafka import KafkaProducer

from bench.measure import Measurement, alone
from consumers.tally import Tally
from consumers.tally_rebuild import TallyRebuild
from consumers.topics import create_missing
from projections.trading_volume import TradingVolume
from tests.world import Database, TestWorld

PREFIX = "bench."
USERS = 10_000
SEED = 5
CENTS_MAX = 10**10
CORRECTED, TWICE = 100, 50
POLL_S = 0.2
TARGET_S = 60

Totals = dict[str, tuple[int, int]]
"""Of a user: cents, and how many trades."""


def rows(world: TestWorld, database: Database, count: int) -> Iterator[Measurement]:
    """`count` trades are published, read by a new reader, then read anew beside it."""
    kafka = world.gives("kafka")["KAFKA_BOOTSTRAP_SERVERS"]
    wanted = published(kafka, count)
    took = uvloop.run(replayed(database, kafka, count))
    wrong = differences(database, wanted)
    name = f"{count:,} trades replayed from their topic"
    yield alone(name, took, unit="s", target=TARGET_S, at_most=True)

    again = TallyRebuild(database.url, [kafka], PREFIX, TradingVolume())
    start = time.perf_counter()
    uvloop.run(again.run())
    took = time.perf_counter() - start
    name = f"trading volume rebuilt from {count:,} trades"
    yield alone(name, took, unit="s", target=TARGET_S, at_most=True)

    wrong += differences(database, wanted)
    yield alone("totals that are not exact", wrong, unit="users", target=0, at_most=True)


def published(kafka: str, count: int) -> Totals:
    """Returns what each user has traded, in cents."""
    chance, cents_of, trades_of = random.Random(SEED), Counter[str](), Counter[str]()
    create_missing([kafka], PREFIX)
    producer = KafkaProducer(
        bootstrap_servers=kafka, batch_size=512 * 1024, linger_ms=50, metrics_enabled=False
    )
    for number in range(count):
        user, cents = f"pass:user:{chance.randrange(USERS)}", chance.randrange(CENTS_MAX)
        sign = "" if number % CORRECTED else "-"
        told = (
            f'{{"trade_id":"{number}","platform":"orderly","user_id":"{user}",'
            f'"volume_usd":"{sign}{cents // 100}.{cents % 100:02}",'
            f'"traded_at":"2026-03-01T12:00:00Z"}}'
        ).encode()
        for _ in range(1 if number % TWICE else 2):
            producer.send(f"{PREFIX}trades", key=user.encode(), value=told)
        cents_of[user] += -cents if sign else cents
        trades_of[user] += 1
    producer.flush()
    producer.close()
    return {user: (cents, trades_of[user]) for user, cents in cents_of.items()}


async def replayed(database: Database, kafka: str, count: int) -> float:
    """Seconds until a reader that starts now has counted all of them."""
    tally = Tally(database.url, [kafka], PREFIX, TradingVolume())
    start = time.perf_counter()
    running = asyncio.create_task(tally.run())
    while await asyncio.to_thread(counted, database) < count:
        done, _ = await asyncio.wait({running}, timeout=POLL_S)
        if done:
            raise RuntimeError("the reader ended before the topic")
    took = time.perf_counter() - start
    tally.stop()
    await running
    return took


def counted(database: Database) -> int:
    there = "SELECT to_regclass('views.trading_volume') IS NOT NULL"
    asked = "SELECT coalesce(sum(trades), 0)::bigint FROM views.trading_volume"
    with psycopg.connect(database.url) as connection:
        row = connection.execute(there).fetchone()
        if not (row and row[0]):
            return 0
        row = connection.execute(asked).fetchone()
    return row[0] if row else 0


def differences(database: Database, wanted: Totals) -> int:
    """How many users have another total, or other trades, than they should."""
    asked = "SELECT user_id, volume_usd * 100, trades FROM views.trading_volume"
    with psycopg.connect(database.url) as connection:
        found = {user: (cents, trades) for user, cents, trades in connection.execute(asked)}
    return sum(found.get(user) != wanted.get(user) for user in found.keys() | wanted.keys())
