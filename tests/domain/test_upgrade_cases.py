"""What people decide about tokens that are owed, and where the chain says otherwise than we do."""

from __future__ import annotations

import pytest

from domain import upgrade_events as happened
from domain.compensation import Compensation, compensate
from domain.upgrade_refusals import (
    LevelTooLow,
    NothingOwed,
    SecondPersonRequired,
    TokenElsewhere,
)
from tests.domain.upgrades import (
    CLIMB,
    CLIMBED,
    OWED,
    PASS,
    SLOT,
    STRANGER,
    UNLOCKED,
    approved,
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
    proposed,
    recording,
    signed,
    signing,
    upgrade_of,
    wanting,
    window,
)
from tests.spec import NOON

AWAY = correction("sent_away", "mint-u1", STRANGER)
BACK = correction("came_back", "mint-u1", review=False)
OUTSIDE = correction("burned_outside", "mint-u1", "burned")
CLOSED = happened.ReviewClosed(**ids("u1"), mint="mint-u1", reason="spoke", by="ops")
AGAIN = [asked("u3", "nft_unlock", 1, ""), window("u3")]


def correcting(found):
    return lambda upgrade: upgrade.correct(found)


def thwarting(upgrade):
    return upgrade.thwart("mint-u1", SLOT)


def closing(mint="mint-u1"):
    return lambda upgrade: upgrade.close_review(PASS, mint, "spoke", "ops")


# Compensation.


def test_a_compensation_takes_two_people_who_want_the_same():
    assert given(*OWED).when(wanting(3, "ann"))._decide() == [proposed(3, "ann")]
    given(*OWED, proposed(3, "ann")).when(wanting(3, "ann")).refused(SecondPersonRequired)
    given(*OWED, proposed(3, "ann")).when(wanting(3, "bob")).then(approved(3, "bob", "ann"))


def test_a_second_person_who_wants_another_level_proposes_that():
    history = [*OWED, proposed(3, "ann")]
    assert given(*history).when(wanting(4, "bob"))._decide() == [proposed(4, "bob")]
    history.append(proposed(4, "bob"))
    given(*history).when(wanting(4, "bob")).refused(SecondPersonRequired)
    given(*history).when(wanting(4, "ann")).then(approved(4, "ann", "bob"))


def test_what_is_approved_is_approved_once_and_can_be_bettered_by_two():
    history = [*OWED, proposed(3, "ann"), approved(3, "bob", "ann")]
    for who in ("ann", "bob", "eve"):
        given(*history).when(wanting(3, who)).then()
    assert given(*history).when(wanting(4, "ann"))._decide() == [proposed(4, "ann")]


@pytest.mark.parametrize("level, refusal", [(1, LevelTooLow), (0, LevelTooLow)])
def test_a_compensation_is_never_of_a_lower_level(level, refusal):
    given(*OWED).when(wanting(level, "ann")).refused(refusal)


def test_the_same_level_again_is_a_compensation_too():
    history = [*OWED, proposed(2, "ann"), approved(2, "bob", "ann"), signed("u2", 1, 2, "cid-2")]
    given(*history).when(recording("u2", 2, "cid-2")).then(minted("u2", 2, cid="cid-2"))


def test_nothing_is_compensated_that_is_not_owed():
    for history in (CLIMB, [*CLIMB, failed("u2")], CLIMBED):
        given(*history).when(wanting(3, "ann")).refused(NothingOwed)


def test_from_the_approval_on_the_better_token_is_signed_and_minted():
    history = [*OWED, proposed(3, "ann"), approved(3, "bob", "ann")]
    given(*history).when(signing("u2")).then(signed("u2", 1, 3, "cid-3"))
    history.append(signed("u2", 1, 3, "cid-3"))
    given(*history).when(recording("u2", 3, "cid-3")).then(minted("u2", 3, cid="cid-3"))
    done = upgrade_of(*history, minted("u2", 3, cid="cid-3"))
    assert (done.level, done.attempts["u2"].state) == (3, "compensated")


def test_the_original_that_lands_all_the_same_is_no_compensation():
    history = [*OWED, signed("u2"), proposed(3, "ann"), approved(3, "bob", "ann")]
    given(*history).when(signing("u2", 2)).then()
    given(*history).when(recording("u2", 2)).then(minted("u2", 2))


def test_an_approved_token_that_lands_after_a_better_one_was_approved_is_a_compensation():
    history = [*OWED, proposed(3, "ann"), approved(3, "bob", "ann"), signed("u2", 1, 3, "cid-3")]
    history += [proposed(4, "ann"), approved(4, "bob", "ann")]
    given(*history).when(recording("u2", 3, "cid-3")).then(minted("u2", 3, cid="cid-3"))


