"""What a pass's matcha does: lots are spent in order, holds end once, refunds take what is left."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import matcha_events as happened
from domain.matcha import InsufficientMatcha, MatchaAccount
from tests.domain.matchas import (
    DAY,
    PASS,
    SOON,
    capturing,
    expiring,
    free,
    given,
    granting,
    holding,
    refunding,
    releasing,
)
from tests.spec import NOON


def of(delta=0, held=0, **lots):
    meta = {"asset": "MATCHA", "delta": delta, "held": held, "lots": lots}
    return {"pass_id": PASS, "meta": meta}


def moved(id_, delta, expires_at, held=0, **lots):
    row = {"mg_id": f"credit_transaction:{id_}", "matcha_delta": delta}
    return {**of(delta, held, **lots), **row, "matcha_expires_at": expires_at}


def silent(given_):
    """Decided on this history, nothing happens."""
    return given_.then()


def test_a_purchase_adds_its_matcha_for_thirty_days():
    lot = {"lot_id": "a", "lot_class": "paid", "source": "order:a", "amount": 50}
    given().when(granting("a", 50)).then(
        happened.MatchaGranted(
            **moved("a", 50, NOON + 30 * DAY, a=50),
            **lot,
            granted_at=NOON,
            expires_at=NOON + 30 * DAY,
        )
    )


def test_a_later_purchase_extends_what_was_paid_for_and_not_what_was_free():
    account = given(granting("a", 50), free("w", 5), granting("b", 50, at=NOON + 10 * DAY)).is_now()
    assert account.lots["a"].expires_at == NOON + 40 * DAY
    assert account.lots["w"].expires_at == NOON + 30 * DAY
    assert account.expires_at == NOON + 40 * DAY


def test_a_purchase_shortens_nothing_and_brings_nothing_back_that_expired():
    account = given(granting("a", 5), granting("b", 5, days=10)).is_now()
    assert account.lots["a"].expires_at == NOON + 30 * DAY
    late = NOON + 31 * DAY
    account = given(granting("a", 5), granting("b", 7, at=late)).is_now()
    assert (account.balance, account.lots["a"].left) == (7, 0)


def test_what_expires_first_is_spent_first_and_free_before_paid_and_then_the_oldest():
    lots = [
        granting("old", 1),
        granting("new", 1, at=NOON + DAY, days=29),
        free("y", 1, days=29, at=NOON + DAY),
    ]
    holds = [holding(f"g{n}") for n in range(4)]
    account = given(*lots, free("early", 1, days=5), *holds).is_now()
    turns = [lot_id for hold in account.holds.values() for lot_id in hold.lots]
    assert turns == ["early", "y", "old", "new"]
    assert account.available(NOON) == 0


def test_a_hold_sets_aside_and_its_capture_spends_and_names_the_lots():
    about = {"generation_id": "g1", "amount": 3, "lots": {"a": 2, "b": 1}}
    lots = [granting("a", 2), granting("b", 5)]
    given(*lots).when(holding("g1", 3)).then(
        happened.MatchaHeld(**of(0, 3, a=2, b=1), **about, expires_at=SOON, matcha_held_delta=3)
    )
    given(*lots, holding("g1", 3)).when(capturing("g1")).then(
        happened.MatchaCaptured(
            **moved("g1", -3, NOON + 30 * DAY, -3, a=2, b=1), **about, matcha_held_delta=-3
        )
    )


def test_the_last_matcha_spent_leaves_no_expiry_to_be_shown():
    (captured,) = given(granting("a", 1), holding("g1")).when(capturing("g1"))._decide()
    assert captured.matcha_expires_at is None


def test_more_than_is_available_cannot_be_held():
    given().when(holding("g1")).refused(InsufficientMatcha)
    given(granting("a", 2), holding("g1", 2)).when(holding("g2")).refused(InsufficientMatcha)
    past = NOON + 30 * DAY
    given(granting("a", 2)).when(holding("g1", 1, at=past)).refused(InsufficientMatcha)


def test_what_is_free_of_charge_holds_nothing():
    silent(given().when(holding("g1", 0)))
    silent(given().when(capturing("g1")))


@pytest.mark.parametrize("end", [capturing("g1"), releasing("g1"), expiring(SOON)])
def test_a_hold_ends_once(end):
    for again in (capturing("g1"), releasing("g1"), expiring(SOON)):
        silent(given(granting("a", 1), holding("g1"), end).when(again))


def test_what_is_released_can_be_held_again():
    account = given(granting("a", 1), holding("g1"), releasing("g1"), holding("g2")).is_now()
    assert (account.balance, account.held, account.available(NOON)) == (1, 1, 0)


def test_unheld_matcha_expires_and_what_is_held_does_not_until_its_hold_ends():
    past = NOON + 30 * DAY
    held = [granting("a", 5), holding("g1", 2, at=past - timedelta(minutes=1))]
    account = given(*held, expiring(past)).is_now()
    assert (account.balance, account.held, account.expires_at) == (2, 2, past)
    assert account.next_deadline == past + timedelta(minutes=59)
    spent = given(*held, expiring(past), capturing("g1", past)).is_now()
    assert (spent.balance, spent.lots["a"].expired) == (0, 3)
    freed = given(*held, expiring(past), releasing("g1", at=past)).is_now()
    assert (freed.balance, freed.held, freed.lots["a"].expired) == (0, 0, 5)


def test_expiry_is_a_transaction_of_its_own_each_time_something_of_a_lot_expires():
    past = NOON + 30 * DAY
    held = [granting("a", 5), holding("g1", 2, at=past - DAY, until=past + DAY)]
    (expired,) = given(*held).when(expiring(past))._decide()
    _, later = given(*held, expiring(past)).when(releasing("g1", at=past))._decide()
    assert (expired.matcha_delta, later.matcha_delta) == (-3, -2)
    assert expired.mg_id != later.mg_id


def test_a_refund_takes_what_is_left_and_the_rest_is_owed():
    used = [granting("a", 5), holding("g1", 2), capturing("g1"), holding("g2")]
    given(*used).when(refunding("a", 5)).then(
        happened.MatchaClawedBack(
            **moved("refunded:a:r1", -2, NOON + 30 * DAY, a=2),
            lot_id="a",
            reference="r1",
            refunded=5,
            amount=2,
            owed=3,
        )
    )
    account = given(*used, refunding("a", 5)).is_now()
    assert (account.balance, account.held, account.owed) == (1, 1, 3)


def test_what_is_freed_of_a_refunded_lot_pays_what_is_owed():
    used = [granting("a", 5), holding("g1", 2), capturing("g1"), holding("g2", 2)]
    assert given(*used, refunding("a", 4)).is_now().owed == 3
    account = given(*used, refunding("a", 4), releasing("g2")).is_now()
    assert (account.balance, account.owed, account.lots["a"].taken) == (0, 1, 3)


def test_a_refund_of_what_expired_unused_leaves_no_debt():
    past = NOON + 30 * DAY
    account = given(granting("a", 5), refunding("a", 5, at=past)).is_now()
    assert (account.balance, account.owed, account.lots["a"].expired) == (0, 0, 5)


def test_more_than_a_lot_is_never_refunded():
    account = given(granting("a", 5), refunding("a", 9), refunding("a", 9, "r2")).is_now()
    assert (account.balance, account.owed, account.lots["a"].taken) == (0, 0, 5)


def test_a_refund_is_told_once_and_an_unknown_lot_has_none():
    silent(given(granting("a", 5), refunding("a", 2)).when(refunding("a", 2)))
    silent(given(granting("a", 5)).when(refunding("b", 2)))


def test_a_merge_moves_lots_holds_and_debts():
    used = [granting("a", 5), holding("g1", 2), capturing("g1"), refunding("a", 4), holding("g2")]
    mine = given(*used[:-1], granting("b", 3), holding("g2")).is_now()
    there = MatchaAccount()
    events = mine.move(PASS, "pass:user:eve", there, NOON)
    assert [event.matcha_delta for event in events] == [-mine.balance, mine.balance]
    moved_to = there.evolve(events[1])
    assert moved_to == mine
    assert mine.evolve(events[0]) == MatchaAccount(moved_to="pass:user:eve")
    assert events[1].matcha_expires_at == mine.expires_at
    assert granting("a", 5)(moved_to) == [], "a lot is granted once, whose ever it is"


def test_nothing_is_moved_out_too_so_that_whoever_grants_meanwhile_looks_again():
    (out,) = MatchaAccount().move(PASS, "pass:user:eve", MatchaAccount(), NOON)
    assert (out.matcha_delta, out.mg_id, out.stream) == (0, None, f"credit_account:matcha:{PASS}")
