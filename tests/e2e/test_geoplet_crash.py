"""kill -9 of every process at every recorded step of a Geoplet's mint and of a regeneration.

A step is an append of the undisturbed story. In turns it is committed, and nobody hears of it, or
rolled back; the two stories share steps, and take turns the other way round. Between two cuts the
stories of the cuts before go on: each must end with one payment, and one token or one picture.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle
from typing import Any

import pytest

from tests.e2e.gate import gate
from tests.e2e.payer import Payer
from tests.e2e.stage import Stage
from tests.e2e.test_crash import PATIENCE_S, told_until
from tests.waiting import eventually

MINT_ENDS = {"geoplet_minted", "geoplet_mint_finalized", "x402_payment_finalized"}
PICTURE_ENDS = {"regeneration_delivered", "x402_payment_finalized"}


def mint(stage: Stage) -> Payer:
    payer = Payer(stage)
    voucher = payer.voucher(payer.sign())
    payer.settle(voucher["paymentHeader"])
    payer.mint(voucher)
    return finished(payer, MINT_ENDS)


def regenerate(stage: Stage) -> Payer:
    payer = Payer(stage)
    header = payer.sign("regenerate", version=2)
    eventually(lambda: payer.generate(header).status_code == 200, PATIENCE_S, every_s=0.25)
    return finished(payer, PICTURE_ENDS)


def finished(payer: Payer, ends: set[str]) -> Payer:
    eventually(lambda: ends <= set(payer.names()), PATIENCE_S, every_s=0.25)
    return payer


def steps_of(told: Payer) -> list[str]:
    """The first event of each append."""
    first = {fact.at: fact.topic for fact in reversed(told.stage.facts.of_fid(told.fid))}
    return list(dict.fromkeys(reversed(first.values())))


@pytest.mark.timeout(400)
def test_a_power_cut_at_any_step_of_a_geoplet_changes_nothing(mortal: Stage, capsys: Any) -> None:
    mortal.miner.run()
    mortal.vendors.reset()
    minted, made = steps_of(mint(mortal)), steps_of(regenerate(mortal))
    assert len(minted) >= 7 and len(made) >= 6, (minted, made)
    plan: list[tuple[Callable[[Stage], Payer], str, bool]] = []
    plan += [(mint, *each) for each in zip(minted, cycle([True, False]), strict=False)]
    plan += [(regenerate, *each) for each in zip(made, cycle([False, True]), strict=False)]
    stories: list[Future[Payer]] = []
    cuts = 0
    with ThreadPoolExecutor() as pool:
        for tell, topic, committed in plan:
            with gate(mortal.database.superuser_url, topic) as held:
                stories += told_until(held, lambda tell=tell: pool.submit(tell, mortal))
                mortal.cut_power()
                cuts += 1
                if not committed:
                    held.roll_back()
            mortal.power_up()
        told = [story.result(PATIENCE_S) for story in stories]
    for payer in told:
        check_once(payer)
    with capsys.disabled():
        sys.stdout.write(
            f"\nkilled at {cuts} of {len(plan)} recorded steps of a mint and a regeneration\n"
        )


def check_once(payer: Payer) -> None:
    names = payer.names()
    if "voucher_issued" in names:
        payer.check_charged("mint")
        assert payer.status() == "minted", names
        assert names.count("geoplet_minted") == 1, names
        return
    payer.check_charged("regenerate")
    assert payer.status("regenerate") == "completed", names
    assert names.count("regeneration_stored") == 1, names
