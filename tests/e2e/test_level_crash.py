"""kill -9 of every process at every recorded step of an unlock and an upgrade.

A step is an append of the undisturbed story. In turns it is committed, and nobody hears of it, or
rolled back. The chain and the vault go on; the stories cut before go on between two cuts. By the
chain: never a second burn or mint, and one token at the end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from itertools import cycle
from typing import Any

import pytest

from tests.e2e.climber import Climber
from tests.e2e.gate import gate
from tests.e2e.stage import Stage
from tests.e2e.test_crash import PATIENCE_S, told_until
from tests.e2e.witnesses import check_burned, check_level
from tests.waiting import eventually

Story = Callable[[Climber], Climber]

ENDS = ("minted", "failed")
SPARE = 1
"""Stories that are ready in case that one ends without coming to its step."""


def climb(climber: Climber, kind: str, level: int) -> Climber:
    """What lapses while everything is down is asked for again, until the token is there and its
    metadata in the vault."""

    def arrived() -> bool:
        told = climber.change("POST", f"/api/nft/{kind}").json()
        if id_ := told.get("upgrade_id"):
            said = {"upgrade_id": id_, "signedTransactionBase64": climber.sign(told)}
            climber.change("POST", "/api/nft/transactions", said)
            climber.until(id_, *ENDS, within_s=PATIENCE_S)
        return bool(climber.status()["level"] == level)

    eventually(arrived, PATIENCE_S, every_s=0.5)
    eventually(lambda: climber.names().count("metadata_pinned") >= level, PATIENCE_S, every_s=0.2)
    return climber


def unlock(climber: Climber) -> Climber:
    return climb(climber, "unlock", 1)


def upgrade(climber: Climber) -> Climber:
    return climb(climber, "upgrade", 2)


def ready_for(level: int, stage: Stage) -> Climber:
    climber = Climber(stage)
    climber.qualifies(1)
    if level == 2:
        unlock(climber)
        climber.qualifies(2)
    return climber


def steps_of(story: Climber) -> list[str]:
    """The first event of each append of its last attempt."""
    facts = story.facts()
    began = max(at for at, fact in enumerate(facts) if fact.name == "upgrade_requested")
    first = {fact.at: fact.topic for fact in reversed(facts[began:])}
    return list(dict.fromkeys(reversed(first.values())))


@pytest.mark.timeout(600)
def test_a_power_cut_at_any_step_of_a_level_never_ends_with_two_tokens_or_none(
    mortal: Stage, capsys: Any
) -> None:
    mortal.vendors.reset()
    with ThreadPoolExecutor() as pool:
        first = steps_of(unlock(ready_for(1, mortal)))
        second = steps_of(upgrade(ready_for(2, mortal)))
        assert len(first) >= 4 and len(second) >= 6, (first, second)
        stories = cut(mortal, pool, unlock, first, [True, False])
        stories += cut(mortal, pool, upgrade, second, [False, True])
        told = [story.result(PATIENCE_S) for story in stories]
    for climber in told:
        check_once(climber)
    steps = len(first) + len(second)
    with capsys.disabled():
        cuts = f"{steps} of {steps} recorded steps of an unlock and an upgrade"
        sys.stdout.write(f"\nkilled at {cuts}\n")


def test_a_power_cut_in_the_midst_of_an_exchange_changes_nothing(shop: Stage) -> None:
    """Its own step: burned and minted, in one append."""
    shop.vendors.reset()
    with ThreadPoolExecutor() as pool:
        for story in cut(shop, pool, upgrade, ["burn_confirmed.v1"], [False]):
            check_once(story.result(PATIENCE_S))


def cut(
    stage: Stage, pool: Executor, tell: Story, steps: list[str], ends: list[bool]
) -> list[Future[Climber]]:
    """Stories that were cut at these steps, and go on; `ends`: whether the append was committed."""
    level, count = (1 if tell is unlock else 2), len(steps) + SPARE
    climbers = iter(list(pool.map(ready_for, [level] * count, [stage] * count)))
    stories: list[Future[Climber]] = []
    for topic, committed in zip(steps, cycle(ends), strict=False):
        with gate(stage.database.superuser_url, topic) as held:
            stories += told_until(held, lambda: pool.submit(tell, next(climbers)))
            stage.cut_power()
            if not committed:
                held.roll_back()
        stage.power_up()
    return stories


def check_once(climber: Climber) -> None:
    """By the chain: one mint for each level that was reached, one burn less, and one token."""
    facts = climber.facts()
    minted = [fact.data for fact in facts if fact.name == "level_minted"]
    burned = [fact.data for fact in facts if fact.name == "burn_confirmed"]
    asked = [fact.data for fact in facts if fact.name == "upgrade_requested"]
    assert [each["level"] for each in minted] in ([1], [1, 2]), minted
    assert [each["mint"] for each in burned] == [each["mint"] for each in minted[:-1]]
    check_level(climber, climber.attempt(minted[-1]["upgrade_id"]))
    for each in burned:
        check_burned(climber, each["mint"])
    there = [each["mint"] for each in asked if climber.history(each["mint"])]
    assert there == [each["mint"] for each in minted], "a mint landed that the ledger has not"
    taken = [each["badges"] for each in asked if each["mint"] in there]
    assert [len(set(each)) for each in taken] == [0, 2][: len(minted)]
    assert climber.status()["badges"] == []
