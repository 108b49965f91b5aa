"""One page of events into one projection, in one transaction with its position.

A failing event is parked, and with it whatever comes later of its stream or touches the same rows;
all else flows on. A page that cannot be applied is halved until the failing event stands alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import AsyncConnection

from ledger.codec import Recorded
from ledger.sealed import Unreadable
from ledger.statements import named_statements
from projections.projection import Projection

SQL = named_statements(Path(__file__).with_suffix(".sql"))


class LeadLost(Exception):
    """The position is not where this runner left it: another one leads, or a rebuild took over."""


@dataclass(slots=True)
class Waiting:
    """The streams and rows that have to wait for a parked event."""

    streams: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.streams)

    def add(self, stream: str, keys: Iterable[str]) -> None:
        self.streams.add(stream)
        self.keys.update(keys)

    def holds(self, stream: str, keys: Iterable[str]) -> bool:
        return stream in self.streams or not self.keys.isdisjoint(keys)


async def apply(
    connection: AsyncConnection,
    projection: Projection[Any],
    page: Sequence[Recorded],
    *,
    after: int,
    last: int,
) -> None:
    """Moves a projection from position `after` to `last` by the events of `page`."""
    async with connection.transaction():
        place = {"name": projection.name, "version": projection.version}
        moved = await connection.execute(SQL["advance"], {**place, "after": after, "last": last})
        if moved.rowcount != 1:
            raise LeadLost(projection.name)
        waiting = await _waiting(connection, projection)
        await flow(connection, projection, page, waiting)


async def write(
    connection: AsyncConnection, projection: Projection[Any], page: Sequence[Recorded]
) -> None:
    """Folds a page and writes what changed. Raises whatever the fold or the database raises."""
    touched = [tuple(_keys(projection, recorded)) for recorded in page]
    keys = list({key for names in touched for key in names})
    if not keys:
        return
    loaded = await (await connection.execute(projection.sql["load"], (keys,))).fetchall()
    states = {key: projection.revive(text) for key, text in loaded}
    emitted: list[dict[str, Any]] = []
    for recorded, names in zip(page, touched, strict=True):
        for key in names:
            before = states.get(key)
            states[key] = after = projection.fold(key, before, recorded)
            emitted.extend(projection.emit(key, before, after, recorded))
    kept = [projection.record(key, state) for key, state in states.items() if state is not None]
    gone = [key for key, state in states.items() if state is None]
    if kept:
        await connection.execute(projection.sql["upsert"], (msgspec.json.encode(kept).decode(),))
    if gone:
        await connection.execute(projection.sql["drop"], (gone,))
    if emitted:
        rows = msgspec.json.encode(emitted).decode()
        await connection.execute(projection.sql["emit"], (rows,))
        await connection.execute(projection.sql["prune"], (projection.kept,))


async def flow(
    connection: AsyncConnection,
    projection: Projection[Any],
    page: Sequence[Recorded],
    waiting: Waiting,
) -> None:
    """Applies what may flow, parks what must wait."""
    free = await _hold_back(connection, projection, page, waiting) if waiting else page
    try:
        async with connection.transaction():
            await write(connection, projection, free)
    except (psycopg.OperationalError, psycopg.ProgrammingError):
        raise  # the database is away or lacks our tables: no event is to blame
    except Exception as poison:  # noqa: BLE001 — parked with its error, and counted, below
        if len(free) == 1:
            error = f"{type(poison).__name__}: {poison}"
            await _park(connection, projection, free[0], waiting, error)
            return
        middle = len(free) // 2
        await flow(connection, projection, free[:middle], waiting)
        await flow(connection, projection, free[middle:], waiting)


async def _hold_back(
    connection: AsyncConnection,
    projection: Projection[Any],
    page: Sequence[Recorded],
    waiting: Waiting,
) -> list[Recorded]:
    """Parks what waits already; the rest is free."""
    free = []
    for recorded in page:
        if waiting.holds(recorded.stream, _rows_touched(projection, recorded)):
            await _park(connection, projection, recorded, waiting, None)
        else:
            free.append(recorded)
    return free


async def _park(
    connection: AsyncConnection,
    projection: Projection[Any],
    recorded: Recorded,
    waiting: Waiting,
    error: str | None,
) -> None:
    keys = _rows_touched(projection, recorded)
    waiting.add(recorded.stream, keys)
    values = {
        "projection": projection.name,
        "position": recorded.position,
        "stream": recorded.stream,
        "keys": list(keys),
        "error": error,
    }
    await connection.execute(SQL["park"], values)


def _keys(projection: Projection[Any], recorded: Recorded) -> Iterable[str]:
    if isinstance(recorded.event, Unreadable):
        raise ValueError(recorded.event.why)
    return projection.keys(recorded)


def _rows_touched(projection: Projection[Any], recorded: Recorded) -> tuple[str, ...]:
    """None for an event whose failing is just that it cannot tell."""
    try:
        return tuple(_keys(projection, recorded))
    except Exception:  # noqa: BLE001 — the event itself is parked, with its error, by who asks
        return ()


async def _waiting(connection: AsyncConnection, projection: Projection[Any]) -> Waiting:
    rows = await connection.execute(SQL["parked"], {"projection": projection.name})
    waiting = Waiting()
    for stream, keys in await rows.fetchall():
        waiting.add(stream, keys)
    return waiting
