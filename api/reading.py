"""Reads views for the routes: as the text that is stored, many askers sharing one round trip.

Waiting for a position (`min_position`) is one poller for all who wait; it rests when nobody does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from api.problems import ProjectionBehind
from ledger.coalesce import Coalescer
from ledger.statements import named_statements

SQL = named_statements(Path(__file__).with_suffix(".sql"))
AT_ONCE_MAX = 256
POLL_S = 0.01

log = structlog.get_logger()


class Reader:
    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool
        self._characters = self._by_id("characters")
        self._orders = self._by_id("mint_orders")
        self._batches = self._by_id("batches")
        self._positions: dict[str, int] = {}
        self._moved = asyncio.Condition()
        self._watching: asyncio.Task[None] | None = None
        self._waiting = 0

    async def character(self, id_: str) -> bytes | None:
        return await self._characters.ask(id_)

    async def order(self, id_: str) -> bytes | None:
        return await self._orders.ask(id_)

    async def batch(self, id_: str) -> bytes | None:
        return await self._batches.ask(id_)

    async def rows(self, statement: Any, values: Mapping[str, Any] | Sequence[Any] = ()) -> Any:
        async with self._pool.connection() as connection:
            return await (await connection.execute(statement, values, prepare=True)).fetchall()

    async def reached(self, projection: str, position: int, patience_s: float) -> None:
        """Returns once a projection shows a position; ProjectionBehind after `patience_s`."""
        if self._positions.get(projection, 0) >= position:
            return
        self._waiting += 1
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        try:
            async with asyncio.timeout(patience_s), self._moved:
                await self._moved.wait_for(lambda: self._positions.get(projection, 0) >= position)
        except TimeoutError:
            raise ProjectionBehind() from None
        finally:
            self._waiting -= 1

    async def _watch(self) -> None:
        while self._waiting:
            try:
                self._positions = dict(await self.rows(SQL["positions"]))
            except (psycopg.OperationalError, PoolTimeout) as down:
                log.warning("positions_unknown", why=str(down))
            async with self._moved:
                self._moved.notify_all()
            await asyncio.sleep(POLL_S)

    def _by_id(self, view: str) -> Coalescer[str, bytes | None]:
        async def call(ids: list[str]) -> list[bytes | BaseException | None]:
            rows = await self.rows(SQL[view], (ids,))
            found = {id_: text.encode() for id_, text in rows}
            return [found.get(id_) for id_ in ids]

        return Coalescer(call, limit=AT_ONCE_MAX)
