"""What goes wrong between a wallet, a chain and a level: nobody ends with neither token.

A try of ours that fails after the burn is an open case at once, and ends by itself with the token
that was asked for, or by two operators with a better one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from tests.e2e.browser import Json
from tests.e2e.climber import SOL, Climber
from tests.e2e.operators import calls, case_of, operator
from tests.e2e.witnesses import EXPIRED_SLOTS, chain, check_burned, check_level
from tests.waiting import eventually

LONGEST_PAUSE_S = 5
DOWN = {"status": 503, "body": "the node is not well"}


def test_a_wallet_without_sol_is_told_so_and_goes_on_with_the_same_attempt(
    climber: Climber,
) -> None:
    climber.qualifies(1)
    climber.empty()
    told = climber.ask_for("unlock")
    with climber.listening() as heard:
        failed = climber.until(climber.hand_in(told), "failed")
        assert failed["reason_class"] == "ADD_SOL" and climber.status()["level"] == 0
        climber.fund(1_000_000)  # enough for the fees, not for the rent of a token
        failed = climber.until(climber.hand_in(told), "failed")
        assert failed["reason_class"] == "ADD_SOL"
        climber.fund(SOL)
        assert climber.ask_for("unlock") == told
        first = climber.until(climber.hand_in(told), "minted")
        eventually(lambda: heard[-1]["type"] == "nft:claim_success")
    ends = [(each["type"], each["data"]["reason_class"]) for each in heard]
    assert [each for each in ends if each[0] == "nft:upgrade_failed"] == [
        ("nft:upgrade_failed", "ADD_SOL")
    ] * 2
    check_level(climber, first)


def test_a_burn_that_lands_after_its_attempt_had_failed_still_counts(climber: Climber) -> None:
    first = climber.unlocks()
    climber.qualifies(2)
    climber.empty()
    told = climber.ask_for("upgrade")
    failed = climber.until(climber.hand_in(told), "failed")
    assert failed["reason_class"] == "ADD_SOL" and climber.held() == [first["mint"]]
    assert len(climber.status()["badges"]) == 2
    climber.fund(SOL)
    climber.broadcast(told)
    check_level(climber, climber.until(told["upgrade_id"], "minted"))
    check_burned(climber, first["mint"])


def test_a_burn_that_never_lands_gives_the_badges_back_with_the_proof(climber: Climber) -> None:
    first = climber.unlocks()
    told = climber.wants(2)
    solana = climber.stage.vendors["solana"]
    solana.script(match={"rpc_method": "sendTransaction"}, effect="none")
    id_ = climber.hand_in(told)
    eventually(lambda: not solana.get("script"))
    assert climber.status()["badges"] == []
    assert climber.ask_for("upgrade")["upgrade_id"] == id_
    chain(climber, advance_slots=EXPIRED_SLOTS)
    failed = climber.until(id_, "failed")
    assert failed["reason_class"] == "RETRYING" and climber.held() == [first["mint"]]
    assert climber.next_level() == 2 and len(climber.status()["badges"]) == 2
    again = climber.ask_for("upgrade")
    assert again["upgrade_id"] != id_
    check_level(climber, climber.until(climber.hand_in(again), "minted"))


def test_a_burn_that_names_an_attempt_given_up_long_ago_is_not_lost(climber: Climber) -> None:
    first, told = climber.unlocks(), climber.wants(2)
    chain(climber, advance_slots=EXPIRED_SLOTS)
    climber.until(told["upgrade_id"], "failed")
    climber.burns(first["mint"], told["upgrade_id"])
    check_level(climber, climber.until(told["upgrade_id"], "minted"))
    check_burned(climber, first["mint"])
    assert climber.status()["badges"] == []


def test_a_burn_that_is_held_up_is_submitted_until_it_lands(climber: Climber) -> None:
    first = climber.unlocks()
    told = climber.wants(2)
    chain(climber, hold_next=1)
    id_ = climber.hand_in(told)
    eventually(lambda: chain(climber)["held"] == 1)
    assert climber.attempt(id_)["state"] == "submitted" and climber.held() == [first["mint"]]
    chain(climber, land_held=True)
    check_level(climber, climber.until(id_, "minted"))
    check_burned(climber, first["mint"])


def test_a_mint_outage_after_the_burn_is_a_case_at_once_and_ends_by_itself(
    climber: Climber,
) -> None:
    """First no mint can be sent, then the node answers nothing, then nobody is there at all."""
    first = climber.unlocks()
    told = climber.wants(2)
    with silent(climber, "sendTransaction", but=1):
        climber.broadcast(told)
        owed = climber.until(told["upgrade_id"], "recovery")
        assert owed["reason_class"] in ("RETRYING", "SUPPORT") and owed["next_try_at"]
        seen = climber.status()
        assert (seen["level"], seen["nft"], seen["grace_level"]) == (0, None, 1)
        case = case_of(climber, told["upgrade_id"])
        assert (case["kind"], case["state"]) == ("burned_not_minted", "open")
        assert calls(climber.stage, told["upgrade_id"])
        tried = more_tries(climber, told, 0)
    with silent(climber):
        tried = more_tries(climber, told, tried)
    climber.stage.vendors.kill()
    tried = more_tries(climber, told, tried)
    climber.stage.vendors.start()
    climber.stage.vendors.ready()
    done = climber.until(told["upgrade_id"], "minted")
    assert (done["mint"], done["metadata_uri"]) == (owed["mint"], owed["metadata_uri"])
    assert done["level"] == 2 and done["attempts"] >= tried
    check_level(climber, done)
    check_burned(climber, first["mint"])
    assert case_of(climber, told["upgrade_id"])["state"] == "resolved"


def test_with_a_vault_down_levels_go_on_and_the_backup_has_their_metadata(
    climber: Climber,
) -> None:
    vault = climber.stage.vendors["ipfs"]
    vault.script(match={"path": "/api/*"}, times=1_000, response=DOWN)
    first = climber.unlocks()
    check_level(climber, first)
    cid = first["metadata_uri"].removeprefix("ipfs://")
    pinned = [item["node"] for item in vault.get("ledger") if item["cid"] == cid]
    assert pinned == ["backup"]


def test_two_operators_compensate_with_a_superior_level(climber: Climber) -> None:
    first = climber.unlocks()
    told = climber.wants(2)
    with silent(climber, "sendTransaction", but=1):
        climber.broadcast(told)
        climber.until(told["upgrade_id"], "recovery")
        compensated(climber, told)
    chain(climber, advance_slots=EXPIRED_SLOTS)
    done = climber.until(told["upgrade_id"], "compensated")
    assert done["level"] == 3 == climber.status()["level"]
    check_level(climber, done)
    check_burned(climber, first["mint"])


def test_a_mint_that_lands_after_it_was_compensated_is_the_only_token(climber: Climber) -> None:
    """Both would have the same address, so one of them can be."""
    climber.unlocks()
    told = climber.wants(2)
    chain(climber, hold_next=2)
    climber.broadcast(told)
    assert chain(climber, land_held=True)["landed_held"] == 1
    eventually(lambda: chain(climber)["held"] == 1)
    compensated(climber, told)
    assert chain(climber, land_held=True)["landed_held"] == 1
    done = climber.until(told["upgrade_id"], "minted", "compensated")
    assert (done["state"], done["level"]) == ("minted", 2) and climber.status()["level"] == 2
    check_level(climber, done)
    assert case_of(climber, told["upgrade_id"])["state"] == "resolved"


def compensated(climber: Climber, told: Json) -> None:
    """Decided by two operators, and by no one of them alone."""
    ada, ben = (operator(climber.stage, name) for name in ("ada", "ben"))
    path = f"/admin/recoveries/{case_of(climber, told['upgrade_id'])['id']}/compensate"
    wanted = {"level": 3, "reason": "the mint could not be sent for a day"}
    answer = ada.change("POST", path, {**wanted, "level": 1})
    assert (answer.status_code, answer.json()["code"]) == (422, "LEVEL_TOO_LOW")
    assert ada.post(path, wanted, status=202)["state"] == "proposed"
    answer = ada.change("POST", path, wanted)
    assert (answer.status_code, answer.json()["code"]) == (409, "SECOND_PERSON_REQUIRED")
    assert ben.post(path, wanted, status=202)["state"] == "approved"
    approved = next(each for each in climber.facts() if each.name == "compensation_approved")
    assert approved.data["proposed_by"] == ada.pass_id and approved.data["by"] == ben.pass_id


@contextmanager
def silent(climber: Climber, method: str = "", *, but: int = 0) -> Iterator[None]:
    """The node does not answer a method, or none, after `but` calls that it does."""
    solana = climber.stage.vendors["solana"]
    match = {"rpc_method": method} if method else {"path": "/"}
    if but:
        solana.script(match=match, times=but)
    solana.script(match=match, times=100_000, response=DOWN)
    yield
    solana.reset()


def more_tries(climber: Climber, told: Json, than: int) -> int:
    """Tries go on, no two of them far from each other, and the case is open all the time."""

    def tried() -> int:
        case = case_of(climber, told["upgrade_id"])
        assert case["state"] == "open", case
        return int(case["attempts"]) if case["attempts"] > than else 0

    found = eventually(tried, 4 * LONGEST_PAUSE_S, every_s=0.1)
    failed = [each for each in climber.facts() if each.name == "level_mint_failed"]
    for each in failed:
        pause = datetime.fromisoformat(each.data["retry_at"]) - each.at
        assert pause.total_seconds() <= LONGEST_PAUSE_S
    return found
