"""Any interleaving of appends, from two processes at once, leaves a whole and honest ledger."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.chain import verify
from ledger.errors import BalanceRefused, StreamConflict
from ledger.ledger import Ledger
from tests.ledger.conftest import MASTER_KEY
from tests.ledger.events import moved, noted
from tests.world import Database

STREAMS = 4
Writes = dict[int, tuple[int, int]]
"""Stream number to (expected first version, how many events)."""

writes = st.dictionaries(
    st.integers(0, STREAMS - 1), st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=1
)
rounds = st.lists(st.lists(writes, min_size=1, max_size=8), min_size=1, max_size=4)
per_database = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Tried(NamedTuple):
    writes: Writes
    tag: str
    answer: int | BaseException


@per_database
@given(rounds=rounds)
def test_positions_and_versions_are_dense_and_appends_whole(
    database: Database, rounds: list[list[Writes]]
) -> None:
    family = uuid4().hex
    tried = asyncio.run(run(database.url, family, rounds))
    with psycopg.connect(database.url) as connection:
        rows = connection.execute(
            "SELECT mg_position, originator_id, originator_version, event->'data'->>'text'"
            " FROM mega_generations ORDER BY mg_position"
        ).fetchall()
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    versions = defaultdict(list)
    for _, stream, version, _ in rows:
        versions[stream].append(version)
    assert all(seen == list(range(1, len(seen) + 1)) for seen in versions.values())
    for attempt in tried:
        check(attempt, family, [row for row in rows if row[3] == attempt.tag])
    assert verify(database.url).ok


def check(attempt: Tried, family: str, found: list[tuple[int, str, int, str]]) -> None:
    if isinstance(attempt.answer, StreamConflict):
        assert found == []
        assert attempt.answer.stream in {f"s:{family}:{n}" for n in attempt.writes}
        return
    size = sum(count for _, count in attempt.writes.values())
    assert isinstance(attempt.answer, int)
    assert [row[0] for row in found] == list(range(attempt.answer - size + 1, attempt.answer + 1))
    first_versions = {f"s:{family}:{n}": first for n, (first, _) in attempt.writes.items()}
    assert {stream: min(v for _, s, v, _ in found if s == stream) for stream in first_versions} == (
        first_versions
    )


async def run(url: str, family: str, rounds: list[list[Writes]]) -> list[Tried]:
    tried: list[Tried] = []
    known: Counter[int] = Counter()
    async with (
        Ledger(url, master_key=MASTER_KEY) as one,
        Ledger(url, master_key=MASTER_KEY) as two,
    ):
        for chosen in rounds:
            tags = [uuid4().hex for _ in chosen]
            answers = await asyncio.gather(
                *(
                    ((one, two)[n % 2]).append(
                        [
                            noted(f"s:{family}:{stream}", first + extra, tag)
                            for stream, (first, count) in asked.items()
                            for extra in range(count)
                        ]
                    )
                    for n, (asked, tag) in enumerate(zip(chosen, tags, strict=True))
                ),
                return_exceptions=True,
            )
            tried += map(Tried, chosen, tags, answers)
            assert_nobody_suffered(known, chosen, answers)
            for asked, answer in zip(chosen, answers, strict=True):
                if isinstance(answer, int):
                    known.update({stream: count for stream, (_, count) in asked.items()})
    return tried


def assert_nobody_suffered(
    known: Counter[int], chosen: list[Writes], answers: list[int | BaseException]
) -> None:
    """Who alone asked for its streams, at the right versions, was recorded, whatever the others
    did; and of those who asked for just one version of one stream, the first was recorded."""
    askers = Counter(stream for asked in chosen for stream in asked)
    for asked, answer in zip(chosen, answers, strict=True):
        alone = all(askers[stream] == 1 for stream in asked)
        right = all(first == known[stream] + 1 for stream, (first, _) in asked.items())
        if alone:
            assert isinstance(answer, int) == right, (asked, known, answer)


moves = st.lists(
    st.tuples(
        st.sampled_from(["pass:anon:1", "pass:anon:2"]), st.integers(-9, 9), st.integers(-5, 5)
    ),
    min_size=1,
    max_size=25,
)


@pytest.fixture
def customers(database: Database) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.url, autocommit=True) as connection:
        yield connection


@per_database
@given(moves=moves)
def test_mega_customers_is_what_the_ledger_says(
    database: Database, customers: psycopg.Connection, moves: list[tuple[str, int, int]]
) -> None:
    model = current(customers)
    asyncio.run(move(database.url, moves, model))
    shown = current(customers)
    assert {pass_id: row for pass_id, row in model.items() if row != (0, 0)} == {
        pass_id: row for pass_id, row in shown.items() if row != (0, 0)
    }
    whole = "SELECT * FROM mega_customers ORDER BY mg_pass_id"
    before = customers.execute(whole).fetchall()
    customers.execute("SELECT mega_rebuild_customers()")
    assert customers.execute(whole).fetchall() == before
    sums: dict[str, int] = dict(
        customers.execute(
            "SELECT mg_pass_id, sum(mg_delta)::bigint FROM mega_generations GROUP BY mg_pass_id"
        ).fetchall()
    )
    assert sums == {pass_id: row[0] for pass_id, row in shown.items()}


def current(connection: psycopg.Connection) -> dict[str, tuple[int, int]]:
    asked = "SELECT mg_pass_id, mg_credits, mg_credits_held FROM mega_customers"
    return {pass_id: (credits, held) for pass_id, credits, held in connection.execute(asked)}


async def move(
    url: str, moves: list[tuple[str, int, int]], model: dict[str, tuple[int, int]]
) -> None:
    """Applies each movement the model allows, and expects a refusal of each it does not."""
    async with Ledger(url, master_key=MASTER_KEY) as ledger:
        for pass_id, delta, held in moves:
            version = await ledger.last_version(f"credit_account:{pass_id}") + 1
            credits, already = model.get(pass_id, (0, 0))
            after = (credits + delta, already + held)
            append = ledger.append([moved(pass_id, version, delta, held)])
            if 0 <= after[1] <= after[0]:
                await append
                model[pass_id] = after
            else:
                with pytest.raises(BalanceRefused):
                    await append
