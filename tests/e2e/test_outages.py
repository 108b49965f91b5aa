"""A part of the world is down for a while: what was asked is accepted, and ends as it should."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.buyer import Buyer
from tests.e2e.stage import Stage
from tests.waiting import eventually

PATIENCE_S = 60.0


@contextmanager
def without(stage: Stage, name: str) -> Iterator[None]:
    """`name` ends as in a crash, and is back after the block."""
    keeper = stage.world.keeper(name)
    keeper.kill()
    eventually(lambda: keeper.pid is None)
    try:
        yield
    finally:
        stage.world.run(keeper.start())


def test_with_kafka_down_everything_is_accepted_and_nothing_is_lost(buyer: Buyer) -> None:
    stage = buyer.stage
    with without(stage, "kafka"):
        card, order = buyer.buys()
        buyer.claim(order, buyer.pay(order))
        assert buyer.until(card, mint_ui_state="minting")["mint_order_status"] == "verifying"
    stage.facts.check_delivered(buyer.until_done(card, PATIENCE_S))
    stage.facts.check_topics()


def test_a_picture_whose_outcome_cannot_be_told_is_not_made_again(buyer: Buyer) -> None:
    stage = buyer.stage
    card, order = buyer.buys()
    billed = len(stage.twin.billed())
    stage.twin.script(times=1, effect="perform", delay_ms=1_500)
    buyer.claim(order, buyer.pay(order))
    buyer.until(card, PATIENCE_S, image_status="generating")
    with without(stage, "kafka"):
        eventually(lambda: stage.facts.pictures(card["id"]), PATIENCE_S)
    stage.facts.check_delivered(buyer.until_done(card, PATIENCE_S))
    assert len(stage.twin.billed()) == billed + 1


def test_a_picture_waits_for_its_store_and_is_not_bought_again(buyer: Buyer) -> None:
    stage = buyer.stage
    card, order = buyer.buys()
    billed = len(stage.twin.billed())
    with without(stage, "s3"):
        buyer.claim(order, buyer.pay(order))
        buyer.until(card, PATIENCE_S, mint_paid=True)
    stage.facts.check_delivered(buyer.until_done(card, PATIENCE_S))
    assert len(stage.twin.billed()) == billed + 1


@pytest.mark.parametrize("moment", ["minting", "generating"])
def test_a_database_that_restarts_forgets_nothing(buyer: Buyer, moment: str) -> None:
    stage = buyer.stage
    card, order = buyer.buys()
    buyer.claim(order, buyer.pay(order))
    buyer.until(card, PATIENCE_S, mint_ui_state=moment)
    with without(stage, "postgres"):
        pass
    eventually(lambda: buyer.ask("GET", "/readyz").is_success)
    stage.facts.check_delivered(buyer.until_done(card, PATIENCE_S))
