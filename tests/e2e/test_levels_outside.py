"""Tokens that are burned or sent away outside an upgrade are found where they are: on the chain."""

from __future__ import annotations

from tests.e2e.climber import Climber
from tests.e2e.operators import case_of
from tests.e2e.witnesses import chain, check_burned, check_level
from tests.waiting import eventually


def test_who_burns_their_token_for_nothing_begins_again_at_level_1(climber: Climber) -> None:
    climber.unlocks()
    second = climber.until(climber.hand_in(climber.wants(2)), "minted")
    climber.burns(second["mint"])
    eventually(lambda: climber.status()["level"] == 0)
    check_burned(climber, second["mint"])
    assert climber.status()["nft"] is None and climber.next_level() == 1
    assert corrections(climber) == [("burned_outside", second["mint"], False)]
    again = climber.until(climber.hand_in(climber.ask_for("unlock")), "minted")
    check_level(climber, again)
    assert again["level"] == 1


def test_a_token_that_is_sent_away_is_nobody_s_level_until_it_comes_back(climber: Climber) -> None:
    first, friend = climber.unlocks(), Climber(climber.stage)
    mint = first["mint"]
    climber.gives(mint, friend)
    eventually(lambda: climber.status()["level"] == 0)
    case = case_of(climber, mint)
    assert (case["kind"], case["state"]) == ("sent_away", "open")
    assert friend.status()["level"] == 0
    for kind, code in ("upgrade", "NO_TOKEN"), ("unlock", "TOKEN_ELSEWHERE"):
        answer = climber.change("POST", f"/api/nft/{kind}")
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    friend.gives(mint, climber)
    eventually(lambda: climber.status()["level"] == 1)
    assert case_of(climber, mint)["state"] == "resolved"
    assert [kind for kind, *_ in corrections(climber)] == ["sent_away", "came_back"]
    check_level(climber, climber.until(climber.hand_in(climber.wants(2)), "minted"))


def test_a_token_that_is_sent_away_before_its_burn_is_not_burned_for_us(climber: Climber) -> None:
    first, friend = climber.unlocks(), Climber(climber.stage)
    told = climber.wants(2)
    climber.gives(first["mint"], friend)
    failed = climber.until(climber.hand_in(told), "failed")
    assert failed["reason_class"] == "SUPPORT"
    assert case_of(climber, told["upgrade_id"])["kind"] == "upgrade_failed"
    eventually(lambda: climber.status()["level"] == 0)
    friend.burns(first["mint"])
    eventually(lambda: ("burned_outside", first["mint"], False) in corrections(climber))
    assert (climber.held(), friend.held(), climber.status()["level"]) == ([], [], 0)
    assert "burn_confirmed" not in climber.names()
    assert case_of(climber, first["mint"])["state"] == "resolved"
    again = climber.until(climber.hand_in(climber.ask_for("unlock")), "minted")
    assert again["level"] == 1


def test_a_burn_that_nobody_of_ours_could_see_is_found_afterwards(climber: Climber) -> None:
    first, told = climber.unlocks(), climber.wants(2)
    with climber.stage.without("consumers"):
        burned = climber.broadcast(told)
        chain(climber, finalize=True)
        assert climber.attempt(told["upgrade_id"])["state"] == "prepared"
    done = climber.until(told["upgrade_id"], "minted")
    assert done["burn_signature"] == burned
    check_level(climber, done)
    check_burned(climber, first["mint"])


def corrections(climber: Climber) -> list[tuple[str, str, bool]]:
    found = [fact.data for fact in climber.facts() if fact.name == "correction_recorded"]
    return [(each["kind"], each["mint"], each["review"]) for each in found]
