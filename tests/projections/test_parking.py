"""A poison event parks what depends on it, and nothing else; a replay makes up for it (I-28)."""

from __future__ import annotations

from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from ledger.codec import Recorded
from ledger.ledger import Ledger
from projections.parked import parked, replay
from projections.projection import Projection
from projections.tables import LIVE, connect, set_up
from projections.todo import Promise, Todo
from tests.projections.conftest import MASTER_KEY
from tests.projections.looking import catch_up, parked_of, rows, standing
from tests.projections.stories import HAPPY, Teller, stories
from tests.world import Database, TestWorld

PAID: list[Any] = [(who, step, 0) for who in (0, 1) for step in HAPPY]


class Fragile(Todo):
    """`todo`, but some positions are too much for it."""

    def __init__(self, *poison: int) -> None:
        super().__init__()
        self.poison = set(poison)

    def fold(self, key: str, state: Promise | None, recorded: Recorded) -> Promise | None:
        if recorded.position in self.poison:
            raise ZeroDivisionError(f"position {recorded.position}")
        return super().fold(key, state, recorded)


async def heal(database: Database, ledger: Ledger, projection: Projection[Any]) -> None:
    async with await connect(database.url, LIVE) as connection:
        replayed = await replay(connection, ledger, projection)
        assert replayed.parked == 0
        assert not await parked(connection)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    told=stories,
    poison=some.sets(some.integers(1, 40), min_size=1, max_size=4),
    page=some.integers(1, 40),
)
async def test_after_a_replay_all_is_as_if_nothing_had_failed(
    told: Any, poison: set[int], page: int, world: TestWorld
) -> None:
    with world.database() as database:
        async with Ledger(database.url, master_key=MASTER_KEY) as ledger:
            await Teller(ledger).tell(told)
            await catch_up(database.url, ledger, Fragile(*poison), page)
            head, _ = await ledger.head()
            assert standing(database.url, "todo")[1] == head, "it never stops for a poison"
            await heal(database, ledger, Todo())
            healed = rows(database.url, ["todo"])
            with psycopg.connect(database.url) as connection:
                connection.execute("TRUNCATE views.todo")
                connection.execute("UPDATE views.projections SET position = 0 WHERE name = 'todo'")
            await catch_up(database.url, ledger, Todo())
            assert rows(database.url, ["todo"]) == healed


async def test_others_flow_while_one_waits(teller: Teller, database: Database) -> None:
    first = await teller.tell(PAID)
    history = await teller.ledger.history([f"character:{first[0]}"])
    poison = history[1]
    await teller.tell(PAID)
    await catch_up(database.url, teller.ledger, Fragile(poison.position + 1), 10)
    async with await connect(database.url, LIVE) as connection:
        waiting = await parked_of(connection, "todo")
    held = {stream for _, stream, _ in waiting}
    failed = [error for _, _, error in waiting if error]
    assert failed == [f"ZeroDivisionError: position {poison.position + 1}"]
    cards = {row["character_id"] for row in rows(database.url, ["todo"])["todo"]}
    assert len(held) >= 1 and set(teller.characters[2:]) <= cards


async def test_an_unreadable_event_parks_its_stream_alone(
    teller: Teller, database: Database
) -> None:
    await teller.tell(PAID)
    with psycopg.connect(database.url, autocommit=True) as connection:
        event = '{"data": {"order_id": 7}, "metadata": {"correlation_id": "c"}}'
        connection.execute(
            "SELECT * FROM mega_append('{1}', '{order:odd}', '{1}', '{order_opened.v1}',"
            " ARRAY[%s::jsonb])",
            (event,),
        )
    healthy = await teller.tell(PAID)
    await catch_up(database.url, teller.ledger, Todo(), 10)
    async with await connect(database.url, LIVE) as connection:
        [(_, stream, error)] = await parked_of(connection, "todo")
    assert stream == "order:odd" and error and "order_opened.v1 is unreadable" in error
    assert set(healthy) <= {row["character_id"] for row in rows(database.url, ["todo"])["todo"]}


async def test_what_fails_again_is_parked_again(teller: Teller, database: Database) -> None:
    await teller.tell(PAID)
    head, _ = await teller.ledger.head()
    fragile = Fragile(*range(1, head + 1))
    async with await connect(database.url, LIVE) as connection:
        await set_up(connection, fragile)
        await catch_up(database.url, teller.ledger, fragile, 10)
        before = await parked_of(connection, "todo")
        replayed = await replay(connection, teller.ledger, fragile)
        assert (replayed.tried, replayed.parked) == (len(before), len(before))
        assert [position for position, *_ in await parked_of(connection, "todo")] == [
            position for position, *_ in before
        ]
