from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ledger.ledger import Ledger
from tests.projections.stories import Teller
from tests.world import Database

MASTER_KEY = bytes(range(32))


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """The ledger of this test, as a process of ours would use it."""
    async with Ledger(database.url, master_key=MASTER_KEY) as opened:
        yield opened


@pytest.fixture
def teller(ledger: Ledger) -> Teller:
    """Tells stories on that ledger."""
    return Teller(ledger)
