"""Rows of the table about a rebuild while commands go on.

`python -m bench.rebuild URL` rebuilds the characters from the first event and prints the seconds.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator

import uvloop

from bench.measure import Measurement, alone, percentile
from bench.reads import head_of
from bench.writes import MASTER_KEY, Changes
from ledger.ledger import Ledger
from projections.characters import Characters
from projections.rebuild import Rebuild
from tests.world import Database

HANDS = 4
COMMANDS_PER_S = 100
QUIET_S = 15.0


def rows(database: Database) -> Iterator[Measurement]:
    """Commands come at a steady pace, first alone, then beside a rebuild in its own process."""
    head = head_of(database.admin_url)
    quiet, busy, took = uvloop.run(compared(database.url))
    name = f"rebuild of {head:,} events while commands go on"
    yield alone(name, took, unit="s", target=60, at_most=True)
    p99 = percentile(busy, 0.99) * 1000
    yield Measurement(
        name="command p99 during the rebuild",
        value=p99,
        unit="ms",
        ratio_to="the same without a rebuild",
        ratio=p99 / (percentile(quiet, 0.99) * 1000),
        runs=len(busy),
        target=1.2,
        at_most=True,
    )


async def compared(url: str) -> tuple[list[float], list[float], float]:
    """Seconds of each command without and with a rebuild, and the seconds of the rebuild."""
    async with Ledger(url, master_key=MASTER_KEY) as ledger:
        await commands(ledger, asyncio.create_task(asyncio.sleep(1.0)))
        quiet = await commands(ledger, asyncio.create_task(asyncio.sleep(QUIET_S)))
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.rebuild", url, stdout=asyncio.subprocess.PIPE
        )
        ending = asyncio.create_task(child.communicate())
        busy = await commands(ledger, ending)
    output, _ = await ending
    return quiet, busy, float(output)


async def commands(ledger: Ledger, until: asyncio.Task[object]) -> list[float]:
    took: list[float] = []
    changes = Changes()

    async def hand(number: int) -> None:
        due = time.perf_counter() + number / COMMANDS_PER_S
        while not until.done():
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            start = time.perf_counter()
            await changes.one(ledger)
            took.append(time.perf_counter() - start)
            due += HANDS / COMMANDS_PER_S

    await asyncio.gather(*[hand(number) for number in range(HANDS)])
    return took


async def rebuild(url: str) -> float:
    async with Ledger(url, master_key=MASTER_KEY) as ledger:
        start = time.perf_counter()
        await Rebuild(url, ledger, Characters()).run(fresh=True)
        return time.perf_counter() - start


if __name__ == "__main__":
    print(uvloop.run(rebuild(sys.argv[1])))
