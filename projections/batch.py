"""One page of events into one projection, in one transaction with its position.

A failing event parks its stream: it and the later events of that stream wait in `parked`, all other
streams flow on. A page that the database refuses is halved until the failing event stands alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import AsyncConnection

from ledger.codec import Recorded
from ledger.statements import named_statements
from projections.projection import Projection

SQL = named_statements(Path(__file__).with_suffix(".sql"))


class LeadLost(Exception):
    """The position is not where this runner left it: another one leads now."""


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
        moved = await connection.execute(
            SQL["advance"], {"name": projection.name, "after": after, "last": last}
        )
        if moved.rowcount != 1:
            raise LeadLost(projection.name)
        waiting = await _parked_streams(connection, projection)
        flowing = [r for r in page if r.stream not in waiting]
        for recorded in page:
            if recorded.stream in waiting:
                await park(connection, projection, recorded, None)
        await _apply_halving(connection, projection, flowing)


async def park(
    connection: AsyncConnection, projection: Projection[Any], recorded: Recorded, error: str | None
) -> None:
    values = {
        "projection": projection.name,
        "position": recorded.position,
        "stream": recorded.stream,
        "error": error,
    }
    await connection.execute(SQL["park"], values)


async def write(
    connection: AsyncConnection, projection: Projection[Any], page: Sequence[Recorded]
) -> None:
    """Folds a page and writes what changed. Raises whatever the fold or the database raises."""
    touched = {r.position: tuple(projection.keys(r)) for r in page}
    keys = list({key for names in touched.values() for key in names})
    if not keys:
        return
    loaded = await (await connection.execute(projection.sql["load"], (keys,))).fetchall()
    states = {key: projection.revive(text) for key, text in loaded}
    for recorded in page:
        for key in touched[recorded.position]:
            states[key] = projection.fold(key, states.get(key), recorded)
    kept = [projection.record(key, state) for key, state in states.items() if state is not None]
    gone = [key for key, state in states.items() if state is None]
    if kept:
        await connection.execute(projection.sql["upsert"], (msgspec.json.encode(kept).decode(),))
    if gone:
        await connection.execute(projection.sql["drop"], (gone,))


async def _apply_halving(
    connection: AsyncConnection, projection: Projection[Any], page: Sequence[Recorded]
) -> None:
    try:
        async with connection.transaction():
            await write(connection, projection, page)
    except psycopg.OperationalError:
        raise
    except Exception as poison:  # noqa: BLE001 — parked with its error, and counted, below
        if len(page) > 1:
            middle = len(page) // 2
            await _apply_halving(connection, projection, page[:middle])
            waiting = await _parked_streams(connection, projection)
            for recorded in page[middle:]:
                if recorded.stream in waiting:
                    await park(connection, projection, recorded, None)
            rest = [r for r in page[middle:] if r.stream not in waiting]
            await _apply_halving(connection, projection, rest)
        elif page:
            await park(connection, projection, page[0], f"{type(poison).__name__}: {poison}")


async def _parked_streams(
    connection: AsyncConnection, projection: Projection[Any]
) -> frozenset[str]:
    rows = await connection.execute(SQL["parked_streams"], {"projection": projection.name})
    return frozenset(stream for (stream,) in await rows.fetchall())
