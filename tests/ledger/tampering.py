"""What somebody who owns the tables might do to the ledger behind its back."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

Copy = psycopg.Connection
COLUMNS = "mg_position, originator_id, originator_version, topic, event, mg_recorded_at, mg_hash"
BODY = (
    "g.mg_position || E'\\n' || g.originator_id || E'\\n' || g.originator_version || E'\\n'"
    " || g.topic || E'\\n' || mega_microseconds(g.mg_recorded_at) || E'\\n' || g.event::text"
)


def put(connection: Copy, at: int, to: int) -> None:
    moved = "UPDATE mega_generations SET mg_position = %s WHERE mg_position = %s"
    connection.execute(moved, (to, at))


def shift(connection: Copy, first: int, by: int) -> None:
    """Moves every row from `first` on by some positions, hashes and all."""
    away = "UPDATE mega_generations SET mg_position = -mg_position - %s WHERE mg_position >= %s"
    connection.execute(away, (by, first))
    back = "UPDATE mega_generations SET mg_position = -mg_position WHERE mg_position < 0"
    connection.execute(back)


def delete(connection: Copy, first: int, last: int) -> None:
    where = "DELETE FROM mega_generations WHERE mg_position BETWEEN %s AND %s"
    connection.execute(where, (first, last))


def insert(connection: Copy, at: int, stream: str, version: int, how: str = "any") -> None:
    """A forged row, whose hash is just any, or `fitting`."""
    connection.execute(
        f"INSERT INTO mega_generations ({COLUMNS}) VALUES"
        " (%s, %s, %s, 'forged.v1', '{\"data\": {}, \"metadata\": {}}', now(), sha256('x'))",
        (at, stream, version),
    )
    if how == "fitting":
        rehash(connection, at, at)


def rehash(connection: Copy, first: int, last: int) -> None:
    """What somebody would do who knows the form of the hash."""
    for position in range(first, last + 1):
        connection.execute(
            f"UPDATE mega_generations AS g SET mg_hash = sha256(b.mg_hash ||"
            f" convert_to({BODY}, 'UTF8')) FROM mega_generations AS b"
            " WHERE g.mg_position = %s AND b.mg_position = g.mg_position - 1",
            (position,),
        )


def swap(connection: Copy, one: int, other: int) -> None:
    put(connection, one, -1)
    put(connection, other, one)
    put(connection, -1, other)


def swap_but_for_the_hash(connection: Copy, one: int, other: int) -> None:
    swap(connection, one, other)
    connection.execute(
        "UPDATE mega_generations AS g SET mg_hash = h.mg_hash FROM mega_generations AS h"
        " WHERE (g.mg_position, h.mg_position) IN ((%(a)s, %(b)s), (%(b)s, %(a)s))",
        {"a": one, "b": other},
    )


def alter(column: str, value: str) -> Callable[[Copy], object]:
    statement = f"UPDATE mega_generations SET {column} = {value} WHERE mg_position = 17"
    return lambda connection: connection.execute(statement.encode())


def steps(*each: Callable[[Copy], object]) -> Callable[[Copy], None]:
    def take(connection: Copy) -> None:
        for step in each:
            step(connection)

    return take


TAMPERINGS: dict[str, tuple[Callable[[Copy], object], int, str]] = {
    "an event altered": (
        alter("event", "jsonb_set(event, '{data,text}', '\"other\"')"),
        17,
        "altered",
    ),
    "metadata altered": (alter("event", "event || '{\"metadata\": {}}'"), 17, "altered"),
    "a stream altered": (alter("originator_id", "'s:9'"), 17, "altered"),
    "a topic altered": (alter("topic", "'other.v1'"), 17, "altered"),
    "a time altered": (alter("mg_recorded_at", "mg_recorded_at + '1 us'"), 17, "altered"),
    "a hash altered": (alter("mg_hash", "sha256(mg_hash)"), 17, "altered"),
    "a hash emptied": (alter("mg_hash", "''"), 17, "altered"),
    "an event altered and its hash made to fit": (
        steps(alter("topic", "'other.v1'"), lambda c: rehash(c, 17, 17)),
        18,
        "altered",
    ),
    "the last altered": (
        lambda c: c.execute("UPDATE mega_generations SET topic = 'x' WHERE mg_position = 40"),
        40,
        "altered",
    ),
    "one removed": (lambda c: delete(c, 17, 17), 17, "removed"),
    "the first removed": (lambda c: delete(c, 1, 1), 1, "removed"),
    "five removed": (lambda c: delete(c, 17, 21), 17, "removed"),
    "one removed, the rest moved up": (
        steps(lambda c: delete(c, 17, 17), lambda c: shift(c, 18, -1)),
        17,
        "removed",
    ),
    "five removed, the rest moved up": (
        steps(lambda c: delete(c, 17, 21), lambda c: shift(c, 22, -5)),
        17,
        "removed",
    ),
    "a stream's event removed, and everything after made to fit": (
        steps(lambda c: delete(c, 17, 17), lambda c: shift(c, 18, -1), lambda c: rehash(c, 17, 39)),
        20,
        "removed",
    ),
    "neighbours swapped": (lambda c: swap(c, 17, 18), 17, "swapped"),
    "two far ones swapped": (lambda c: swap(c, 17, 33), 17, "swapped"),
    "the first and last swapped": (lambda c: swap(c, 1, 40), 1, "swapped"),
    "neighbours swapped, not their hashes": (
        lambda c: swap_but_for_the_hash(c, 17, 18),
        17,
        "swapped",
    ),
    "two far ones swapped, not their hashes": (
        lambda c: swap_but_for_the_hash(c, 17, 33),
        17,
        "swapped",
    ),
    "three swapped round": (
        steps(lambda c: swap(c, 17, 25), lambda c: swap(c, 17, 33)),
        17,
        "swapped",
    ),
    "one inserted": (
        steps(lambda c: shift(c, 17, 1), lambda c: insert(c, 17, "s:9", 1)),
        17,
        "inserted",
    ),
    "one inserted with a fitting hash": (
        steps(lambda c: shift(c, 17, 1), lambda c: insert(c, 17, "s:9", 1, "fitting")),
        17,
        "inserted",
    ),
    "three inserted": (
        steps(
            lambda c: shift(c, 17, 3),
            *(lambda c, n=n: insert(c, 16 + n, "s:9", n) for n in (1, 2, 3)),
        ),
        17,
        "inserted",
    ),
    "three inserted with fitting hashes": (
        steps(
            lambda c: shift(c, 17, 3),
            *(lambda c, n=n: insert(c, 16 + n, "s:9", n, "fitting") for n in (1, 2, 3)),
        ),
        17,
        "inserted",
    ),
    "one inserted first": (
        steps(lambda c: shift(c, 1, 1), lambda c: insert(c, 1, "s:9", 1)),
        1,
        "inserted",
    ),
    "one inserted last": (lambda c: insert(c, 41, "s:9", 1), 41, "inserted"),
    "one inserted last, out of order in its stream": (
        lambda c: insert(c, 41, "s:1", 99),
        41,
        "inserted",
    ),
    "one inserted beyond the end": (lambda c: insert(c, 45, "s:9", 1), 41, "removed"),
}
