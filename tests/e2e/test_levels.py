"""Levels as somebody climbs them: unlocked, burned and minted, and what they may not do.

Witnesses are the development chain and the vault, never our ledger alone.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.consumers.topic_reading import read_topics
from tests.e2e.climber import SOL, Climber
from tests.e2e.stage import Stage
from tests.e2e.witnesses import EXPIRED_SLOTS, chain, check_burned, check_level
from tests.waiting import eventually


def test_from_no_token_to_level_2_with_one_burn_and_one_mint_each(climber: Climber) -> None:
    with climber.listening() as heard:
        first = climber.unlocks()
        check_level(climber, first)
        second = climber.until(climber.hand_in(climber.wants(2)), "minted")
        check_level(climber, second)
        eventually(lambda: heard[-1]["type"] == "nft:upgrade_complete")
    check_burned(climber, first["mint"])
    ended = [each for each in heard if each["type"].startswith("nft:")]
    assert [(each["type"], each["data"]["level"], each["data"]["mint"]) for each in ended] == [
        ("nft:claim_success", 1, first["mint"]),
        ("nft:upgrade_complete", 2, second["mint"]),
    ]
    assert climber.status()["badges"] == []
    assert told_of(climber, "level_minted.v1") == [1, 2]


def told_of(climber: Climber, type_: str) -> list[int]:
    """The levels that `mega.upgrade` tells of."""
    kafka = climber.stage.world.gives("kafka")["KAFKA_BOOTSTRAP_SERVERS"]
    about = (f"upgrade:{climber.pass_id}", type_)
    count = climber.names().count(type_.partition(".")[0])

    def levels() -> list[int]:
        read = read_topics(kafka, f"{climber.stage.prefix}mega.upgrade")
        mine = [each for each in read if (each.key, each.headers["ce_type"]) == about]
        return [each.value["level"] for each in mine]

    eventually(lambda: len(levels()) >= count)
    return levels()


def test_what_does_not_qualify_is_refused_and_no_level_is_skipped(climber: Climber) -> None:
    climber.trades("99999.99")
    eventually(lambda: climber.status()["volume_usd"] == "99999.99")
    answer = climber.change("POST", "/api/nft/unlock")
    assert (answer.status_code, answer.json()["code"]) == (403, "NOT_QUALIFIED")
    assert answer.json()["progress"]["missing"] == ["volume"]
    answer = climber.change("POST", "/api/nft/upgrade")
    assert (answer.status_code, answer.json()["code"]) == (409, "NO_TOKEN")
    climber.trades("0.01")
    eventually(lambda: climber.next_level() == 1)
    climber.until(climber.hand_in(climber.ask_for("unlock")), "minted")
    answer = climber.change("POST", "/api/nft/unlock")
    assert (answer.status_code, answer.json()["code"]) == (409, "ALREADY_UNLOCKED")
    climber.trades("50000000")
    eventually(lambda: climber.status()["next"]["missing"] == ["badges"])
    climber.earns(6)
    eventually(lambda: climber.next_level() == 2)
    done = climber.until(climber.hand_in(climber.ask_for("upgrade")), "minted")
    assert done["level"] == 2 and len(done["evidence"]["badges"]) == 2
    eventually(lambda: len(climber.status()["badges"]) == 4)
    assert climber.next_level() == 3


def test_the_burn_of_another_owner_or_another_level_confirms_nothing(climber: Climber) -> None:
    other = Climber(climber.stage)
    with ThreadPoolExecutor() as pool:
        mine, theirs = pool.map(Climber.unlocks, [climber, other])
    asked, foreign = climber.wants(2), other.wants(2)
    answer = climber.change(
        "POST",
        "/api/nft/transactions",
        {"upgrade_id": foreign["upgrade_id"], "signedTransactionBase64": other.sign(foreign)},
    )
    assert answer.status_code == 404
    answer = climber.change(
        "POST",
        "/api/nft/transactions",
        {"upgrade_id": asked["upgrade_id"], "signedTransactionBase64": other.sign(foreign)},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "TRANSACTION_MISMATCH")
    burned = other.broadcast(foreign)
    other.until(foreign["upgrade_id"], "minted")
    assert climber.tell(asked, signature=burned)["state"] == "submitted"
    looked_up(climber)
    chain(climber, advance_slots=EXPIRED_SLOTS)
    failed = climber.until(asked["upgrade_id"], "failed")
    assert failed["reason_class"] == "RETRYING" and climber.held() == [mine["mint"]]
    check_burned(other, theirs["mint"])


def test_the_signature_of_an_older_burn_confirms_nothing(climber: Climber) -> None:
    climber.unlocks()
    second = climber.until(climber.hand_in(climber.wants(2)), "minted")
    asked = climber.wants(3)
    assert climber.tell(asked, signature=second["burn_signature"])["state"] == "submitted"
    looked_up(climber)
    chain(climber, advance_slots=EXPIRED_SLOTS)
    climber.until(asked["upgrade_id"], "failed")
    check_level(climber, second)
    assert climber.names().count("burn_confirmed") == 1


def looked_up(climber: Climber) -> None:
    """What was told has been believed, if it ever is: its signature was asked for."""
    solana = climber.stage.vendors["solana"]
    solana.script(match={"rpc_method": "getSignatureStatuses"}, times=2)
    eventually(lambda: not solana.get("script"))


def test_two_upgrades_at_once_are_one(climber: Climber) -> None:
    first = climber.unlocks()
    climber.qualifies(2)
    with ThreadPoolExecutor() as tabs:
        told = list(tabs.map(climber.ask_for, ["upgrade"] * 4))
        assert len({each["upgrade_id"] for each in told}) == 1
        list(tabs.map(climber.hand_in, told))
    check_level(climber, climber.until(told[0]["upgrade_id"], "minted"))
    check_burned(climber, first["mint"])
    names = climber.names()
    assert (names.count("burn_confirmed"), names.count("level_mint_signed")) == (1, 1), names


def test_volume_that_goes_after_the_request_takes_nothing_back(climber: Climber) -> None:
    climber.unlocks()
    told = climber.wants(2)
    climber.trades("-450000")
    eventually(lambda: climber.status()["volume_usd"] == "50000")
    second = climber.until(climber.hand_in(told), "minted")
    assert second["evidence"]["volume_usd"] == "500000"
    check_level(climber, second)
    assert climber.status()["next"]["missing"] == ["volume", "badges"]


def test_burns_that_the_wallet_sends_itself_are_found_by_their_effect(climber: Climber) -> None:
    climber.unlocks()
    told = climber.wants(2)
    climber.tell(told, signature=climber.broadcast(told))
    second = climber.until(told["upgrade_id"], "minted")
    silent = climber.wants(3)
    burned = climber.broadcast(silent)
    third = climber.until(silent["upgrade_id"], "minted")
    assert third["burn_signature"] == burned
    check_level(climber, third)
    check_burned(climber, second["mint"])


def test_an_exchange_burns_and_mints_in_one_transaction_or_does_neither(shop: Stage) -> None:
    climber = Climber(shop)
    first = climber.unlocks()
    climber.qualifies(2)
    climber.empty()
    told = climber.ask_for("upgrade")
    failed = climber.until(climber.hand_in(told), "failed")
    assert failed["reason_class"] == "ADD_SOL" and climber.held() == [first["mint"]]
    climber.fund(SOL)
    second = climber.until(climber.hand_in(told), "minted")
    assert (second["recipe"], second["level"]) == ("nft_exchange", 2)
    assert second["burn_signature"] == second["mint_signature"]
    check_level(climber, second)
    check_burned(climber, first["mint"])
    assert climber.names().count("level_mint_signed") == 0


def test_who_only_burns_instead_of_an_exchange_gets_their_token_all_the_same(shop: Stage) -> None:
    climber = Climber(shop)
    first, told = climber.unlocks(), climber.wants(2)
    climber.burns(first["mint"])
    check_level(climber, climber.until(told["upgrade_id"], "minted"))
    check_burned(climber, first["mint"])
