"""The processes of the loss harness: eight writers each, or one tailing reader. See `loss.py`.

`python -m bench.loss_hands write|read URL FILE SEED`. SIGTERM ends them properly: writers finish
the append they are at, a reader reads on until nothing is left.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path
from uuid import UUID

from bench.samples import metadata, settled
from ledger.errors import StreamConflict
from ledger.ledger import Ledger, NewEvent

WRITERS = 8
EVENTS_PER_APPEND = 8
STREAM_EVENTS = 40
FOUGHT_OVER = 4
PAGE = 1_000
POLL_SECONDS = 0.02
MASTER_KEY = bytes(32)


async def write(url: str, path: Path, seed: str) -> None:
    """Each line of the file is an acknowledged append: position and id of its last event."""
    stop = _stopping()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    async with Ledger(url, master_key=MASTER_KEY) as ledger:
        chances = [random.Random(f"{seed}/{number}") for number in range(WRITERS)]
        await asyncio.gather(*(_writer(ledger, file, chance, stop) for chance in chances))
    os.close(file)


async def read(url: str, path: Path, _: str) -> None:
    """Each line of the file is an event as it came: position and id."""
    stop, after = _stopping(), 0
    async with Ledger(url, master_key=MASTER_KEY) as ledger:
        with path.open("w") as seen:
            while True:
                last_look = stop.is_set()
                page = await ledger.page(after, PAGE)
                for event in page:
                    seen.write(f"{event.position} {event.id}\n")
                    after = event.position
                if not page and last_look:
                    return
                if not page:
                    await asyncio.sleep(POLL_SECONDS)


async def _writer(ledger: Ledger, file: int, chance: random.Random, stop: asyncio.Event) -> None:
    """Fills streams of its own, and now and then one that all writers fight over."""
    order_id, version = _new_id(chance), 0
    while not stop.is_set():
        if version >= STREAM_EVENTS:
            order_id, version = _new_id(chance), 0
        if chance.random() < 0.1:
            shared = str(UUID(int=chance.randrange(FOUGHT_OVER)))
            known = await ledger.last_version(settled(shared).stream)
            await _append(ledger, file, shared, known, 1)
        else:
            count = chance.randint(1, EVENTS_PER_APPEND)
            version = await _append(ledger, file, order_id, version, count)


async def _append(ledger: Ledger, file: int, order_id: str, known: int, count: int) -> int:
    """The version of the stream after it; a conflict leaves it to the others."""
    event = settled(order_id)
    last = known + count
    new = [NewEvent(event.stream, known + 1 + n, event, metadata()) for n in range(count)]
    try:
        position = await ledger.append(new)
    except StreamConflict:
        return known
    os.write(file, f"{position} {event.stream}/{last}\n".encode())
    return last


def _new_id(chance: random.Random) -> str:
    return str(UUID(int=chance.getrandbits(128)))


def _stopping() -> asyncio.Event:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    return stop


if __name__ == "__main__":
    role, url, file, seed = sys.argv[1:]
    asyncio.run({"write": write, "read": read}[role](url, Path(file), seed))