def test_a_proposal_is_of_one_attempt():
    wanted = Compensation(3, "why", "bob", "{}", "cid")
    with pytest.raises(NothingOwed):
        of("u1", lambda each: compensate(each, wanted))(upgrade_of(*OWED, proposed(3, "ann")))


# Where ledger and chain differ.


def test_a_token_burned_outside_is_gone_and_the_next_unlock_begins_anew():
    given(*UNLOCKED).when(correcting(OUTSIDE)).then(OUTSIDE)
    gone = upgrade_of(*UNLOCKED, OUTSIDE)
    assert (gone.level, gone.away, gone.reviews) == (0, {}, {})
    assert gone.offered(unlock=True, at=NOON) == (None, [])


def test_a_burn_that_an_attempt_waits_for_is_no_correction():
    given(*CLIMB).when(correcting(OUTSIDE)).then()
    given(*OWED).when(correcting(OUTSIDE)).then()


def test_who_waits_for_a_burn_that_was_not_for_us_waits_no_longer():
    lost = failed("u2", "SUPPORT", "its token was burned otherwise")
    given(*CLIMB).when(thwarting).then(lost, lapsed("u2", 0, SLOT))
    given(*CLIMB, failed("u2")).when(thwarting).then(lapsed("u2", 0, SLOT))
    given(*UNLOCKED).when(thwarting).then()
    given(*OWED).when(thwarting).then()


def test_a_token_that_was_sent_away_leaves_level_0_and_a_review():
    given(*UNLOCKED).when(correcting(AWAY)).then(AWAY)
    away = upgrade_of(*UNLOCKED, AWAY)
    assert (away.level, list(away.away), list(away.reviews)) == (0, ["mint-u1"], ["mint-u1"])
    given(*UNLOCKED, AWAY).when(lambda u: u.offered(unlock=True, at=NOON)[1]).refused(
        TokenElsewhere
    )


def test_once_a_person_has_looked_at_it_a_new_one_can_be_unlocked():
    assert given(*UNLOCKED, AWAY).when(closing())._decide() == [CLOSED]
    given(*UNLOCKED, AWAY, CLOSED).when(closing()).refused(NothingOwed)
    given(*UNLOCKED).when(closing()).refused(NothingOwed)
    closed = upgrade_of(*UNLOCKED, AWAY, CLOSED)
    assert closed.offered(unlock=True, at=NOON) == (None, [])


def test_a_token_that_came_back_is_the_pass_s_again():
    given(*UNLOCKED, AWAY).when(correcting(BACK)).then(BACK)
    given(*UNLOCKED).when(correcting(BACK)).then()
    back = upgrade_of(*UNLOCKED, AWAY, BACK)
    assert back.token and (back.token.mint, back.level) == ("mint-u1", 1)
    assert (back.away, back.reviews) == ({}, {})


@pytest.mark.parametrize("more", [AGAIN, [*AGAIN, minted("u3", 1, "nft_unlock")]])
def test_a_token_is_not_taken_back_beside_another(more):
    given(*UNLOCKED, AWAY, CLOSED, *more).when(correcting(BACK)).then()


def test_it_is_taken_back_when_the_pass_has_no_other_after_all():
    history = [*UNLOCKED, AWAY, CLOSED, *AGAIN, lapsed("u3"), failed("u3", "RETRYING")]
    given(*history).when(correcting(BACK)).then(BACK)
    assert upgrade_of(*history, BACK).level == 1


def test_a_token_that_was_away_and_is_burned_for_us_is_not_looked_for_any_more():
    history = [*CLIMB, AWAY]
    given(*history).when(burning()).then(burned("u2", "mint-u1"))
    owed = upgrade_of(*history, burned("u2", "mint-u1"))
    assert (owed.away, owed.reviews) == ({}, {}) and owed.recovery


def test_a_token_that_was_away_and_is_burned_by_its_holder_is_gone():
    given(*UNLOCKED, AWAY).when(correcting(OUTSIDE)).then(OUTSIDE)
    gone = upgrade_of(*UNLOCKED, AWAY, OUTSIDE)
    assert (gone.away, gone.held_up) == ({}, False)


@pytest.mark.parametrize("kind", ["vanished", "level_mismatch", "unknown_token"])
def test_what_the_rules_do_not_settle_is_reviewed_once(kind):
    found = correction(kind, "mint-u1", "odd")
    given(*UNLOCKED).when(correcting(found)).then(found)
    assert upgrade_of(*UNLOCKED, found).level == 1, "a review changes nothing by itself"
    given(*UNLOCKED, found, CLOSED).when(correcting(found)).then()


def test_a_stranger_token_of_a_pass_without_any_is_reviewed():
    found = correction("unknown_token", "mint-x", "1")
    given().when(correcting(found)).then(found)
    assert upgrade_of(found).begun
