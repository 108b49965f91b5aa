"""Folds one row of a projection anew from the ledger: of the cache of seed 002, one entry.

It holds the row of the live position, so the runner waits for it, and what it writes is as of that
position. Events of these streams that had to wait are in the new row, and wait no longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from psycopg import AsyncConnection

from ledger.ledger import Ledger
from ledger.statements import named_statements
from projections.batch import LeadLost
from projections.projection import Projection

SQL = named_statements(Path(__file__).with_suffix(".sql"))


async def refresh(
    connection: AsyncConnection,
    ledger: Ledger,
    projection: Projection[Any],
    key: str,
    streams: Sequence[str],
) -> int:
    """Replaces the row of `key`, which no other streams than these change; the position as of which
    it is. `connection` is one of `tables.connect`.

    Raises LeadLost when the rows are those of another version, or are being made again.
    """
    name = {"name": projection.name}
    async with connection.transaction():
        row = await (await connection.execute(SQL["hold"], name)).fetchone()
        if row is None or row[0] != projection.version:
            raise LeadLost(projection.name)
        position: int = row[1]
        state = None
        for recorded in await ledger.history(streams):
            if recorded.position <= position and key in projection.keys(recorded):
                state = projection.fold(key, state, recorded)
        await connection.execute(SQL["release"], {**name, "streams": list(streams)})
        if state is None:
            await connection.execute(projection.sql["drop"], ([key],))
        else:
            record = msgspec.json.encode([projection.record(key, state)]).decode()
            await connection.execute(projection.sql["upsert"], (record,))
        return position
