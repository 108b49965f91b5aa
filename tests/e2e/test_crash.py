"""kill -9 of every process at every recorded step: the same end, one payment, one mint, one image.

The steps are those that an undisturbed story records. Each is cut twice: its append is rolled back,
or it is committed and nobody hears of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.buyer import Buyer, Json
from tests.e2e.gate import gate
from tests.e2e.stage import Stage, open_stage
from tests.waiting import eventually
from tests.world import TestWorld

PATIENCE_S = 120.0


@pytest.fixture(scope="module")
def mortal(world: TestWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(world, tmp_path_factory.mktemp("mortal")) as stage:
        stage.twin.reset()
        stage.miner.run()
        yield stage
        stage.facts.check_ledger()
        stage.facts.check_topics()


def tell(stage: Stage) -> Json:
    """The longest story: pay, get the image, then the final mint, then finality."""
    buyer = Buyer(stage)
    card, order = buyer.buys("sovereign")
    buyer.step(order, "awaiting_mint")
    buyer.claim(order, buyer.pay(order))

    def ended() -> bool:
        names = stage.facts.names(card["id"])
        return "token_minted" in names and "payment_finalized" in names

    eventually(ended, PATIENCE_S, every_s=0.25)
    return {**buyer.until_done(card), "pass_id": buyer.pass_id}


def steps_of(stage: Stage, told: Json) -> list[str]:
    return list(
        dict.fromkeys(fact.topic for fact in stage.facts.events(told["id"], told["pass_id"]))
    )


@pytest.mark.timeout(400)
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "rolled-back"])
def test_a_power_cut_at_any_recorded_step_changes_nothing(
    mortal: Stage, committed: bool, capsys: Any
) -> None:
    steps = steps_of(mortal, tell(mortal))
    assert len(steps) >= 11, steps
    stories: list[Future[Json]] = []
    with ThreadPoolExecutor() as pool:
        for topic in steps:
            with gate(mortal.database.superuser_url, topic) as held:
                stories.append(pool.submit(tell, mortal))
                held.wait()
                mortal.cut_power()
                if not committed:
                    held.roll_back()
            mortal.power_up()
        told = [story.result(PATIENCE_S) for story in stories]
    for done in told:
        mortal.facts.check_delivered(done)
    end = "committed" if committed else "rolled back"
    with capsys.disabled():
        sys.stdout.write(f"\nkilled at {len(told)} of {len(steps)} recorded steps, {end}\n")
