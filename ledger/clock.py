"""The application's clock: the real one plus how far the development world was moved ahead.

Every process sees a move within `POLL_S`; the process that makes it, at once. JWTs expire by the
real clock instead, so tokens issued before a move stay valid (`contract.md` §11).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from ledger.statements import named_statements

SQL = named_statements(Path(__file__).with_suffix(".sql"))
POLL_S = 0.05

log = structlog.get_logger()


class Clock:
    """`now()` for decisions, `ahead()` for the ledger. Costs nothing while nobody follows."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def ahead(self) -> timedelta:
        return self._ahead

    async def refresh(self) -> None:
        """Reads how far ahead the clock is now."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(SQL["read"])).fetchone()
        self._ahead = row[0] if row else timedelta()

    async def advance(self, by: timedelta) -> datetime:
        """Moves the clock of every process; the application's time afterwards."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(SQL["advance"], {"by": by})).fetchone()
        assert row is not None
        self._ahead = row[0]
        return self.now()

    async def follow(self) -> None:
        """Keeps up with moves made by other processes, until it is cancelled."""
        while True:
            try:
                await self.refresh()
            except (psycopg.OperationalError, PoolTimeout) as down:
                log.warning("clock_waits", why=str(down))
            await asyncio.sleep(POLL_S)
