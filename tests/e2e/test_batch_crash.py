"""kill -9 of every process at every recorded step of a batch: one payment, each unit minted once.

A step is an append of the undisturbed story. In turns it is committed, and nobody hears of it, or
rolled back. The chain and the vault go on; the stories cut before go on between two cuts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle
from typing import Any

import pytest

from tests.e2e.browser import Json
from tests.e2e.gate import gate
from tests.e2e.minter import PRICE, Minter, solana
from tests.e2e.stage import Stage
from tests.e2e.test_crash import PATIENCE_S, told_until
from tests.waiting import eventually

Story = tuple[Minter, str, int]
"""Who minted, in which batch, how many."""

UNITS = 2
TREE_STEPS = ["tree_signed.v1", "tree_grown.v1", "tree_filled.v1"]
TREES = """
SELECT topic, count(*) FROM mega_generations
WHERE originator_id ^@ 'grove:'
GROUP BY topic
"""


def batch(stage: Stage) -> Story:
    """Prepared, signed, and left to the server."""

    def prepare(minter: Minter) -> Json | None:
        answer = minter.change("POST", "/pfp/prepare-batch", {"quantity": UNITS})
        return answer.json() if answer.status_code == 200 else None

    def hand_in(minter: Minter, told: Json) -> str:
        said = {"batchId": told["batchId"], "signedTransactionBase64": minter.sign(told)}
        minter.change("POST", "/pfp/confirm-batch", {**said, "autoMint": True})
        return str(told["batchId"])

    return told_by(Minter(stage), prepare, hand_in, UNITS)


def single(stage: Stage) -> Story:
    """One transaction that pays and mints."""

    def prepare(minter: Minter) -> Json | None:
        answer = minter.change("POST", "/pfp/prepare")
        return answer.json() if answer.status_code == 200 else None

    def hand_in(minter: Minter, told: Json) -> str:
        said = {"mintId": told["mintId"], "signedTransactionBase64": minter.sign(told)}
        minter.change("POST", "/pfp/confirm", said)
        return str(told["mintId"])

    return told_by(Minter(stage), prepare, hand_in, 1)


def told_by(
    minter: Minter,
    prepare: Callable[[Minter], Json | None],
    hand_in: Callable[[Minter, Json], str],
    units: int,
) -> Story:
    """What lapses while everything is down is prepared again, until one is complete."""

    def complete() -> str:
        if (told := prepare(minter)) is None:
            return ""
        id_ = hand_in(minter, told)
        ends = ("complete", "expired", "failed")
        done = minter.until(id_, *ends, within_s=PATIENCE_S)["status"] == "complete"
        return id_ if done else ""

    return minter, eventually(complete, PATIENCE_S, every_s=0.5), units


def steps_of(story: Story) -> list[str]:
    """The first event of each append."""
    minter, batch_id, _ = story
    first = {fact.at: fact.topic for fact in reversed(minter.stage.facts.of_batch(batch_id))}
    return list(dict.fromkeys(reversed(first.values())))


@pytest.mark.timeout(600)
def test_a_power_cut_at_any_step_of_a_batch_loses_nothing(mortal: Stage, capsys: Any) -> None:
    mortal.vendors.reset()
    many, one = steps_of(batch(mortal)), steps_of(single(mortal))
    assert len(many) >= 8 and len(one) >= 6, (many, one)
    plan: list[tuple[Callable[[Stage], Story], str, bool]] = []
    plan += [(batch, *each) for each in zip(many + TREE_STEPS, cycle([True, False]), strict=False)]
    plan += [(single, *each) for each in zip(one, cycle([False, True]), strict=False)]
    stories: list[Future[Story]] = []
    with ThreadPoolExecutor() as pool:
        for tell, topic, committed in plan:
            with gate(mortal.database.superuser_url, topic) as held:
                stories += told_until(held, lambda tell=tell: pool.submit(tell, mortal))
                mortal.cut_power()
                if not committed:
                    held.roll_back()
            mortal.power_up()
        told = [story.result(PATIENCE_S) for story in stories]
    for story in told:
        check_once(*story)
    check_trees(mortal)
    cuts = f"{len(plan)} of {len(plan)} recorded steps of a batch, its trees and a single mint"
    with capsys.disabled():
        sys.stdout.write(f"\nkilled at {cuts}\n")


def check_once(minter: Minter, batch_id: str, units: int) -> None:
    """By the chain: paid once, as many tokens as units. By the vault: two files a token."""
    facts = minter.stage.facts.of_batch(batch_id)
    names = [fact.name for fact in facts]
    assert names.count("batch_paid") == 1 and names.count("pfp_minted") == units, names
    paid = minter.rpc("getBalance", minter.wallet, {"commitment": "processed"})["value"]
    assert paid == 5 * 10**9 - units * PRICE
    signatures = minter.rpc("getSignaturesForAddress", minter.wallet)
    landed = {each["signature"] for each in signatures if each["err"] is None}
    minted = {fact.data["signature"] for fact in facts if fact.name == "pfp_minted"}
    ours = ("pfp_mint_signed", "batch_prepared") if units == 1 else ("pfp_mint_signed",)
    signed = {fact.data["signature"] for fact in facts if fact.name in ours}
    assert signed & landed == minted, "a mint landed that the ledger does not count"
    ids = [fact.data["item_id"] for fact in facts if fact.name == "pfp_file_sealed"]
    assert len(ids) == len(set(ids)) == 2 * units
    billed = [item["item_id"] for item in minter.stage.vendors["irys"].get("ledger")]
    assert all(billed.count(id_) == 1 for id_ in ids)
    assert minter.statement() == {"paid": units * PRICE, "delivered": units * PRICE}


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
