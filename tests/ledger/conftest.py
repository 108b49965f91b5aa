from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from ledger.ledger import Ledger
from tests.world import Database

MASTER_KEY = bytes(range(32))


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
