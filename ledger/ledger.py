"""The ledger as the processes use it: group commit in, typed events out. See `ledger.md`.

Every append of a process that waits while another is under way leaves with the next call of
`mega_append`; loads are gathered the same way. A conflict concerns its own append alone.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import stamina
from psycopg import AsyncConnection

from ledger import codec
from ledger.coalesce import Coalescer
from ledger.codec import Recorded
from ledger.errors import LedgerUnavailable
from ledger.pool import reading_pool
from ledger.rows import (
    Fields,
    NewEvent,
    Row,
    Stream,
    answers_of,
    append_values,
    lookup_values,
    owner_of,
    recorded_of,
    rows_of,
    stream_of,
    translated,
)
from ledger.sealed import sealed_page, stored_as
from ledger.statements import named_statements
from ledger.vault import Vault

SQL = named_statements(Path(__file__).with_suffix(".sql"))
FLUSH_EVENTS_MAX = 512
LOAD_STREAMS_MAX = 512
__all__ = ["Ledger", "NewEvent", "Row", "Stream"]


class Ledger:
    """Async face. `ahead` tells how far the application's clock is ahead of the real one."""

    def __init__(
        self,
        url: str,
        *,
        master_key: bytes,
        ahead: Callable[[], timedelta] = timedelta,
        readers: int = 4,
    ) -> None:
        self._url, self._ahead = url, ahead
        self._pool = reading_pool(url, readers)
        self.vault = Vault(self._pool, master_key)
        self._writer: AsyncConnection | None = None
        self._appends: Coalescer[tuple[Row, ...], int] = Coalescer(
            self._flush,
            limit=FLUSH_EVENTS_MAX,
            weight=len,
            touches=lambda rows: {row.stream for row in rows},
        )
        self._loads: Coalescer[str, list[Fields]] = Coalescer(self._load, limit=LOAD_STREAMS_MAX)

    async def __aenter__(self) -> Ledger:
        await self._pool.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._appends.drain()
        if self._writer is not None:
            await self._writer.close()
        await self._pool.close()

    # Writing.

    async def append(self, events: Sequence[NewEvent], *, pass_id: str | None = None) -> int:
        """Records all of `events` or none; returns the position of the last.

        Raises StreamConflict when an expected version is taken, LedgerUnavailable when the database
        cannot be reached, not even to ask whether these are recorded. Secrets are sealed for
        `pass_id`.
        """
        if any(codec.has_secrets(new.event.TOPIC) for new in events):
            await self.vault.make_keys([owner_of(pass_id)])
        return await self._appends.ask(rows_of(events, pass_id, self.vault))

    async def _flush(self, appends: list[tuple[Row, ...]]) -> list[int | BaseException]:
        try:
            return await self._call(appends)
        except (psycopg.OperationalError, psycopg.InterfaceError) as lost:
            await self._let_go()
            return await self._look_up_all(appends, lost)
        except psycopg.Error as refused:
            if len(appends) == 1:
                return [translated(refused)]
            alone = [await self._flush([rows]) for rows in appends]
            return [answers[0] for answers in alone]

    async def _call(self, appends: list[tuple[Row, ...]]) -> list[int | BaseException]:
        writer = await self._connected()
        values = append_values(appends, self._ahead())
        rows = await (await writer.execute(SQL["append"], values, prepare=True)).fetchall()
        return answers_of(rows, len(appends))

    async def _look_up_all(
        self, appends: list[tuple[Row, ...]], lost: Exception
    ) -> list[int | BaseException]:
        """One after the other; once the database is found to be gone, the rest share the answer."""
        answers: list[int | BaseException] = []
        for rows in appends:
            gone = answers and isinstance(answers[-1], LedgerUnavailable)
            answers.append(answers[-1] if gone else await self._look_up(rows, lost))
        return answers

    async def _look_up(self, rows: tuple[Row, ...], lost: Exception) -> int | BaseException:
        """After a lost connection: recorded or not? Only then may it be sent again.

        Waiting for the append lock first means that the lost transaction has ended either way.
        """
        try:
            writer = await self._connected()
            async with writer.transaction():
                await writer.execute(SQL["settle"])
                asked = await writer.execute(SQL["recorded_by"], lookup_values(rows))
                found = await asked.fetchone()
            if found and found[0] is not None:
                return int(found[0])
            return (await self._call([rows]))[0]
        except (psycopg.OperationalError, psycopg.InterfaceError):
            await self._let_go()
            return LedgerUnavailable(str(lost))
        except psycopg.Error as refused:
            return translated(refused)

    async def _let_go(self) -> None:
        if self._writer is not None:
            await self._writer.close()
        self._writer = None

    async def _connected(self) -> AsyncConnection:
        if self._writer is None or self._writer.closed:
            self._writer = await _connect(self._url)
        return self._writer

    # Reading.

    async def streams(self, stream_ids: Sequence[str]) -> dict[str, Stream]:
        """Each stream as it stands; an unknown one is empty."""
        asked = [self._loads.ask(stream_id) for stream_id in stream_ids]
        found = await asyncio.gather(*asked) if len(asked) > 1 else [await each for each in asked]
        await self._load_keys([row for rows in found for row in rows])
        return {
            stream_id: stream_of(rows, self.vault)
            for stream_id, rows in zip(stream_ids, found, strict=True)
        }

    async def history(self, stream_ids: Sequence[str]) -> list[Recorded]:
        """The events of these streams, with their places and metadata, in ledger order."""
        return await self._recorded(SQL["history"], (list(stream_ids),))

    async def page(self, after: int, limit: int) -> list[Recorded]:
        """The next events after a position, in order, without holes."""
        return await self._recorded(SQL["page"], (after, limit))

    async def window(self, after: int, last: int, topics: Sequence[str]) -> list[Recorded]:
        """The events of some topics between two positions, the first excluded, secrets sealed."""
        return sealed_page(await self._all(SQL["window"], (after, last, stored_as(topics))))

    async def at(self, positions: Sequence[int]) -> list[Recorded]:
        """The events at these positions, secrets sealed."""
        return sealed_page(await self._all(SQL["at"], (list(positions),)))

    async def revealed(self, positions: Sequence[int]) -> list[Recorded]:
        """The same with their secrets open, for those who may see them."""
        return await self._recorded(SQL["at"], (list(positions),))

    async def head(self) -> tuple[int, bytes]:
        """The last position and its hash; (0, 32 zero bytes) for an empty ledger."""
        row = await self._one(SQL["head"], ())
        return (row[0], bytes(row[1])) if row else (0, bytes(32))

    async def last_version(self, stream_id: str) -> int:
        row = await self._one(SQL["last_of_stream"], (stream_id,))
        return int(row[0]) if row else 0

    async def answer(self, claim: str) -> tuple[Any, int] | None:
        """The answer kept with an idempotency key, and the position of its record."""
        row = await self._one(SQL["answer"], (claim,))
        return (row[0], row[1]) if row else None

    async def _load(self, stream_ids: list[str]) -> list[list[Fields] | BaseException]:
        rows = await self._all(SQL["streams"], (stream_ids,))
        by_stream: dict[str, list[Fields]] = defaultdict(list)
        for row in rows:
            by_stream[row[0]].append(row)
        return [by_stream[stream_id] for stream_id in stream_ids]

    async def _recorded(self, statement: Any, values: Fields) -> list[Recorded]:
        rows = await self._all(statement, values)
        secret = [row[7] for row in rows if row[7] and codec.has_secrets(row[3])]
        await self.vault.load_keys(secret)
        return recorded_of(rows, self.vault)

    async def _load_keys(self, rows: Sequence[Fields]) -> None:
        owners = [row[4] for row in rows if row[4] and codec.has_secrets(row[2])]
        if owners:
            await self.vault.load_keys(owners)

    async def _one(self, statement: Any, values: Fields) -> Fields | None:
        rows = await self._all(statement, values)
        return rows[0] if rows else None

    async def _all(self, statement: Any, values: Fields) -> list[Fields]:
        try:
            async with self._pool.connection() as connection:
                return await (await connection.execute(statement, values, prepare=True)).fetchall()
        except psycopg.OperationalError as down:
            raise LedgerUnavailable(str(down)) from down


@stamina.retry(on=psycopg.OperationalError, attempts=5, timeout=5.0, wait_initial=0.05)
async def _connect(url: str) -> AsyncConnection:
    return await AsyncConnection.connect(url, autocommit=True)
