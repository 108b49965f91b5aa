"""Looking at read models: all rows of all of them, to be compared with others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row

from ledger.ledger import Ledger
from projections.catalog import all_projections
from projections.projection import Projection
from projections.runner import PAGE, Runner
from projections.tables import LIVE, connect, set_up
from tests.waiting import eventually

Rows = dict[str, list[dict[str, Any]]]


def rows(url: str, names: Iterable[str] | None = None, schema: str = LIVE) -> Rows:
    """Every row of the read models, each table in one order."""
    wanted = list(names) if names else [projection.name for projection in all_projections()]
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return {name: _all(connection, schema, name) for name in wanted}


def _all(connection: psycopg.Connection[dict[str, Any]], schema: str, name: str) -> Any:
    statement = sql.SQL("SELECT * FROM {} AS t ORDER BY t::text").format(
        sql.Identifier(schema, name)
    )
    return connection.execute(statement).fetchall()


async def catch_up(url: str, ledger: Ledger, projection: Projection[Any], page: int = PAGE) -> None:
    """Runs one projection up to the head, as its runner would."""
    async with await connect(url, LIVE) as connection:
        _, position = await set_up(connection, projection)
        await Runner(url, ledger, projection, page=page).catch_up(connection, position)


async def catch_up_all(url: str, ledger: Ledger, page: int = PAGE) -> None:
    for projection in all_projections():
        await catch_up(url, ledger, projection, page)


def standing(url: str, name: str) -> tuple[int, int]:
    """(version, position) of a live projection; (0, 0) before it is set up."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT version, position FROM views.projections WHERE name = %s", (name,)
        ).fetchone()
    return (found[0], found[1]) if found else (0, 0)


def leader(url: str, name: str) -> str | None:
    """The application name of the process that leads a projection."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT a.application_name FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
            " AND (l.classid::bigint << 32 | l.objid::bigint)"
            "     = hashtextextended('projection ' || %s, 0)"
            " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            (name,),
        ).fetchone()
    return found[0] if found else None


async def parked_of(connection: AsyncConnection, name: str) -> list[tuple[int, str, str | None]]:
    found = await connection.execute(
        "SELECT position, stream, error FROM parked WHERE projection = %s ORDER BY position",
        (name,),
    )
    return await found.fetchall()


async def eventually_so(question: Callable[[], Any], within_s: float = 20.0) -> Any:
    """`eventually`, for a test whose own event loop has to go on meanwhile."""
    return await asyncio.to_thread(eventually, question, within_s)
