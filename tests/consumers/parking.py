"""What waits behind a failure, as an operator sees it and asks for it again."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from api import waiting


async def parked(connection: AsyncConnection) -> list[dict[str, Any]]:
    async def rows(statement: Any, values: Any) -> list[tuple[Any, ...]]:
        return await (await connection.execute(statement, values)).fetchall()

    return [what for _, what in await waiting.parked(rows, limit=1_000)]


async def replay(connection: AsyncConnection, stream: str | None = None) -> int:
    """Asks for events and messages of a stream (None: of all) again; how many."""
    asked = [
        await connection.execute(waiting.SQL[name], {"stream": stream})
        for name in ("replay_messages", "replay_events")
    ]
    return sum(cursor.rowcount for cursor in asked)
