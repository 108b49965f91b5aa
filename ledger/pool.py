"""Connections for reading, none of them dead: a restarted database costs nobody an answer."""

from __future__ import annotations

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool


def reading_pool(url: str, size: int) -> AsyncConnectionPool:
    """At most `size` connections, made when they are needed."""
    return AsyncConnectionPool(
        url,
        min_size=1,
        max_size=size,
        open=False,
        kwargs={"autocommit": True},
        check=_hung_up,
    )


async def _hung_up(connection: AsyncConnection) -> None:
    """Raises OperationalError when the server has closed the connection; asks it nothing."""
    connection.pgconn.consume_input()  # its last words, if any
    connection.pgconn.consume_input()  # the end of the line, if that is there
