"""A projection of a topic of Kafka: messages become rows, and offsets move in their transaction.

The topic is its ledger: dropped tables are filled by reading it from the beginning. A message may
come any number of times and in any order; one that cannot be taken is refused with its error, to be
parked by whoever reads the topic, and holds up no other.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

import msgspec
import psycopg
from psycopg import AsyncConnection

from ledger.audit import Rows
from ledger.statements import named_statements
from projections.batch import LeadLost
from projections.tables import SQL as TABLES

SQL = named_statements(Path(__file__).with_suffix(".sql"))

M = TypeVar("M")


class Record(Protocol):
    """A message as it lies on its topic; `timestamp` is in milliseconds, -1: unknown."""

    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def value(self) -> bytes | None: ...


class Refusal(NamedTuple):
    record: Any
    error: Exception


class Step(NamedTuple):
    """What a page does to a partition: `next` was `before` until now."""

    part: int
    before: int
    next: int
    ends: int


class Contradicted(ValueError):
    """An earlier message with this id says something else."""


class TopicProjection(Generic[M]):
    """Subclasses say how a message is read, and how a page of them changes the rows.

    The .sql beside a subclass has `schema`, `discard` and `contradicted`, which gets the messages
    of a page as JSON array and gives the numbers (from 1) of those whose id is taken by a message
    that says something else. `tables` are all the tables that `schema` makes.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    topic: ClassVar[str]
    tables: ClassVar[tuple[str, ...]]
    sql: ClassVar[dict[str, Any]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.sql = named_statements(Path(inspect.getfile(cls)).with_suffix(".sql"))

    @property
    def reader(self) -> str:
        """As whose messages the refused ones are parked."""
        return f"mega-{self.topic}"

    def read(self, record: Record) -> M:
        """The message; raises ValueError (or RecursionError) for what is none."""
        raise NotImplementedError

    async def take(
        self, connection: AsyncConnection, records: Sequence[Record], messages: Sequence[M]
    ) -> list[Refusal]:
        """Applies what does not contradict an earlier message, each once in effect."""
        page = {"page": msgspec.json.encode(messages).decode()}
        if await self.write(connection, page) == len(messages):
            return []
        found = await connection.execute(self.sql["contradicted"], page)
        numbers = [number for (number,) in await found.fetchall()]
        return [
            Refusal(records[number - 1], Contradicted(Contradicted.__doc__)) for number in numbers
        ]

    async def write(self, connection: AsyncConnection, page: dict[str, str]) -> int:
        """Writes `page` (a JSON array) where nothing contradicts it; how many are new for sure."""
        raise NotImplementedError


def storable(value: bytes | None, *texts: str) -> None:
    """Raises ValueError when one of the texts of a message is none that the database keeps."""
    if b"\\u0000" in (value or b"") and any("\0" in text for text in texts):
        raise ValueError("U+0000")


async def take(
    connection: AsyncConnection, projection: TopicProjection[Any], records: Iterable[Record]
) -> list[Refusal]:
    """Reads and applies messages; returns those that were refused."""
    read: list[tuple[Record, Any]] = []
    refused = []
    for record in records:
        try:
            read.append((record, projection.read(record)))
        except (ValueError, RecursionError) as poison:
            refused.append(Refusal(record, poison))
    return refused + await _apply(connection, projection, read) if read else refused


async def _apply(
    connection: AsyncConnection,
    projection: TopicProjection[Any],
    read: Sequence[tuple[Record, Any]],
) -> list[Refusal]:
    """A page that the database does not take is halved until the failing message stands alone."""
    records, messages = zip(*read, strict=True)
    try:
        async with connection.transaction():
            return await projection.take(connection, records, messages)
    except (psycopg.OperationalError, psycopg.ProgrammingError):
        raise  # the database is away or lacks our tables: no message is to blame
    except psycopg.Error as poison:
        if len(read) == 1:
            return [Refusal(records[0], poison)]
        middle = len(read) // 2
        first = await _apply(connection, projection, read[:middle])
        return first + await _apply(connection, projection, read[middle:])


async def set_up(connection: AsyncConnection, projection: TopicProjection[Any]) -> int:
    """Creates what is missing in the connection's schema; returns the version of its rows.

    Rows of another version are left alone. Where one of the tables is missing, all of them and
    the offsets start again.
    """
    name = {"name": projection.name}
    async with connection.transaction():
        await connection.execute(TABLES["workspace"])
        await connection.execute(SQL["offsets"])
        row = await (await connection.execute(SQL["version"], name)).fetchone()
        known = row[0] if row else None
        version: int = projection.version if known is None else known
        if version != projection.version:
            return version
        wanted = {"tables": list(projection.tables)}
        row = await (await connection.execute(SQL["missing"], wanted)).fetchone()
        if row and row[0]:
            await connection.execute(projection.sql["discard"])
            await connection.execute(SQL["forget"], name)
            await connection.execute(projection.sql["schema"])
    return version


async def register(
    connection: AsyncConnection, projection: TopicProjection[Any], ends: Mapping[int, int]
) -> dict[int, int]:
    """Where to read on in each partition; `ends` is where each ends now."""
    values = {
        "name": projection.name,
        "version": projection.version,
        "parts": list(ends),
        "ends": list(ends.values()),
    }
    found = await (await connection.execute(SQL["register"], values)).fetchall()
    if len(found) != len(ends):
        raise LeadLost(projection.name)
    return dict(found)


def steps(at: Mapping[int, int], nexts: Mapping[int, int], ends: Mapping[int, int]) -> list[Step]:
    """What lies between two places in a topic."""
    return [
        Step(part, at[part], next_, max(next_, ends.get(part, next_)))
        for part, next_ in nexts.items()
        if next_ != at[part]
    ]


async def look(
    connection: AsyncConnection, projection: TopicProjection[Any], at: Mapping[int, int]
) -> None:
    """Raises LeadLost when a table is gone or the rows are no longer as of `at`."""
    values = {"name": projection.name, "tables": list(projection.tables)}
    found = await (await connection.execute(SQL["standing"], values)).fetchall()
    if dict(found) != at:
        raise LeadLost(projection.name)


async def move(
    connection: AsyncConnection, projection: TopicProjection[Any], steps: Sequence[Step]
) -> None:
    """First in the transaction of a page. Raises LeadLost when another reader was here."""
    parts, befores, nexts, ends = (list(column) for column in zip(*steps, strict=True))
    values = {"parts": parts, "befores": befores, "nexts": nexts, "ends": ends}
    place = {"name": projection.name, "version": projection.version}
    moved = await connection.execute(SQL["move"], {**place, **values})
    if moved.rowcount != len(steps):
        raise LeadLost(projection.name)


async def places(rows: Rows, name: str) -> dict[int, int]:
    """The next offset of each partition that a projection shows: evidence of what it has seen."""
    return dict(await rows(SQL["places"], {"name": name}))
