"""An append whose outcome is unknown is looked up before it is repeated: exactly once, always."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from ledger.chain import verify
from ledger.errors import BalanceRefused, LedgerUnavailable, StreamConflict
from ledger.ledger import Ledger
from ledger.sync import SyncLedger
from tests.ledger.conftest import MASTER_KEY
from tests.ledger.events import moved, noted
from tests.ledger.proxy import Fault, Proxy
from tests.waiting import eventually
from tests.world import Database

APPEND_LOCK = 7305791
FAULTS: tuple[Fault, ...] = ("lose the answer", "lose the request")


@pytest.fixture
async def proxy(database: Database) -> AsyncIterator[Proxy]:
    async with Proxy(database.url) as opened:
        yield opened


@pytest.fixture
async def far(proxy: Proxy) -> AsyncIterator[Ledger]:
    """A ledger behind the proxy, with its writing connection warmed up by one event."""
    async with Ledger(proxy.url, master_key=MASTER_KEY) as opened:
        await opened.append([noted("first:1", 1)])
        yield opened


def texts(app: psycopg.Connection) -> list[str]:
    asked = "SELECT originator_id FROM mega_generations WHERE mg_position > 1 ORDER BY mg_position"
    return [stream for (stream,) in app.execute(asked)]


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_append_is_recorded_once_and_says_where(
    far: Ledger, proxy: Proxy, app: psycopg.Connection, fault: Fault
) -> None:
    proxy.fault = fault
    assert await far.append([noted("a:1", 1), noted("b:1", 1)]) == 3
    assert proxy.fault == "none"
    assert texts(app) == ["a:1", "b:1"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_append_of_the_lost_flush_gets_its_own_answer(
    far: Ledger, proxy: Proxy, app: psycopg.Connection, database: Database, fault: Fault
) -> None:
    proxy.fault = fault
    answers = await asyncio.gather(
        far.append([noted("a:1", 1)]),
        far.append([noted("first:1", 1)]),
        far.append([moved("pass:anon:1", 1, held=1)]),
        far.append([noted("b:1", 1)]),
        return_exceptions=True,
    )
    assert (answers[0], answers[3]) == (2, 3)
    assert isinstance(answers[1], StreamConflict)
    assert isinstance(answers[2], BalanceRefused)
    assert texts(app) == ["a:1", "b:1"]
    assert verify(database.url).ok


async def test_a_lost_append_that_still_waits_in_the_database_is_waited_for(
    far: Ledger, proxy: Proxy, app: psycopg.Connection
) -> None:
    app.execute("SELECT pg_advisory_lock(%s)", (APPEND_LOCK,))
    append = asyncio.create_task(far.append([noted("a:1", 1)]))
    await asyncio.to_thread(eventually, lambda: waiting(app) == 1)
    proxy.cut()
    await asyncio.to_thread(eventually, lambda: waiting(app) == 2)
    app.execute("SELECT pg_advisory_unlock(%s)", (APPEND_LOCK,))
    assert await append == 2
    assert texts(app) == ["a:1"]


async def test_somebody_elses_event_in_the_same_place_is_not_taken_for_ours(
    far: Ledger, proxy: Proxy, ledger: Ledger, app: psycopg.Connection
) -> None:
    proxy.fault = "lose the request"
    mine = asyncio.create_task(far.append([noted("a:1", 1, "mine")]))
    await asyncio.to_thread(eventually, lambda: proxy.fault == "none")
    answers = await asyncio.gather(
        mine, ledger.append([noted("a:1", 1, "theirs")]), return_exceptions=True
    )
    assert sorted(map(type, answers), key=str) == sorted([int, StreamConflict], key=str)
    assert texts(app) == ["a:1"]


async def test_while_the_database_is_gone_nobody_is_told_that_it_is_recorded(
    far: Ledger, proxy: Proxy, app: psycopg.Connection
) -> None:
    await proxy.close()
    started = asyncio.get_running_loop().time()
    answers = await asyncio.gather(
        *(far.append([noted(f"a:{n}", 1)]) for n in range(20)), return_exceptions=True
    )
    assert {type(answer) for answer in answers} == {LedgerUnavailable}
    assert asyncio.get_running_loop().time() - started < 15, "each waited for its own time-out"
    assert texts(app) == []


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_synchronous_face_looks_up_too(
    proxy: Proxy, app: psycopg.Connection, fault: Fault
) -> None:
    with SyncLedger(proxy.url, master_key=MASTER_KEY) as tool:

        def lose_one() -> int:
            tool.append([noted("first:1", 1)])
            proxy.fault = fault
            return tool.append([noted("a:1", 1)])

        assert await asyncio.to_thread(lose_one) == 2
    assert texts(app) == ["a:1"]


def waiting(connection: psycopg.Connection) -> int:
    asked = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    return int(connection.execute(asked + " AND objid = %s", (APPEND_LOCK,)).fetchall()[0][0])
