"""An attempt from its request to its token: each step once, and nothing burned is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain import upgrade_events as happened
from domain.upgrade_attempt import SUBMISSIONS_MAX
from domain.upgrade_refusals import (
    AlreadyUnlocked,
    NoToken,
    TooManySubmissions,
    UpgradeOver,
    UpgradeUnderway,
)
from tests.domain.upgrades import (
    ABSENT,
    CLIMB,
    CLIMBED,
    IN_TIME,
    OVER,
    OWED,
    SIGNED,
    STRANGER,
    UNLOCK,
    UNLOCKED,
    WALLET,
    asked,
    burned,
    burning,
    correction,
    failed,
    given,
    ids,
    lapsed,
    minted,
    of,
    signed,
    submitted,
    upgrade_of,
    window,
)
from tests.spec import NOON

GIVEN_UP = [failed("u2", "RETRYING", IN_TIME)]
LAPSED = [*CLIMB, lapsed("u2"), *GIVEN_UP]
AGAIN = [asked("u3", "nft_upgrade", 2, "mint-u1", "b1", "b2"), window("u3")]


def offering(unlock, at=NOON):
    return lambda upgrade: upgrade.offered(unlock=unlock, at=at)[1]


# Asking.


def test_an_attempt_begins_with_its_evidence_and_its_transaction():
    given().when(lambda upgrade: upgrade.request(UNLOCK[0])).then(UNLOCK[0])
    prepare = of("u1", lambda each: each.prepare(replace(SIGNED, signature=""), OVER))
    given(UNLOCK[0]).when(prepare).then(UNLOCK[1])


@pytest.mark.parametrize(
    "history, unlock, refusal",
    [
        ([], False, NoToken),
        (UNLOCK, False, NoToken),
        (UNLOCKED, True, AlreadyUnlocked),
        (CLIMB, True, AlreadyUnlocked),
        (OWED, True, UpgradeUnderway),
        (OWED, False, UpgradeUnderway),
        (CLIMBED, True, AlreadyUnlocked),
    ],
)
def test_whoever_asks_out_of_turn_is_told_why(history, unlock, refusal):
    given(*history).when(offering(unlock)).refused(refusal)


@pytest.mark.parametrize("history, unlock", [([], True), (UNLOCKED, False), (LAPSED, False)])
def test_a_new_attempt_may_begin_when_nothing_is_under_way(history, unlock):
    assert upgrade_of(*history).offered(unlock=unlock, at=NOON) == (None, [])


@pytest.mark.parametrize("more", [[], [submitted("u2")]])
def test_the_open_attempt_is_offered_again(more):
    known, events = upgrade_of(*CLIMB, *more).offered(unlock=False, at=NOON)
    assert known and (known.terms.upgrade_id, events) == ("u2", [])


def test_a_window_that_is_over_is_waited_out():
    given(*CLIMB).when(offering(unlock=False, at=OVER)).refused(UpgradeUnderway)


def test_what_failed_for_want_of_sol_is_offered_again_while_it_may_land():
    history = [*CLIMB, submitted("u2"), failed("u2")]
    reopened = happened.UpgradeReopened(**ids("u2"))
    given(*history).when(offering(unlock=False)).then(reopened)
    assert upgrade_of(*history, reopened).attempts["u2"].state == "prepared"
    given(*history).when(offering(unlock=False, at=OVER)).refused(UpgradeUnderway)


# The wallet's transaction.


def test_what_the_wallet_signed_is_recorded_once():
    submit = of("u2", lambda each: each.submit("c2lnbmVk", "wallet-sig", NOON))
    given(*CLIMB).when(submit).then(submitted("u2"))


def test_another_transaction_is_another_submission():
    other = submitted("u2", "b3RoZXI=", "other-sig")
    submit = of("u2", lambda each: each.submit("b3RoZXI=", "other-sig", NOON))
    given(*CLIMB, submitted("u2")).when(submit).then(other)


def test_a_mere_signature_does_not_take_the_place_of_what_can_be_sent_again():
    submit = of("u2", lambda each: each.submit("", "other-sig", NOON))
    given(*CLIMB, submitted("u2")).when(submit).then()


def test_submissions_are_bounded():
    many = [submitted("u2", "", f"sig-{number}") for number in range(SUBMISSIONS_MAX)]
    submit = of("u2", lambda each: each.submit("", "one-more", NOON))
    given(*CLIMB, *many).when(submit).refused(TooManySubmissions)


def test_handing_in_what_failed_opens_it_again():
    submit = of("u2", lambda each: each.submit("c2lnbmVk", "wallet-sig", NOON))
    reopened = happened.UpgradeReopened(**ids("u2"))
    history = [*CLIMB, submitted("u2"), failed("u2")]
    given(*history).when(submit).then(reopened, submitted("u2"))


def test_nothing_can_be_handed_in_when_it_can_not_land_any_more():
    submit = of("u2", lambda each: each.submit("c2lnbmVk", "wallet-sig", NOON))
    given(*LAPSED).when(submit).refused(UpgradeOver)
    given(*OWED).when(submit).then()


def test_a_transaction_that_can_never_land_ends_its_attempt():
    lapse = of("u2", lambda each: each.lapse(ABSENT))
    given(*CLIMB).when(lapse).then(lapsed("u2"), *GIVEN_UP)
    given(*CLIMB, failed("u2")).when(lapse).then(lapsed("u2"))
    given(*OWED).when(lapse).then()


@pytest.mark.parametrize("kind", ["ADD_SOL", "RETRYING", "SUPPORT"])
def test_a_failure_before_the_burn_has_a_class_and_may_land_all_the_same(kind):
    fail = of("u2", lambda each: each.fail(kind, "no SOL"))
    given(*CLIMB).when(fail).then(failed("u2", kind))
    attempt = upgrade_of(*CLIMB, failed("u2", kind)).attempts["u2"]
    assert (attempt.state, attempt.reason_class, attempt.watched) == ("failed", kind, True)
    given(*OWED).when(fail).then()
    given(*CLIMBED).when(fail).then()


# The burn.


def test_a_burn_by_the_right_wallet_counts_once():
    given(*CLIMB).when(burning()).then(burned("u2", "mint-u1"))
    given(*CLIMB, submitted("u2")).when(burning(named="u2")).then(burned("u2", "mint-u1"))
    given(*CLIMBED).when(burning(named="u2")).then()
    owed = upgrade_of(*OWED)
    assert (owed.token, owed.recovery) == (None, owed.attempts["u2"])
    assert owed.attempts["u2"].state == "burn_confirmed"


@pytest.mark.parametrize(
    "mint, owner", [("mint-u1", STRANGER), ("mint-u1", ""), ("mint-u2", WALLET), ("", WALLET)]
)
def test_a_burn_by_others_or_of_another_token_counts_for_nothing(mint, owner):
    given(*CLIMB).when(burning(mint, owner, named="u2")).then()


def test_a_burn_counts_although_the_attempt_had_failed_when_it_may_still_land():
    given(*CLIMB, failed("u2")).when(burning()).then(burned("u2", "mint-u1"))


def test_a_burn_that_names_an_attempt_counts_for_it_although_it_was_given_up():
    given(*LAPSED).when(burning(named="u2")).then(burned("u2", "mint-u1"))
    attempt = upgrade_of(*LAPSED, burned("u2", "mint-u1")).attempts["u2"]
    assert (attempt.state, attempt.owed, attempt.takes_badges) == ("burn_confirmed", True, True)


@pytest.mark.parametrize("named", ["", "u1", "u9"])
def test_a_late_burn_that_names_none_of_those_given_up_counts_for_none(named):
    given(*LAPSED).when(burning(named=named)).then()


def test_a_burn_counts_for_the_attempt_that_goes_on_whichever_it_names():
    given(*LAPSED, *AGAIN).when(burning(named="u2")).then(burned("u3", "mint-u1"))
    given(*LAPSED, *AGAIN).when(burning()).then(burned("u3", "mint-u1"))


def test_one_burn_never_counts_for_two_attempts():
    on_its_way = [*LAPSED, *AGAIN, burned("u3", "mint-u1")]
    given(*on_its_way).when(burning(named="u2")).then()
    given(*on_its_way, signed("u3"), minted("u3", 2)).when(burning(named="u2")).then()


def test_a_burn_counts_for_nothing_once_it_was_taken_for_one_outside():
    outside = correction("burned_outside", "mint-u1", "burned")
    given(*LAPSED, outside).when(burning(named="u2")).then()


def test_a_burn_before_which_the_pass_had_gone_on_counts_for_nothing():
    away = correction("sent_away", "mint-u1", STRANGER)
    gone = [*LAPSED, away]
    given(*gone).when(burning(named="u2")).then(burned("u2", "mint-u1"))
    begun = [*gone, asked("u4", "nft_unlock", 1, ""), window("u4")]
    given(*begun).when(burning(named="u2")).then()
    given(*begun, minted("u4", 1, "nft_unlock")).when(burning(named="u2")).then()


def test_an_unlock_burns_nothing():
    given(*UNLOCK).when(burning("", WALLET, named="u1")).then()
    given(*UNLOCK).when(of("u1", lambda each: each.confirm_burn(WALLET, "s", 1))).then()
