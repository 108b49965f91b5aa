"""kill -9 of every process at every recorded step of a batch: one payment, each unit minted once.

A step is an append of the undisturbed story. In turns it is committed, and nobody hears of it, or
rolled back. The chain and the vault go on; the stories cut before go on between two cuts.
"""

from __future__ import annotations

import sys
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle
from typing import Any

import pytest

from tests.e2e.gate import gate
from tests.e2e.minter import PRICE, Minter, solana
from tests.e2e.stage import Stage
from tests.e2e.test_crash import PATIENCE_S, told_until
from tests.waiting import eventually

UNITS = 2
TREES = """
SELECT topic, count(*) FROM mega_generations
WHERE originator_id ^@ 'grove:'
GROUP BY topic
"""


def tell(stage: Stage) -> tuple[Minter, str]:
    """Prepared, signed, and left to the server; asked again until it is complete."""
    minter = Minter(stage)
    told = minter.prepare(UNITS)
    signed = minter.sign(told)
    minter.confirm(told["batchId"], signed, autoMint=True)
    minter.until(told["batchId"], "complete", within_s=PATIENCE_S)
    return minter, told["batchId"]


def steps_of(stage: Stage, batch_id: str) -> list[str]:
    """The first event of each append."""
    first = {fact.at: fact.topic for fact in reversed(stage.facts.of_batch(batch_id))}
    return list(dict.fromkeys(reversed(first.values())))


@pytest.mark.timeout(400)
def test_a_power_cut_at_any_step_of_a_batch_loses_nothing(mortal: Stage, capsys: Any) -> None:
    mortal.vendors.reset()
    _, batch_id = tell(mortal)
    steps = steps_of(mortal, batch_id)
    assert len(steps) >= 7, steps
    stories: list[Future[tuple[Minter, str]]] = []
    with ThreadPoolExecutor() as pool:
        for topic, committed in zip(steps, cycle([True, False]), strict=False):
            with gate(mortal.database.superuser_url, topic) as held:
                stories += told_until(held, lambda: pool.submit(tell, mortal))
                mortal.cut_power()
                if not committed:
                    held.roll_back()
            mortal.power_up()
        told = [story.result(PATIENCE_S) for story in stories]
    for minter, batch_id in told:
        check_once(minter, batch_id)
    check_trees(mortal)
    with capsys.disabled():
        sys.stdout.write(f"\nkilled at {len(steps)} of {len(steps)} recorded steps of a batch\n")


def check_once(minter: Minter, batch_id: str) -> None:
    """By the chain: paid once, as many tokens as units. By the vault: two files a token."""
    facts = minter.stage.facts.of_batch(batch_id)
    names = [fact.name for fact in facts]
    assert names.count("batch_paid") == 1 and names.count("pfp_minted") == UNITS, names
    paid = minter.rpc("getBalance", minter.wallet, {"commitment": "processed"})["value"]
    assert paid == 5 * 10**9 - UNITS * PRICE
    signatures = minter.rpc("getSignaturesForAddress", minter.wallet)
    landed = {each["signature"] for each in signatures if each["err"] is None}
    minted = {fact.data["signature"] for fact in facts if fact.name == "pfp_minted"}
    signed = {fact.data["signature"] for fact in facts if fact.name == "pfp_mint_signed"}
    assert signed & landed == minted, "a mint landed that the ledger does not count"
    ids = [fact.data["item_id"] for fact in facts if fact.name == "pfp_file_sealed"]
    assert len(ids) == len(set(ids)) == 2 * UNITS
    billed = [item["item_id"] for item in minter.stage.vendors["irys"].get("ledger")]
    assert all(billed.count(id_) == 1 for id_ in ids)
    assert minter.statement() == {"paid": UNITS * PRICE, "delivered": UNITS * PRICE}


def check_trees(stage: Stage) -> None:
    """As soon as eight tokens are minted there is a second tree."""
    counted = dict(stage.facts.rows(TREES))
    assert counted["tree_grown.v1"] >= 2 and counted["tree_filled.v1"] >= 1, counted


def test_slots_come_back_when_the_clock_of_everything_moves(mortal: Stage) -> None:
    minter = Minter(mortal)
    told = minter.prepare(3)
    mortal.advance_clock(180)
    minter.until(told["batchId"], "expired")
    assert minter.status()["slots"]["reserved"] == 0
    assert eventually(lambda: minter.prepare(3)["batchId"] != told["batchId"])
    assert solana(mortal, "getHealth") == "ok"
