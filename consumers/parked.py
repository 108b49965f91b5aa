"""What waits because something before it failed: seen, and asked for again.

A replay is only marked here. Who parked it does it: the relay, or the reader that owns the
partition, so that the order of a stream or key holds while new messages arrive.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from psycopg import AsyncConnection

from ledger.statements import named_statements

SQL = named_statements(Path(__file__).with_suffix(".sql"))
LIST_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Parked:
    """`origin` is an event's id (reader `relay`) or a message's topic/partition/offset.

    `error` None: it only waits for one of the same key before it. `replay`: it was asked for again.
    """

    reader: str
    origin: str
    key: str
    error: str | None
    replay: bool
    parked_at: datetime


async def parked(connection: AsyncConnection) -> list[Parked]:
    """What is parked, in the order in which it will go on; at most 1,000 of each kind."""
    found = []
    for name in ("events", "messages"):
        rows = await connection.execute(SQL[name], {"limit": LIST_MAX})
        for reader, origin, key, *rest in await rows.fetchall():
            found.append(Parked(reader, origin, bytes(key).decode(errors="replace"), *rest))
    return found


async def replay(connection: AsyncConnection, key: str | None = None) -> int:
    """Asks for what failed under `key` (a stream id) again, or for all; returns how many."""
    wanted = None if key is None else key.encode()
    messages = await connection.execute(SQL["replay_messages"], {"key": wanted})
    events = await connection.execute(SQL["replay_events"], {"stream": key})
    return messages.rowcount + events.rowcount
