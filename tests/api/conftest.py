from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.api.collectors import Collector, collector
from tests.api.geoplets import Buyer, buyer
from tests.api.living import Caller, Living, living
from tests.world import TestWorld


@pytest.fixture(scope="module")
async def here(world: TestWorld) -> AsyncIterator[Living]:
    """One application for the tests of a file, each with callers of its own."""
    with world.database() as database:
        async with living(world, database) as made:
            yield made


@pytest.fixture
async def ada(here: Living) -> Caller:
    """A pass with a wallet that nobody else has."""
    return await here.caller()


@pytest.fixture
async def payer(here: Living) -> AsyncIterator[Buyer]:
    """A pass with a wallet and a fid, in front of a facilitator that takes everything good."""
    here.base.refuses, here.base.silent = "", False
    yield await buyer(here)
    here.base.refuses, here.base.silent = "", False


@pytest.fixture
async def cleo(here: Living) -> AsyncIterator[Collector]:
    """A pass with a Solana wallet that may mint ten, in front of a chain that answers."""
    here.solana.reset()
    yield await collector(here)
    here.solana.reset()
