from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.buyer import Buyer
from tests.e2e.climber import Climber
from tests.e2e.fork import Fork
from tests.e2e.minter import Minter
from tests.e2e.payer import Payer
from tests.e2e.stage import Stage, open_stage
from tests.e2e.witnesses import check_levels
from tests.world import TestWorld


@pytest.fixture(scope="session")
def whole(world: TestWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The application on one stage for all tests that leave it as they found it."""
    with open_stage(world, tmp_path_factory.mktemp("stage")) as stage:
        yield stage
        stage.facts.check_ledger()
        stage.facts.check_topics()
        check_levels(stage)


@pytest.fixture
def stage(whole: Stage) -> Iterator[Stage]:
    """Blocks are mined by themselves, and no twin or node is told to misbehave."""
    whole.twin.reset()
    whole.miner.run()
    yield whole
    whole.twin.reset()
    whole.miner.rest()


@pytest.fixture
def buyer(stage: Stage) -> Buyer:
    return Buyer(stage)


@pytest.fixture
def fork(buyer: Buyer) -> Fork:
    """The chain in our hands, from after the buyer got their money."""
    return Fork(buyer.stage)


@pytest.fixture
def minter(whole: Stage) -> Iterator[Minter]:
    whole.vendors.reset()
    yield Minter(whole)
    whole.vendors.reset()


@pytest.fixture
def climber(whole: Stage) -> Iterator[Climber]:
    whole.vendors.reset()
    yield Climber(whole)
    whole.vendors.reset()


@pytest.fixture(scope="session")
def shop(world: TestWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage for Geoplets, with the clock as it is: the SDK's client signs by the real one. What
    has two ways is done here in the other one."""
    settings = {
        "MEGA_PFP_MINTER": "spl",
        "MEGA_PFP_VAULT": "ipfs",
        "MEGA_LEVEL_UPGRADE": "exchange",
    }
    with open_stage(world, tmp_path_factory.mktemp("shop"), **settings) as stage:
        yield stage
        stage.facts.check_ledger()
        stage.facts.check_topics()
        check_levels(stage)
        assert stage.canary.leaks(stage) == []


@pytest.fixture
def payer(shop: Stage) -> Iterator[Payer]:
    """Blocks are mined by themselves, and every vendor does as it should."""
    shop.vendors.reset()
    shop.miner.run()
    yield Payer(shop)
    shop.vendors.reset()
    shop.miner.rest()


@pytest.fixture(scope="session")
def mortal(world: TestWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage whose processes are killed and whose clock is moved; it settles by a facilitator of
    the standard's own interface."""
    folder = tmp_path_factory.mktemp("mortal")
    # A tree of eight leaves: tokens that many stories mint need more than one.
    settings = {"MEGA_FACILITATOR": "x402", "MEGA_PFP_TREE": "3/8/0"}
    with open_stage(world, folder, **settings) as stage:
        stage.twin.reset()
        stage.miner.run()
        yield stage
        stage.facts.check_ledger()
        stage.facts.check_topics()
        check_levels(stage)
        assert stage.canary.leaks(stage) == []


@pytest.fixture
def later(mortal: Stage) -> Iterator[Payer]:
    """Somebody on the stage whose clock is moved; they sign by hand."""
    mortal.vendors.reset()
    mortal.miner.run()
    yield Payer(mortal)
    mortal.vendors.reset()
