"""Rebuilds: resumed after a stop, swapped in under readers and writers, from nothing at all."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from domain.order import Order
from ledger.ledger import Ledger
from ledger.migrate import migrate
from projections.catalog import all_projections
from projections.characters import Card, Characters
from projections.rebuild import Rebuild, RebuildRunning, rebuild_all, shadow_of
from projections.runner import Runner
from projections.tables import LIVE, connect, set_up
from tests.projections.conftest import MASTER_KEY
from tests.projections.looking import catch_up, catch_up_all, eventually_so, rows, standing
from tests.projections.stories import HAPPY, Teller
from tests.world import Database

PAID: list[Any] = [(who, step, 0) for who in (0, 1) for step in HAPPY]


class Louder(Characters):
    """The next version of a projection: it shows something more."""

    version = Characters.version + 1

    def view(self, card: Card) -> dict[str, Any]:
        return {**super().view(card), "orders": len(card.orders)}


async def test_a_rebuild_that_is_stopped_goes_on_where_it_was(
    teller: Teller, database: Database
) -> None:
    await teller.tell(PAID)
    await catch_up_all(database.url, teller.ledger)
    before = rows(database.url)
    reached: list[int] = []

    def stop_after_two(done: int, total: int) -> None:
        reached.append(done)
        if len(reached) == 2:
            rebuild.cancel()

    rebuild = Rebuild(database.url, teller.ledger, Characters(), page=5, progress=stop_after_two)
    stopped = await rebuild.run()
    assert (stopped.done, stopped.position) == (False, 10)
    assert rows(database.url) == before

    again = Rebuild(
        database.url, teller.ledger, Characters(), page=5, progress=lambda d, t: reached.append(d)
    )
    finished = await again.run()
    assert finished.done and reached[:4] == [5, 10, 15, 20]
    assert rows(database.url) == before
    assert not schemas(database, shadow_of(Characters()))


async def test_a_killed_rebuild_goes_on_where_it_was(teller: Teller, database: Database) -> None:
    await teller.tell(PAID)
    await catch_up_all(database.url, teller.ledger)
    before = rows(database.url)

    def die(done: int, total: int) -> None:
        if done >= 15:
            raise KilledError

    rebuild = Rebuild(database.url, teller.ledger, Characters(), page=5, progress=die)
    with pytest.raises(KilledError):
        await rebuild.run()
    reached: list[int] = []
    again = Rebuild(
        database.url, teller.ledger, Characters(), page=5, progress=lambda d, t: reached.append(d)
    )
    assert (await again.run()).done
    assert reached[0] == 20
    assert rows(database.url) == before


class KilledError(Exception):
    pass


async def test_only_one_rebuild_of_a_projection_runs_at_a_time(
    teller: Teller, database: Database
) -> None:
    await teller.tell(PAID)
    async with await connect(database.url, LIVE) as other:
        await other.execute("SELECT pg_advisory_lock(hashtextextended('rebuild characters', 0))")
        with pytest.raises(RebuildRunning):
            await Rebuild(database.url, teller.ledger, Characters()).run()


async def test_the_live_runner_and_readers_go_on_through_swaps(
    teller: Teller, database: Database
) -> None:
    runner = Runner(database.url, teller.ledger, Characters())
    running = asyncio.create_task(runner.run())
    await teller.tell(PAID)
    writing = asyncio.create_task(tell_many(teller, 12))
    reading = asyncio.create_task(read_until(writing, database))
    swaps = 0
    while not writing.done():
        assert (await Rebuild(database.url, teller.ledger, Characters(), page=20).run()).done
        swaps += 1
    await writing
    assert swaps >= 2
    counts = await reading
    assert counts == sorted(counts), "a reader saw characters vanish"
    head, _ = await teller.ledger.head()
    await eventually_so(lambda: standing(database.url, "characters")[1] == head)
    assert not running.done()
    runner.stop()
    await running
    lived = rows(database.url, ["characters"])
    assert len(lived["characters"]) == len(teller.characters)
    await Rebuild(database.url, teller.ledger, Characters()).run(fresh=True)
    assert rows(database.url, ["characters"]) == lived


async def tell_many(teller: Teller, times: int) -> None:
    for _ in range(times):
        await teller.tell(PAID)


async def read_until(done: asyncio.Task[None], database: Database) -> list[int]:
    """How many characters a reader saw, again and again; it never fails."""
    counts = []
    async with await AsyncConnection.connect(database.url, autocommit=True) as connection:
        while not done.done():
            with suppress(psycopg.errors.UndefinedTable if not counts else ()):
                found = await connection.execute(
                    "SELECT count(*) FROM views.characters", prepare=True
                )
                counts.append((await found.fetchone() or (0,))[0])
    return counts


async def test_a_new_version_is_rebuilt_beside_the_old_one_and_takes_over(
    teller: Teller, database: Database
) -> None:
    await teller.tell(PAID)
    old = Runner(database.url, teller.ledger, Characters())
    leading = asyncio.create_task(old.run())
    await eventually_so(lambda: standing(database.url, "characters")[1] > 0)
    new = Runner(database.url, teller.ledger, Louder())
    taking_over = asyncio.create_task(new.run())
    await eventually_so(lambda: standing(database.url, "characters")[0] == Louder.version)
    await teller.tell(PAID)
    head, _ = await teller.ledger.head()
    await eventually_so(lambda: standing(database.url, "characters")[1] == head)
    assert not leading.done(), "the old program waits, it does not crash"
    for runner, task in ((old, leading), (new, taking_over)):
        runner.stop()
        await task
    views = [row["view"] for row in rows(database.url, ["characters"])["characters"]]
    assert [view["orders"] for view in views] == [1] * len(teller.characters)


async def test_everything_but_the_ledger_is_dropped_and_comes_back_equal(
    teller: Teller, database: Database
) -> None:
    await teller.tell([*PAID, (0, "mini", 0), (0, "merge", 1), (1, "surplus", 0)])
    await catch_up_all(database.url, teller.ledger)
    before, customers = rows(database.url), folded_tables(database)
    drop_all_but_the_ledger(database)
    migrate(database.admin_url, app_role="mega_app", again=True)

    async with Ledger(database.url, master_key=MASTER_KEY) as ledger:
        rebuilt = await rebuild_all(database.url, ledger, all_projections())
        assert rebuilt.done
        assert rows(database.url) == before
        assert folded_tables(database) == customers
        assert rebuilt.tables["mega_customers"] == len(customers["mega_customers"]) > 0
        await Teller(ledger).tell(PAID)  # and commands are accepted as before


async def test_a_dropped_table_is_filled_again_by_its_runner(
    teller: Teller, database: Database
) -> None:
    await teller.tell(PAID)
    runner = Runner(database.url, teller.ledger, Characters())
    running = asyncio.create_task(runner.run())
    head, _ = await teller.ledger.head()
    await eventually_so(lambda: standing(database.url, "characters")[1] == head)
    before = rows(database.url, ["characters"])
    with psycopg.connect(database.url) as connection:
        connection.execute("DROP TABLE views.characters")
    second = await teller.tell(PAID)
    head, _ = await teller.ledger.head()
    await eventually_so(lambda: standing(database.url, "characters")[1] == head)
    runner.stop()
    await running
    after = rows(database.url, ["characters"])["characters"]
    assert len(after) == len(before["characters"]) + len(second)
    assert not rows(database.url, ["parked"])["parked"]


async def test_what_a_projection_sees_of_a_secret_stays_sealed(
    teller: Teller, database: Database
) -> None:
    await teller.tell(PAID)
    head, _ = await teller.ledger.head()
    [asked, *_] = await teller.ledger.window(0, head, ["generation_requested.v1"])
    assert asked.event.prompt.startswith("sealed:")  # type: ignore[attr-defined]


async def test_a_projection_keeps_whole_orders_between_pages(
    teller: Teller, database: Database
) -> None:
    await teller.tell(PAID)
    for page in (1, 7):
        await catch_up(database.url, teller.ledger, Characters(), page)
    async with await connect(database.url, LIVE) as connection:
        await set_up(connection, Characters())
        found = await connection.execute("SELECT state FROM characters")
        cards = [Characters().revive(text) for (text,) in await found.fetchall()]
    orders = [order for card in cards for order in card.orders.values()]
    assert all(isinstance(order, Order) and order.payment for order in orders) and orders


def schemas(database: Database, name: str) -> list[Any]:
    with psycopg.connect(database.url) as connection:
        return connection.execute(
            "SELECT 1 FROM pg_namespace WHERE nspname = %s", (name,)
        ).fetchall()


def folded_tables(database: Database) -> dict[str, Any]:
    """The tables that the database folds itself."""
    return rows(database.url, ["mega_customers", "mega_admin"], schema="public")


def drop_all_but_the_ledger(database: Database) -> None:
    """All tables but the ledger's, and the keys of the secrets, which are no facts."""
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT format('DROP TABLE %I.%I CASCADE', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'vault')"
            " AND tablename <> 'mega_generations'"
        ).fetchall()
        for (statement,) in found:
            connection.execute(statement)
