from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import pytest

from commands.command import Command, Context, Outcome, handle
from ledger.ledger import Ledger
from tests.world import Database

MASTER_KEY = bytes(range(32))
AT = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """The ledger of this test, as a process of ours would use it."""
    async with Ledger(database.url, master_key=MASTER_KEY) as opened:
        yield opened


@pytest.fixture
def do(ledger: Ledger) -> Callable[[Command], Awaitable[Outcome]]:
    """Handles a command on that ledger."""

    async def handled(command: Command) -> Outcome:
        context = Context(at=AT, correlation_id="test", causation_id="test:given")
        return await handle(ledger, command, context)

    return handled
