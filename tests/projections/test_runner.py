"""One leader a projection, whatever happens to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import psycopg

from projections.catalog import all_projections
from projections.rebuild import Rebuild
from projections.runner import Runner
from projections.todo import Todo
from tests.projections.looking import eventually_so, leader, rows, standing
from tests.projections.stories import HAPPY, Teller
from tests.waiting import eventually
from tests.world import Child, Database, TestWorld

PAID = [(who, step, 0) for who in (0, 1) for step in HAPPY]


async def test_a_killed_leader_hands_over_and_nothing_is_missed(
    teller: Teller, database: Database, world: TestWorld, spawn: Callable[..., Child]
) -> None:
    children = {}
    for name in ("first", "second"):
        url = f"{database.url}?application_name={name}"
        children[name] = spawn("projections", env={**world.environment(), "DATABASE_URL": url})
    await teller.tell(PAID)
    names = [projection.name for projection in all_projections()]
    leaders = {name: eventually(lambda name=name: leader(database.url, name)) for name in names}
    assert set(leaders.values()) <= set(children)
    killed = leaders["characters"]
    assert killed
    children[killed].kill()
    await teller.tell(PAID)
    head, _ = await teller.ledger.head()
    for name in names:
        eventually(lambda name=name: standing(database.url, name)[1] == head)
    [survivor] = set(children) - {killed}
    assert leader(database.url, "characters") == survivor
    assert children[survivor].stop() == 0
    lived = rows(database.url)
    for projection in all_projections():
        await Rebuild(database.url, teller.ledger, projection).run()
    assert rows(database.url) == lived


async def test_a_runner_that_loses_its_place_finds_it_again(
    teller: Teller, database: Database
) -> None:
    runner = Runner(database.url, teller.ledger, Todo())
    running = asyncio.create_task(runner.run())
    await teller.tell(PAID)
    await eventually_so(lambda: standing(database.url, "todo")[1] > 0)
    async with await psycopg.AsyncConnection.connect(database.url) as connection:
        await connection.execute("UPDATE views.projections SET position = 0")
    await teller.tell(PAID)
    head, _ = await teller.ledger.head()
    await eventually_so(lambda: standing(database.url, "todo")[1] == head)
    assert not running.done()
    runner.stop()
    await running


async def test_a_runner_survives_the_loss_of_its_connection_at_any_moment(
    teller: Teller, database: Database
) -> None:
    runner = Runner(database.url, teller.ledger, Todo(), page=3)
    running = asyncio.create_task(runner.run())
    with psycopg.connect(database.superuser_url, autocommit=True) as killer:
        for _ in range(6):
            await teller.tell(PAID)
            killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                " AND objsubid = 1 AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
    head, _ = await teller.ledger.head()
    await eventually_so(lambda: standing(database.url, "todo")[1] == head)
    runner.stop()
    await running
    lived = rows(database.url, ["todo"])
    assert (await Rebuild(database.url, teller.ledger, Todo(), page=50).run()).done
    assert rows(database.url, ["todo"]) == lived
