"""What a projection could not apply: seen, and applied again once the cause is gone.

Because later events of the same rows wait too, a replay in order gives what no failure would have.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg import AsyncConnection

from ledger.ledger import Ledger
from ledger.statements import named_statements
from projections.batch import LeadLost, Waiting, flow
from projections.projection import Projection

SQL = named_statements(Path(__file__).with_suffix(".sql"))
LIST_MAX = 1_000
PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Parked:
    """`error` None: it only waits for an event before it."""

    projection: str
    position: int
    stream: str
    error: str | None
    parked_at: datetime


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many parked events were tried, and how many of them are parked again."""

    tried: int
    parked: int


async def parked(connection: AsyncConnection, limit: int = LIST_MAX) -> list[Parked]:
    """What is parked now, by projection, in the order in which it will be applied."""
    rows = await connection.execute(SQL["parked"], {"limit": limit})
    return [Parked(*row) for row in await rows.fetchall()]


async def replay(
    connection: AsyncConnection, ledger: Ledger, projection: Projection[Any]
) -> Replayed:
    """Tries everything that is parked again, in order; what fails once more is parked again.

    `connection` is one of `tables.connect`. The live runner waits meanwhile. Raises LeadLost when
    the rows are those of another version.
    """
    name = {"name": projection.name}
    async with connection.transaction():
        row = await (await connection.execute(SQL["hold"], name)).fetchone()
        if row is None or row[0] != projection.version:
            raise LeadLost(projection.name)
        positions = await _positions(connection, name)
        waiting = Waiting()
        for start in range(0, len(positions), PAGE):
            chosen = positions[start : start + PAGE]
            await connection.execute(SQL["release"], {**name, "positions": chosen})
            await flow(connection, projection, await ledger.at(chosen), waiting)
        return Replayed(len(positions), len(await _positions(connection, name)))


async def _positions(connection: AsyncConnection, name: dict[str, str]) -> list[int]:
    rows = await connection.execute(SQL["positions"], name)
    return [position for (position,) in await rows.fetchall()]
