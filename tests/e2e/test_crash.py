"""kill -9 of every process at every recorded step: the same end, one payment, one mint, one image.

The steps are those that an undisturbed story records. At each everything dies while its append is
under way, which in turns is committed, and nobody hears of it, or rolled back.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle
from typing import Any

import psycopg
import pytest

from tests.e2e.buyer import Buyer, Json
from tests.e2e.gate import Gate, gate
from tests.e2e.stage import Stage
from tests.waiting import eventually

# A story meets every cut that comes after its own.
PATIENCE_S = 240.0


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
def test_a_power_cut_at_any_recorded_step_changes_nothing(mortal: Stage, capsys: Any) -> None:
    steps = steps_of(mortal, tell(mortal))
    assert len(steps) >= 12, steps
    stories: list[Future[Json]] = []
    cuts = 0
    with ThreadPoolExecutor() as pool:
        for topic, committed in zip(steps, cycle([True, False]), strict=False):
            with gate(mortal.database.superuser_url, topic) as held:
                stories += told_until(held, lambda: pool.submit(tell, mortal))
                mortal.cut_power()
                cuts += 1
                if not committed:
                    held.roll_back()
            mortal.power_up()
        told = [story.result(PATIENCE_S) for story in stories]
    for done in told:
        mortal.facts.check_delivered(done)
    with capsys.disabled():
        sys.stdout.write(f"\nkilled at {cuts} of {len(steps)} recorded steps\n")


def told_until(held: Gate, begin: Callable[[], Future[Json]]) -> list[Future[Json]]:
    """Stories, one after the other, until one has come to the step. A slow machine may skip one:
    a payment that is first looked at when it is deep is never merely seen."""
    stories = [begin()]
    eventually(lambda: stories[-1].done() or held.reached, PATIENCE_S)
    return stories if held.reached else [*stories, *told_until(held, begin)]


def test_what_was_paid_before_the_first_look_at_the_chain_is_found(mortal: Stage) -> None:
    mortal.cut_power()
    with psycopg.connect(mortal.database.superuser_url, autocommit=True) as session:
        session.execute("DELETE FROM consumers.cursors WHERE name LIKE 'evm_watch:%'")
    for name in ("projections", "api"):
        mortal.start(name)
        mortal.ready(name)
    buyer = Buyer(mortal)
    card, order = buyer.buys()
    buyer.pay(order)
    for _ in range(20):
        mortal.chain.mine()
    mortal.start("consumers")
    mortal.facts.check_delivered(buyer.until_done(card, PATIENCE_S))
