"""What the tests of relay, intake and topics share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from ledger.ledger import Ledger
from tests.world import Database

MASTER_KEY = bytes(range(32))


@pytest_asyncio.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """The ledger of this test's database."""
    async with Ledger(database.url, master_key=MASTER_KEY) as opened:
        yield opened
