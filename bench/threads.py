"""Rows of the table about generations that are followed: 2,000 readers of 200 of them.

Both ends are on this machine, so what the clients cost is part of every time that is told here.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import orjson
import uvloop

from api.tokens import Tokens
from bench.http import CHAIN
from bench.live import FILES, OPENING_AT_ONCE, PACE_S, Stream, resident_kb, served
from bench.measure import Measurement, alone, percentile
from bench.samples import metadata
from domain.event import Event
from domain.generation_events import CreationBegun, UserMessageTold
from ledger.ledger import Ledger, NewEvent
from settings import Settings
from tests.world import Child, Database, TestWorld

GENERATIONS, EACH = 200, 10
LINES = 200


@dataclass
class Heard:
    """When each line was appended, and how long after that each reader had it."""

    appended: dict[str, float] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    opened: int = 0
    everything: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, data: bytes) -> None:
        at, said = time.perf_counter(), orjson.loads(data)
        if said["kind"] == "status":
            self.opened += 1
            return
        self.waits.append((at - self.appended[said["text"]]) * 1000)
        if len(self.waits) == LINES * EACH:
            self.everything.set()


def rows(world: TestWorld, database: Database) -> Iterator[Measurement]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))
    world.place.ports.reserve("bench_threads")
    port = str(world.place.ports["bench_threads"])
    environment = {**world.environment(), **CHAIN, "DATABASE_URL": database.url, "MEGA_PORT": port}
    settings = Settings.load(**{name.lower(): value for name, value in environment.items()})
    with served(world, environment) as (url, api):
        yield from uvloop.run(measured(settings, url, api))


async def measured(settings: Settings, url: str, api: Child) -> list[Measurement]:
    generations = {f"pass:user:{number}": str(uuid4()) for number in range(GENERATIONS)}
    tokens, heard = Tokens(settings), Heard()
    async with Ledger(settings.database, master_key=settings.master_key) as ledger:
        for pass_id, id_ in generations.items():
            await say(ledger, pass_id, 1, begun(pass_id, id_))
        before_kb, began = resident_kb(api), time.perf_counter()
        asked = [(tokens.issue(name), id_) for name, id_ in generations.items()] * EACH
        async with followers(url, asked, heard) as count:
            took = time.perf_counter() - began
            used_kb = (resident_kb(api) - before_kb) / count
            await tell(ledger, generations, heard)
    told = f"line of a generation, from append to {count:,} readers of {GENERATIONS}"
    waits = heard.waits
    readers, first = "readers of generations on one process", "until they have the first line"
    return [
        alone(readers, count, unit="open", target=2_000, at_most=False),
        alone(f"{count:,} readers, {first}", took, unit="s", target=20, at_most=True),
        alone("memory of a reader of a generation", used_kb, unit="KB", target=100, at_most=True),
        alone(f"{told}, p50", percentile(waits, 0.5), unit="ms", target=100, at_most=True),
        alone(f"{told}, p99", percentile(waits, 0.99), unit="ms", target=300, at_most=True),
    ]


@asynccontextmanager
async def followers(url: str, asked: list[tuple[str, str]], heard: Heard) -> AsyncIterator[int]:
    """All of them open and told the first line; their number."""
    gate = asyncio.Semaphore(OPENING_AT_ONCE)

    async def follow(token: str, id_: str) -> None:
        async with AsyncExitStack() as stack:
            async with gate:
                opening = Stream.opened(url, token, f"/mma/stream/{id_}")
                one = await stack.enter_async_context(opening)
                heard.hear(await one.next())
            while True:
                heard.hear(await one.next())

    tasks = [asyncio.create_task(follow(*each)) for each in asked]
    while heard.opened < len(asked):
        await asyncio.sleep(PACE_S)
        for failed in (task for task in tasks if task.done()):
            failed.result()
    yield sum(not task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def tell(ledger: Ledger, generations: dict[str, str], heard: Heard) -> None:
    """Lines at a steady pace, each of another generation; returns when all are delivered."""
    for number, (pass_id, id_) in zip(range(LINES), generations.items(), strict=False):
        text, mg_id = f"Line {number}", f"user_message:{id_}:1"
        line = UserMessageTold(generation_id=id_, mg_id=mg_id, number=1, text=text)
        heard.appended[text] = began = time.perf_counter()
        await say(ledger, pass_id, 2, line)
        await asyncio.sleep(max(0.0, began + PACE_S - time.perf_counter()))
    async with asyncio.timeout(30):
        await heard.everything.wait()


async def say(ledger: Ledger, pass_id: str, version: int, event: Event) -> None:
    facts = {**metadata(), "pass_id": pass_id}
    await ledger.append([NewEvent(event.stream, version, event, facts)], pass_id=pass_id)


def begun(pass_id: str, id_: str) -> CreationBegun:
    now = datetime.now(UTC)
    return CreationBegun(
        generation_id=id_,
        pass_id=pass_id,
        parent_id=None,
        mma_mode="still",
        origin="create",
        brief="A cup of matcha on wet stone",
        style=None,
        settings={"aspect_ratio": "1:1"},
        assets={},
        cost=1,
        costs_id="app_config:mma.costs:0",
        provider="seedream",
        begun_at=now,
        deadline_at=now + timedelta(minutes=5),
        hold_expires_at=now + timedelta(hours=1),
    )
