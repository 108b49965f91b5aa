"""An hour in which no endpoint of Solana answers: nothing is lost, and nothing happens twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from tests.e2e.climber import Climber
from tests.e2e.operators import case_of
from tests.e2e.stage import Stage
from tests.e2e.test_level_faults import DOWN, LONGEST_PAUSE_S
from tests.e2e.witnesses import chain, check_burned, check_level
from tests.waiting import eventually

AN_HOUR = [900] * 4


def test_all_endpoints_are_down_for_an_hour(mortal: Stage) -> None:
    """Of three wallets one has burned and its mint cannot be sent, another's burn lands unseen, and
    the third hands in its burn when nobody takes it any more."""
    mortal.vendors.reset()
    solana = mortal.vendors["solana"]
    climbers = owed, unseen, late = [Climber(mortal) for _ in range(3)]
    with ThreadPoolExecutor() as pool:
        first = list(pool.map(Climber.unlocks, climbers))
        told = list(pool.map(Climber.wants, climbers, [2, 2, 2]))
    chain(unseen, hold_next=1)
    unseen.broadcast(told[1])
    sending = {"rpc_method": "sendTransaction"}
    solana.script(match=sending)
    solana.script(match=sending, times=100_000, response=DOWN)
    owed.broadcast(told[0])
    before = owed.until(told[0]["upgrade_id"], "recovery")
    solana.script(match={"path": "/"}, times=100_000, response=DOWN)
    chain(unseen, land_held=True)
    assert late.ask_for("upgrade") == told[2]
    late.hand_in(told[2])
    for seconds in AN_HOUR:
        tried = case_of(owed, told[0]["upgrade_id"])["attempts"]
        mortal.advance_clock(seconds)
        check_waiting(owed, told[0]["upgrade_id"], tried)
        assert unseen.attempt(told[1]["upgrade_id"])["state"] == "prepared"
        assert late.attempt(told[2]["upgrade_id"])["state"] == "submitted"
    solana.reset()
    after = owed.until(told[0]["upgrade_id"], "minted")
    assert (after["mint"], after["metadata_uri"]) == (before["mint"], before["metadata_uri"])
    check_level(owed, after)
    check_level(unseen, unseen.until(told[1]["upgrade_id"], "minted"))
    assert late.until(told[2]["upgrade_id"], "failed")["reason_class"] == "RETRYING"
    assert late.held() == [first[2]["mint"]]
    check_level(late, late.until(late.hand_in(late.ask_for("upgrade")), "minted"))
    for climber, old in zip(climbers, first, strict=True):
        check_burned(climber, old["mint"])
        assert climber.names().count("level_minted") == 2


def check_waiting(owed: Climber, upgrade_id: str, tried: int) -> None:
    """Its case is open and is tried again, never long after it was tried before."""

    def again() -> bool:
        case = case_of(owed, upgrade_id)
        assert case["state"] == "open", case
        return bool(case["attempts"] > tried)

    eventually(again, 4 * LONGEST_PAUSE_S, every_s=0.1)
    next_try = datetime.fromisoformat(case_of(owed, upgrade_id)["next_try_at"])
    now = datetime.fromtimestamp(owed.stage.now(), UTC)
    assert next_try <= now + timedelta(seconds=LONGEST_PAUSE_S + 1)
