"""What is owed after a burn, badges, and what is remembered: from the burn to the token."""

from __future__ import annotations

from datetime import timedelta

from domain import upgrade_events as happened
from domain.event import Event
from domain.upgrade import FAILED_KEPT, Upgrade
from domain.upgrade_attempt import FIRST_RETRY, SUPPORT_AFTER
from domain.upgrade_refusals import NothingOwed
from domain.upgrade_view import unpinned, watch_due
from tests.domain.upgrades import (
    CAP,
    CLIMB,
    CLIMBED,
    IN_TIME,
    OWED,
    UNLOCK,
    UNLOCKED,
    asked,
    failed,
    given,
    ids,
    lapsed,
    mint_failed,
    minted,
    of,
    recording,
    signed,
    signing,
    submitted,
    upgrade_of,
    window,
)
from tests.spec import NOON

GIVEN_UP = [failed("u2", "RETRYING", IN_TIME)]
LAPSED = [*CLIMB, lapsed("u2"), *GIVEN_UP]


def test_an_unlock_is_minted_as_its_transaction_lands():
    given(*UNLOCK).when(recording("u1", 1)).then(minted("u1", 1, "nft_unlock"))
    late = [*UNLOCK, failed("u1")]
    given(*late).when(recording("u1", 1)).then(minted("u1", 1, "nft_unlock"))
    assert upgrade_of(*UNLOCKED).level == 1


def test_nothing_is_signed_or_minted_before_the_burn():
    for history in (CLIMB, [*CLIMB, submitted("u2")], LAPSED):
        given(*history).when(signing("u2")).then()
        given(*history).when(recording("u2", 2)).then()
    given(*UNLOCK).when(signing("u1")).then()


def test_one_mint_is_signed_at_a_time_with_the_parameters_of_the_request():
    given(*OWED).when(signing("u2")).then(signed("u2"))
    given(*OWED, signed("u2")).when(signing("u2", 2)).then()
    dropped = happened.LevelMintDropped(
        **ids("u2"), signature="mint-sig-1", reason="late", proof_height=151, proof_slot=160
    )
    drop = of("u2", lambda each: each.drop("mint-sig-1", "late", 151, 160))
    given(*OWED, signed("u2")).when(drop).then(dropped)
    given(*OWED, signed("u2"), dropped).when(signing("u2", 2)).then(signed("u2", 2))
    given(*CLIMBED).when(signing("u2", 2)).then()


def test_only_the_mint_that_is_alive_can_be_dropped():
    other = of("u2", lambda each: each.drop("mint-sig-9", "late", 151, 160))
    given(*OWED, signed("u2")).when(other).then()
    given(*OWED).when(other).then()


def test_the_token_is_recorded_once_and_ends_the_recovery():
    given(*OWED, signed("u2")).when(recording("u2", 2)).then(minted("u2", 2))
    upgrade = upgrade_of(*CLIMBED)
    assert (upgrade.level, upgrade.recovery, upgrade.attempts["u2"].state) == (2, None, "minted")
    given(*OWED).when(recording("u2", 2)).then(minted("u2", 2))


def test_a_mint_that_fails_is_a_recovery_at_once_and_waits_longer_each_time():
    history, waits = [*OWED], []
    for tried in range(1, 9):
        attempt = upgrade_of(*history).attempts["u2"]
        [event] = attempt.fail_mint("transient", "RPC away", at=NOON, cap=CAP)
        waits.append(event.retry_at - NOON)
        history.append(event)
        after = upgrade_of(*history).attempts["u2"]
        assert (after.state, after.tried, after.retry_at) == ("recovery", tried, event.retry_at)
        assert after.reason_class == ("SUPPORT" if tried >= SUPPORT_AFTER else "RETRYING")
    longest = [min(CAP, FIRST_RETRY * 2**n) for n in range(8)]
    assert all(most * 0.75 <= wait <= most for wait, most in zip(waits, longest, strict=True))


