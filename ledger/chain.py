"""Follows the hash chain of the whole ledger, and names the first row that breaks it.

Only built-in functions of the database are used, none of ours: who could rewrite the table could
rewrite our functions too. The form that is hashed is written out in `docs/ledger.md`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import psycopg
from psycopg import Connection

from ledger.chain_fault import Broken, Link, digest, explain
from ledger.errors import LedgerUnavailable
from ledger.statements import named_statements

SQL = named_statements(Path(__file__).with_suffix(".sql"))
START = bytes(32)
REPORT_EVERY = 20_000
LOOK_BACK = 1_000
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Verified:
    """`position` and `hash` are the last row up to which the chain holds (0, 32 zero bytes: none).

    `first_broken` is None exactly when `ok`.
    """

    ok: bool
    position: int
    hash: bytes
    first_broken: Broken | None


@dataclass(slots=True)
class _Walk:
    """How far the chain was followed; `break_at` is the row that did not fit."""

    position: int = 0
    hash: bytes = START
    head_seen: bool = False
    break_at: Link | None = None


def verify(
    where: str | Connection, head: bytes | None = None, progress: Progress | None = None
) -> Verified:
    """Recomputes every hash, streaming, in constant memory.

    `where` is a URL or a connection. `head` is a hash that the ledger is known to have had: if it
    is missing, the tail was cut. `progress` is called with rows done and rows in all.
    """
    with _connected(where) as connection, connection.cursor() as cursor:
        total = _number(connection, "last", ())
        with cursor.copy(SQL["chain"]) as copy:
            copy.set_types(["int8", "bytea", "bytea"])
            links: Iterator[Link] = copy.rows()
            walk = _follow(links, head, lambda done: progress(done, total) if progress else None)
            broken = _fault(walk, links) if walk.break_at else None
        if broken is None or walk.break_at is None:
            broken = _cut(walk, head) or _out_of_order(connection, walk.position)
        else:
            broken = _looked_back(connection, walk.break_at, broken)
    return Verified(broken is None, walk.position, walk.hash, broken)


async def verify_async(
    url: str, head: bytes | None = None, progress: Progress | None = None
) -> Verified:
    """The same in a thread; `progress` is called from there."""
    return await asyncio.to_thread(verify, url, head, progress)


def _follow(links: Iterator[Link], head: bytes | None, report: Callable[[int], None]) -> _Walk:
    position, hash_ = 0, START
    seen = head is None or head == START
    for link in links:
        at, stored, body = link
        if at != position + 1 or sha256(b"%b%d\n%b" % (hash_, at, body)).digest() != stored:
            return _Walk(position, hash_, seen, link)
        position, hash_ = at, stored
        if stored == head:
            seen = True
        if at % REPORT_EVERY == 0:
            report(at)
    report(position)
    return _Walk(position, hash_, seen)


def _fault(walk: _Walk, rest: Iterator[Link]) -> Broken:
    assert walk.break_at is not None
    broken = explain(walk.position, walk.hash, walk.break_at, rest)
    for _ in rest:  # a COPY is read to its end, or the connection is lost with it
        pass
    return broken


def _looked_back(connection: Connection, link: Link, broken: Broken) -> Broken:
    """What only the rows before the break can tell: forged rows there, whose hashes fit."""
    at, stored, body = link
    rows = connection.execute(SQL["before"], (at, LOOK_BACK)).fetchall()
    for (position, _), (_, previous) in pairwise([*rows, (0, START)]):
        if digest(bytes(previous), position, body) == stored:
            return Broken(
                position,
                f"inserted: row {at} has the hash that belongs to position {position}, so what"
                f" stands at {position} to {at - 1} was put in before it",
            )
    if not broken.certain:
        stream, version = body.split(b"\n")[:2] if body else (b"", b"0")
        asked = (stream.decode(), at)
        expected = _number(connection, "version_before", asked) + 1
        if int(version) != expected:
            return Broken(
                at,
                f"inserted: version {int(version)} of {asked[0]} where {expected} would follow,"
                " and its hash does not follow either",
            )
    return broken


def _cut(walk: _Walk, head: bytes | None) -> Broken | None:
    if head is None or walk.head_seen:
        return None
    return Broken(
        walk.position + 1,
        f"removed: the hash {head.hex()} is nowhere in the chain, so rows after"
        f" {walk.position} were cut off",
    )


def _out_of_order(connection: Connection, last: int) -> Broken | None:
    """Versions of a stream that are not 1..n in order, although the hashes were all made to fit."""
    row = connection.execute(SQL["out_of_order"], (last,)).fetchone()
    if row is None:
        return None
    position, stream, version, place = row
    if version > place:
        return Broken(
            position, f"removed: {stream} has version {version} here, but {place} is missing"
        )
    return Broken(position, f"inserted: {stream} has version {version} here, but {place} was due")


def _number(connection: Connection, statement: str, values: tuple[object, ...]) -> int:
    row = connection.execute(SQL[statement], values).fetchone()
    return int(row[0]) if row else 0


@contextmanager
def _connected(where: str | Connection) -> Iterator[Connection]:
    if isinstance(where, Connection):
        yield where
        return
    try:
        with psycopg.connect(where, autocommit=True) as connection:
            yield connection
    except psycopg.OperationalError as down:
        raise LedgerUnavailable(str(down)) from down
