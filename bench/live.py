"""Rows of the table about live events: 2,000 connections that mostly wait, on one API process.

Both ends are on this machine, so what the clients cost is part of every time that is told here.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import resource
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import orjson
import uvloop
import websockets

from api.tokens import Tokens
from bench import load
from bench.http import CHAIN, there
from bench.measure import Measurement, alone, percentile
from bench.samples import metadata
from domain.credit_account import CreditsGranted, account_stream
from ledger.ledger import Ledger, NewEvent
from settings import Settings
from tests.waiting import eventually
from tests.world import Child, Database, TestWorld, start_child

PASSES, EACH = 200, 5
"""Five connections over each transport for every pass."""
OPENING_AT_ONCE = 50
EVENTS, PACE_S = 200, 0.05
IDLE_S = 20.0
GETS = 400
FILES = 8_192


@dataclass
class Heard:
    """When events were appended, and when each was heard, by their positions."""

    appended: dict[int, float] = field(default_factory=dict)
    delivered: list[tuple[int, float]] = field(default_factory=list)
    everything: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, text: bytes | str) -> None:
        self.delivered.append((int(orjson.loads(text)["id"]), time.perf_counter()))
        if len(self.delivered) == EVENTS * 2 * EACH:
            self.everything.set()

    def waits(self) -> list[float]:
        """Milliseconds from the call of each append to each of its deliveries."""
        return [(at - self.appended[place]) * 1000 for place, at in self.delivered]


def rows(world: TestWorld, database: Database) -> Iterator[Measurement]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))
    environment = {**world.environment(), **CHAIN, "DATABASE_URL": database.url}
    world.place.ports.reserve("bench_live")
    environment["MEGA_PORT"] = str(world.place.ports["bench_live"])
    settings = Settings.load(**{name.lower(): value for name, value in environment.items()})
    with served(world, environment) as (url, api):
        yield from uvloop.run(measured(settings, url, api))


@contextmanager
def served(world: TestWorld, environment: dict[str, str]) -> Iterator[tuple[str, Child]]:
    children: list[Child] = []
    url = f"http://127.0.0.1:{environment['MEGA_PORT']}"
    try:
        for name in ("projections", "api"):
            children.append(start_child((name,), environment, world.place.data))
        eventually(partial(there, f"{url}/readyz", ""), within_s=60)
        yield url, children[-1]
    finally:
        for child in children:
            child.stop()


async def measured(settings: Settings, url: str, api: Child) -> list[Measurement]:
    tokens = Tokens(settings)
    passes = {name: tokens.issue(name) for name in map("pass:user:{}".format, range(PASSES))}
    token, heard = next(iter(passes.values())), Heard()
    alone_ms = await gets(url, token)
    before_kb = resident_kb(api)
    async with listeners(url, list(passes.values()), heard) as count:
        used_kb = (resident_kb(api) - before_kb) / count
        busy = await cpu_percent(api)
        with_ms = await gets(url, token)
        await tell(settings, list(passes), heard)
        waits = heard.waits()
    at = f" with {count:,} idle listeners"
    told, asked = (f"from append to delivery{at}", f"HTTP read{at}")
    return [
        alone("listeners on one API process", count, unit="open", target=2_000, at_most=False),
        alone("memory of an idle listener", used_kb, unit="KB", target=100, at_most=True),
        alone(f"CPU{at}", busy, unit="% of a core", target=25, at_most=True),
        alone(f"{told}, p50", percentile(waits, 0.5), unit="ms", target=100, at_most=True),
        alone(f"{told}, p99", percentile(waits, 0.99), unit="ms", target=300, at_most=True),
        alone("HTTP read without them, p99", alone_ms, unit="ms", target=50, at_most=True),
        alone(f"{asked}, p99", with_ms, unit="ms", target=50, at_most=True),
    ]


@asynccontextmanager
async def listeners(url: str, tokens: list[str], heard: Heard) -> AsyncIterator[int]:
    """All of them open, each read by a task; their number."""
    gate, opened = asyncio.Semaphore(OPENING_AT_ONCE), itertools.count(1)
    everybody = asyncio.Event()
    wanted = 2 * EACH * len(tokens)

    async def listen(token: str, listener: type[Socket] | type[Stream]) -> None:
        async with AsyncExitStack() as stack:
            async with gate:
                one = await stack.enter_async_context(listener.opened(url, token))
            if next(opened) == wanted:
                everybody.set()
            while True:
                heard.hear(await one.next())

    asked = itertools.product(tokens, (Socket, Stream), range(EACH))
    tasks = [asyncio.create_task(listen(token, kind)) for token, kind, _ in asked]
    waiting = asyncio.create_task(everybody.wait())
    await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
    if not everybody.is_set():
        failed = next(task for task in tasks if task.done())
        raise RuntimeError("a connection was not opened") from failed.exception()
    yield sum(not task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Socket:
    def __init__(self, connection: websockets.ClientConnection) -> None:
        self._connection = connection

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str, token: str) -> AsyncIterator[Socket]:
        address, bearer = url.replace("http", "ws", 1), {"Authorization": f"Bearer {token}"}
        async with websockets.connect(
            f"{address}/ws",
            additional_headers=bearer,
            compression=None,
            ping_interval=None,
            close_timeout=1,
            proxy=None,
        ) as connection:
            yield cls(connection)

    async def next(self) -> bytes | str:
        return await self._connection.recv()


class Stream:
    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str, token: str, path: str = "/events") -> AsyncIterator[Stream]:
        at = urlsplit(url)
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        try:
            writer.write(load.request("GET", path, token=token))
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode())
            yield cls(reader)
        finally:
            writer.close()

    async def next(self) -> bytes:
        while not (line := await self._reader.readline()).startswith(b"data: "):
            if not line:
                raise RuntimeError("the stream ended")
        return line.removeprefix(b"data: ").strip()


async def tell(settings: Settings, passes: list[str], heard: Heard) -> None:
    """Events at a steady pace, each to one pass; returns when all are delivered."""
    async with Ledger(settings.database, master_key=settings.master_key) as ledger:
        for number in range(EVENTS):
            pass_id = passes[number % len(passes)]
            began = time.perf_counter()
            position = await ledger.append([credit(pass_id, number // len(passes) + 1)])
            heard.appended[position] = began
            await asyncio.sleep(max(0.0, began + PACE_S - time.perf_counter()))
    async with asyncio.timeout(30):
        await heard.everything.wait()


def credit(pass_id: str, version: int) -> NewEvent:
    moved: dict[str, str | int] = {"asset": "PFP", "delta": 1, "held": 0}
    event = CreditsGranted(account_id=pass_id, asset="PFP", meta=moved, batch_id="b", amount=1)
    return NewEvent(account_stream(pass_id), version, event, metadata())


async def gets(url: str, token: str) -> float:
    """The p99 of a plain read, one after the other, in milliseconds."""
    found = []
    async with httpx.AsyncClient(base_url=url) as client:
        for _ in range(GETS):
            began = time.perf_counter()
            answer = await client.get("/characters", headers={"Authorization": f"Bearer {token}"})
            answer.raise_for_status()
            found.append((time.perf_counter() - began) * 1000)
    return percentile(found, 0.99)


async def cpu_percent(child: Child) -> float:
    """Of one core, while nothing happens."""
    before, began = cpu_s(child), time.perf_counter()
    await asyncio.sleep(IDLE_S)
    return 100 * (cpu_s(child) - before) / (time.perf_counter() - began)


def cpu_s(child: Child) -> float:
    fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kb(child: Child) -> int:
    status = Path(f"/proc/{child.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1])