def test_a_recovery_stays_one_until_its_token_is_there():
    history = [*OWED, mint_failed("u2", 1, timedelta(seconds=1)), signed("u2")]
    assert upgrade_of(*history).attempts["u2"].state == "recovery"
    assert upgrade_of(*history, minted("u2", 2)).attempts["u2"].state == "minted"
    unowed = of("u2", lambda each: each.fail_mint("transient", "late", at=NOON, cap=CAP))
    given(*CLIMBED).when(unowed).then()
    given(*CLIMB).when(unowed).then()


def test_an_operator_need_not_wait_for_the_next_try():
    waiting = [*OWED, mint_failed("u2", 1, timedelta(seconds=1))]
    retry = of("u2", lambda each: each.retry("ops"))
    given(*waiting).when(retry).then(happened.MintRetryAsked(**ids("u2"), by="ops"))
    given(*OWED).when(retry).then()
    given(*CLIMBED).when(retry).refused(NothingOwed)


def test_somebody_looks_when_something_is_open_and_when_the_next_try_comes():
    after = timedelta(seconds=1)
    assert watch_due(upgrade_of(), NOON) is None
    assert watch_due(upgrade_of(*UNLOCK), NOON) == NOON
    assert watch_due(upgrade_of(*UNLOCKED), NOON) is None
    assert watch_due(upgrade_of(*CLIMB, failed("u2")), NOON) == NOON
    assert watch_due(upgrade_of(*LAPSED), NOON) is None
    assert watch_due(upgrade_of(*OWED), NOON) == NOON
    assert watch_due(upgrade_of(*OWED, mint_failed("u2", 1, after)), NOON) == NOON + after


# Badges.


def test_badges_are_held_by_what_goes_on_given_back_by_what_fails_and_consumed_by_a_burn():
    both = frozenset({"b1", "b2"})
    assert upgrade_of(*UNLOCKED).taken_badges == frozenset()
    assert upgrade_of(*CLIMB).taken_badges == both
    assert upgrade_of(*CLIMB, failed("u2")).taken_badges == frozenset()
    assert upgrade_of(*LAPSED).taken_badges == frozenset()
    assert upgrade_of(*OWED).taken_badges == both
    assert upgrade_of(*CLIMBED).taken_badges == both


def test_badges_of_what_may_still_land_are_bound_although_given_back():
    may_land = upgrade_of(*CLIMB, failed("u2"))
    assert may_land.bound_badges == frozenset({"b1", "b2"})
    assert upgrade_of(*LAPSED).bound_badges == frozenset()


# Memory.


def test_what_came_to_nothing_long_ago_is_forgotten_and_nothing_else():
    history = [*UNLOCKED]
    for n in range(50):
        id_ = f"x{n}"
        history += [asked(id_, "nft_upgrade", 2, "mint-u1"), window(id_), lapsed(id_), failed(id_)]
    known = upgrade_of(*history)
    assert len(known.attempts) == FAILED_KEPT + 1
    assert list(known.attempts) == ["u1", *(f"x{n}" for n in range(40, 50))]
    assert known.token and known.last == "x49"


def test_metadata_is_stored_for_every_attempt_that_was_signed_and_did_not_fail():
    pinned = happened.MetadataPinned(**ids("u1"), cid="cid-u1")
    pin = of("u1", lambda each: each.pin("cid-u1"))
    given(*UNLOCK).when(pin).then(pinned)
    given(*UNLOCK).when(of("u1", lambda each: each.pin("foreign"))).then()

    def wanted(*history: Event) -> list[str]:
        return [each.terms.upgrade_id for each in unpinned(upgrade_of(*history))]

    assert wanted(*CLIMB) == ["u1"]
    assert wanted(*CLIMB, submitted("u2")) == ["u1", "u2"]
    assert wanted(*CLIMB, submitted("u2"), pinned) == ["u2"]
    assert wanted(*LAPSED, pinned) == []


def test_a_pass_without_history_has_nothing():
    fresh = Upgrade()
    assert (fresh.level, fresh.attempt, fresh.recovery, fresh.watched) == (0, None, None, ())
    assert not fresh.begun
