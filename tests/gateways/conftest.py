from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.chain import Chain
from tests.world import TestWorld


@pytest.fixture(scope="module")
def chain(world: TestWorld) -> Iterator[Chain]:
    """An anvil of the module's own, which mines only what the test sends."""
    with world.chain() as made:
        steered = Chain(made.rpc_url, made.contracts)
        steered.steer()
        yield steered
