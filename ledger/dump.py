"""Rows of the ledger in the form that is hashed, for who checks them without us.

`docs/ledger.md` tells the form; `docs/verify_dump.py` recomputes the chain of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from ledger.statements import named_statements

SQL = named_statements(Path(__file__).with_suffix(".sql"))


@dataclass(frozen=True, slots=True)
class Line:
    """`at` is in microseconds since 1970 UTC, `event` the text that is hashed, `hash` hexadecimal.

    The fields stand in the order in which they are hashed.
    """

    position: int
    stream: str
    version: int
    topic: str
    at: int
    event: str
    hash: str


@dataclass(frozen=True, slots=True)
class Span:
    """Positions first..last of the ledger; `before` is the hash of the row above `first`."""

    first: int
    last: int
    before: str

    @property
    def rows(self) -> int:
        return max(0, self.last - self.first + 1)


def span(connection: psycopg.Connection, first: int, last: int | None) -> Span:
    """What there is of first..last (None: the head) at the moment."""
    row = connection.execute(SQL["span"], {"first": first, "last": last}).fetchone()
    assert row is not None
    return Span(first, *row)


def lines(connection: psycopg.Connection, chosen: Span) -> Iterator[Line]:
    """Streams the rows, in constant memory; a row that is missing is missing here too."""
    with connection.cursor() as cursor, cursor.copy(SQL["lines"], (chosen.first, chosen.last)) as c:
        c.set_types(["int8", "text", "int8", "text", "int8", "text", "text"])
        for row in c.rows():
            yield Line(*row)
