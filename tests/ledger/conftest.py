from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from ledger.ledger import Ledger
from tests.ledger.events import noted
from tests.ledger.tampering import Copy
from tests.world import Database

MASTER_KEY = bytes(range(32))
EVENTS = 40


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """The ledger of this test, as a process of ours would use it."""
    async with Ledger(database.url, master_key=MASTER_KEY) as opened:
        yield opened


@pytest.fixture
def app(database: Database) -> Iterator[psycopg.Connection]:
    """A connection with the application's role."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def owner(database: Database) -> Iterator[psycopg.Connection]:
    """A connection with the role that owns the tables."""
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def head(ledger: Ledger) -> bytes:
    """Forty events of four streams; the hash of the last."""
    for n in range(EVENTS // 4):
        await ledger.append([noted(f"s:{k}", n + 1, f'text {n} ünï \\ "') for k in range(4)])
    return (await ledger.head())[1]


@pytest.fixture
def copy(head: bytes, database: Database) -> Iterator[Copy]:
    """The connection of somebody who owns the tables and has put every guard out of the way."""
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE mega_generations DISABLE TRIGGER USER")
        yield connection
