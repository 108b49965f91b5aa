"""Rows of the table about the archive: a page of fifty of a million, at any depth, in the database.

All of it is of one pass. One in five is a video, one in fifty is liked.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
import uvloop

from api.archiving import SQL
from api.parts import set_up_views
from bench.measure import Measurement, alone, percentile
from tests.world import Database

ROWS, PAGE, PAGES, WARMING = 1_000_000, 50, 1_000, 20
PASS = "pass:user:ada"
FILL = """
INSERT INTO views.generations (generation_id, pass_id, kind, status, liked, position,
    done_position, created_at, output_url, brief, state)
SELECT gen_random_uuid()::text, %s, CASE WHEN n %% 5 = 0 THEN 'video' ELSE 'still' END, 'done',
    n %% 50 = 0, n * 20, n * 20 + 15, timestamptz '2026-01-01Z' + n * interval '20 seconds',
    'https://assets.example/generations/' || n || '.png', repeat('sealed', 30), repeat('{}', 500)
FROM generate_series(1, %s) AS n
"""
ANY_TIME = {"since": "-infinity", "until": "infinity"}
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "": ("page", {"kind": None, "liked": None}),
    ", of one kind": ("page_of_kind", {"kind": "video", "liked": None}),
    ", of those liked": ("page_of_liked", {"kind": None, "liked": True}),
}


def rows(database: Database) -> Iterator[Measurement]:
    uvloop.run(set_up_views(database.url))
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        connection.execute(FILL, (PASS, ROWS))
        connection.execute("VACUUM (ANALYZE) views.generations")
        connection.execute("CHECKPOINT")
    with psycopg.connect(database.url, autocommit=True) as connection:
        for what, (statement, filters) in ASKED.items():
            waits = [wait(connection, statement, filters) for _ in range(WARMING + PAGES)]
            yield row(what, waits[WARMING:])
        waits = [wait_for_window(connection) for _ in range(WARMING + PAGES)]
        yield row(", of a week", waits[WARMING:])


def wait(connection: psycopg.Connection, statement: str, filters: dict[str, Any]) -> float:
    """Milliseconds for a page somewhere."""
    place = {"after": 0, "before": random.randrange(100_000, ROWS * 20), **ANY_TIME}
    began = time.perf_counter()
    found = page(connection, statement, {**filters, **place})
    took = time.perf_counter() - began
    if found != PAGE:
        raise RuntimeError(f"a page of {found}")
    return took * 1000


def wait_for_window(connection: psycopg.Connection) -> float:
    """Milliseconds for the first page of some week."""
    first = date(2026, 1, 1) + timedelta(days=random.randrange(7, 200))
    since, until = str(first), str(first + timedelta(days=7))
    window = {"since": since, "until": until}
    began = time.perf_counter()
    asked = {"names": [PASS], **window}
    found = connection.execute(SQL["window"], asked, prepare=True).fetchone()
    assert found is not None
    place = {"after": found[0] or 0, "before": found[1] or ROWS * 40}
    none: dict[str, Any] = {"kind": None, "liked": None}
    if page(connection, "page", {**none, **place, **window}) != PAGE:
        raise RuntimeError("a week with less than a page")
    return (time.perf_counter() - began) * 1000


def page(connection: psycopg.Connection, statement: str, asked: dict[str, Any]) -> int:
    values = {"names": [PASS], "limit": PAGE, **asked}
    return len(connection.execute(SQL[statement], values, prepare=True).fetchall())


def row(what: str, waits: list[float]) -> Measurement:
    return alone(
        f"archive page of {PAGE} of {ROWS:,} at any depth{what}, p99",
        percentile(waits, 0.99),
        unit="ms",
        target=10,
        at_most=True,
        runs=len(waits),
    )
