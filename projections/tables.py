"""Where projections keep their rows: a schema with their tables, positions and parked events.

The live schema is `views`; a rebuild has one of its own. All statements are unqualified, so the
connection's search path says which of the two is meant.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from psycopg import AsyncConnection

from ledger.statements import named_statements
from projections.projection import Projection

SQL = named_statements(Path(__file__).with_suffix(".sql"))
LIVE = "views"


async def connect(url: str, schema: str) -> AsyncConnection:
    """A connection whose unqualified names are those of `schema`, then of the ledger.

    It does not wait for the disk: rows and position are lost or kept together, and what is lost is
    folded again.
    """
    connection = await AsyncConnection.connect(url, autocommit=True)
    await connection.execute("SELECT set_config('search_path', %s, false)", (f"{schema}, public",))
    await connection.execute("SET synchronous_commit = off")
    return connection


async def set_up(connection: AsyncConnection, projection: Projection[Any]) -> tuple[int, int]:
    """Creates the tables of a projection in the connection's schema, unless they are there.

    Returns its standing. Rows of another version are left alone; a table that was dropped starts
    again from position 0.
    """
    async with connection.transaction():
        await connection.execute(SQL["workspace"])
        values = {"name": projection.name, "version": projection.version}
        await connection.execute(SQL["register"], values)
        version, position = await standing(connection, projection)
        if version != projection.version:
            return version, position
        row = await (await connection.execute(SQL["exists"], {"name": projection.name})).fetchone()
        await connection.execute(projection.sql["schema"])
        if position and row and not row[0]:
            await connection.execute(SQL["restart"], values)
            position = 0
    return version, position


async def standing(connection: AsyncConnection, projection: Projection[Any]) -> tuple[int, int]:
    """(version, position) of a projection in the connection's schema."""
    row = await (await connection.execute(SQL["standing"], {"name": projection.name})).fetchone()
    assert row is not None
    return row[0], row[1]
