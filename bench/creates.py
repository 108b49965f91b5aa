"""Rows of the table about creations: begun with their matcha held, and raced for by a thousand.

One API process and the projections beside it, on the same cores as who asks.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

import uvloop

from api.tokens import Tokens
from bench import load
from bench.http import CHAIN, there
from bench.measure import Measurement, alone, percentile
from bench.samples import metadata
from domain.matcha import MatchaAccount, NewLot
from ledger.ledger import Ledger, NewEvent
from settings import Settings
from tests.waiting import eventually
from tests.world import Child, Database, TestWorld, start_child

HANDS, CREATES, SECONDS, WARMING = 50, 3_000, 10, 300
RACERS, PRIZES = 1_000, 100
PATH = "/mma/still/create"
BRIEF = "A cup of matcha on wet stone, morning light, steam, a hand in the corner. " * 3
RACED, WARM = "pass:user:raced", "pass:user:warm"
MANY = [f"pass:user:{number}" for number in range(HANDS)]


def rows(world: TestWorld, database: Database) -> Iterator[Measurement]:
    world.place.ports.reserve("bench_creates")
    port = str(world.place.ports["bench_creates"])
    environment = {**world.environment(), **CHAIN, "DATABASE_URL": database.url, "MEGA_PORT": port}
    settings = Settings.load(**{name.lower(): value for name, value in environment.items()})
    uvloop.run(bought(settings))
    tokens = Tokens(settings)
    with served(world, environment) as url:
        uvloop.run(load.waits(url, HANDS, asks(tokens, [WARM], WARMING)))
        asking = asks(tokens, MANY, CREATES)
        yield accepted(f"{HANDS} in flight", uvloop.run(load.waits(url, HANDS, asking)))
        coming = [request(tokens, name) for name in MANY] * SECONDS
        yield accepted(f"{HANDS} a second", uvloop.run(load.arrivals(url, HANDS, coming)))
        yield from raced(url, tokens)


def accepted(how: str, waits: list[float]) -> Measurement:
    return alone(
        f"creation accepted, its matcha held, {how}, p99",
        percentile(waits, 0.99) * 1000,
        unit="ms",
        target=60,
        at_most=True,
        runs=len(waits),
    )


def raced(url: str, tokens: Tokens) -> Iterator[Measurement]:
    """Exactly as many are accepted as there is matcha; the others are told that there is none."""
    began = time.perf_counter()
    said = uvloop.run(race(url, request(tokens, RACED)))
    took = time.perf_counter() - began
    if said.count(202) != PRIZES or said.count(402) != RACERS - PRIZES:
        raise RuntimeError(f"of {RACERS} {said.count(202)} were accepted, {said.count(402)} not")
    named = f"{RACERS:,} creations racing for {PRIZES} matcha"
    yield alone(f"{named}, accepted", PRIZES, unit="accepted", target=PRIZES, at_most=False)
    yield alone(f"{named}, all answered", took, unit="s", target=10, at_most=True)


async def race(url: str, asked: bytes) -> list[int]:
    """The status that each is answered with; all are connected before the first asks."""
    at, start = urlsplit(url), asyncio.Event()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        await start.wait()
        writer.write(asked)
        status = await load.answered(reader)
        writer.close()
        return status

    opened = [await asyncio.open_connection(at.hostname, at.port) for _ in range(RACERS)]
    racing = [asyncio.create_task(one(*each)) for each in opened]
    start.set()
    return list(await asyncio.gather(*racing))


def asks(tokens: Tokens, passes: list[str], count: int) -> Callable[[], bytes | None]:
    """`count` requests, the passes in turn."""
    turns = itertools.cycle([request(tokens, name) for name in passes])
    left = iter(range(count))
    return lambda: next(turns) if next(left, None) is not None else None


def request(tokens: Tokens, pass_id: str) -> bytes:
    return load.request("POST", PATH, {"brief": BRIEF}, tokens.issue(pass_id))


async def bought(settings: Settings) -> None:
    """Matcha for everybody."""
    async with Ledger(settings.database, master_key=settings.master_key) as ledger:
        amounts = {**dict.fromkeys([*MANY, WARM], CREATES), RACED: PRIZES}
        for pass_id, amount in amounts.items():
            now = datetime.now(UTC)
            lot = NewLot(f"lot:{pass_id}", "paid", amount, now + timedelta(days=30), "bench")
            (granted,) = MatchaAccount().grant(pass_id, lot, now)
            await ledger.append([NewEvent(granted.stream, 1, granted, metadata())])


@contextmanager
def served(world: TestWorld, environment: dict[str, str]) -> Iterator[str]:
    children: list[Child] = []
    url = f"http://127.0.0.1:{environment['MEGA_PORT']}"
    try:
        for name in ("projections", "api"):
            children.append(start_child((name,), environment, world.place.data))
        eventually(partial(there, f"{url}/readyz", ""), within_s=60)
        yield url
    finally:
        for child in children:
            child.stop()
