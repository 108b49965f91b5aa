"""The ledger for tools: the same statements, one connection, no event loop. See `ledger.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import Connection

from ledger import codec
from ledger.codec import Recorded
from ledger.errors import LedgerUnavailable
from ledger.ledger import SQL
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
from ledger.vault import LOAD_KEYS, MAKE_KEY, Keyring


class SyncLedger:
    """Sync face. `ahead` tells how far the application's clock is ahead of the real one."""

    def __init__(
        self, url: str, *, master_key: bytes, ahead: Callable[[], timedelta] = timedelta
    ) -> None:
        self._url, self._ahead = url, ahead
        self._keys = Keyring(master_key)
        self._held: Connection | None = None

    def __enter__(self) -> SyncLedger:
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go()

    # Writing.

    def append(self, events: Sequence[NewEvent], *, pass_id: str | None = None) -> int:
        """Records all of `events` or none; returns the last position. See `Ledger.append`."""
        if any(codec.has_secrets(new.event.TOPIC) for new in events):
            self._make_key(owner_of(pass_id))
        rows = rows_of(events, pass_id, self._keys)
        try:
            answer = self._call(rows)
        except (psycopg.OperationalError, psycopg.InterfaceError) as lost:
            self._let_go()
            answer = self._look_up(rows, lost)
        except psycopg.Error as refused:
            raise translated(refused) from refused
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _call(self, rows: tuple[Row, ...]) -> int | BaseException:
        values = append_values([rows], self._ahead())
        found = self._connected().execute(SQL["append"], values, prepare=True).fetchall()
        return answers_of(found, 1)[0]

    def _look_up(self, rows: tuple[Row, ...], lost: Exception) -> int | BaseException:
        """After a lost connection: recorded or not? Only then may it be sent again."""
        try:
            with self._connected().transaction():
                self._connected().execute(SQL["settle"])
                found = self._one("recorded_by", lookup_values(rows))
            return int(found[0]) if found and found[0] is not None else self._call(rows)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            self._let_go()
            return LedgerUnavailable(str(lost))
        except psycopg.Error as refused:
            return translated(refused)

    # Reading.

    def stream(self, stream_id: str) -> Stream:
        """A stream as it stands; an unknown one is empty."""
        rows = self._all("streams", ([stream_id],))
        self._load_keys(row[4] for row in rows if row[4] and codec.has_secrets(row[2]))
        return stream_of(rows, self._keys)

    def history(self, stream_ids: Sequence[str]) -> list[Recorded]:
        """The events of these streams, with their places and metadata, in ledger order."""
        return self._recorded("history", (list(stream_ids),))

    def page(self, after: int, limit: int) -> list[Recorded]:
        """The next events after a position, in order, without holes."""
        return self._recorded("page", (after, limit))

    def head(self) -> tuple[int, bytes]:
        """The last position and its hash; (0, 32 zero bytes) for an empty ledger."""
        rows = self._all("head", ())
        return (rows[0][0], bytes(rows[0][1])) if rows else (0, bytes(32))

    def _recorded(self, statement: str, values: Fields) -> list[Recorded]:
        rows = self._all(statement, values)
        self._load_keys(row[7] for row in rows if row[7] and codec.has_secrets(row[3]))
        return recorded_of(rows, self._keys)

    # The connection and the keys.

    def _make_key(self, pass_id: str) -> None:
        if self._keys.missing([pass_id]):
            values = (pass_id, self._keys.new_key(pass_id))
            try:
                self._connected().execute(MAKE_KEY, values)
            except psycopg.OperationalError as down:
                raise LedgerUnavailable(str(down)) from down
            self._load_keys([pass_id])

    def _load_keys(self, pass_ids: Iterable[str]) -> None:
        if wanted := self._keys.missing(pass_ids):
            self._keys.add(self._connected().execute(LOAD_KEYS, (wanted,)).fetchall())

    def _one(self, statement: str, values: Fields) -> Fields | None:
        return self._connected().execute(SQL[statement], values).fetchone()

    def _all(self, statement: str, values: Fields) -> list[Any]:
        try:
            return self._connected().execute(SQL[statement], values, prepare=True).fetchall()
        except psycopg.OperationalError as down:
            self._let_go()
            raise LedgerUnavailable(str(down)) from down

    def _connected(self) -> Connection:
        if self._held is None or self._held.closed:
            self._held = psycopg.connect(self._url, autocommit=True)
        return self._held

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.close()
        self._held = None
