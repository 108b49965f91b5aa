"""Whatever is asked of an account of matcha, none appears, none is lost, none is spent twice."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given, settings

from domain import matcha_events as happened
from domain.event import Refused
from domain.matcha import MatchaAccount
from tests.domain.matchas import (
    DAY,
    Story,
    capturing,
    expiring,
    granting,
    holding,
    refunding,
    stories,
)
from tests.spec import NOON


@settings(max_examples=300, deadline=None)
@given(stories)
def test_matcha_is_conserved_and_a_hold_ends_once(steps):
    account, story, total, held, ended = MatchaAccount(), Story(), 0, {}, Counter()
    for step in steps:
        decision = story.decision(step, account)
        if decision is None:
            continue
        try:
            events = decision(account)
        except Refused:
            continue
        for event in events:
            if isinstance(event, happened.MatchaHeld):
                spends_in_order(account, event, story.now)
                held[event.generation_id] = event
            if isinstance(event, happened.MatchaCaptured | happened.MatchaReleased):
                ended[event.generation_id] += 1
                assert event.lots == held[event.generation_id].lots, "captured is what was held"
            account = account.evolve(event)
            total += event.meta["delta"]
            assert total == account.balance
            assert event.meta["delta"] == getattr(event, "matcha_delta", 0)
            assert event.meta["held"] == getattr(event, "matcha_held_delta", 0)
            if isinstance(event, happened.ExpiryTold):
                assert event.matcha_expires_at == account.expires_at
        assert decision(account) == [], "asked twice, it must do nothing more"
        sound(account, story.now)
    assert set(ended.values()) <= {1}
    assert held.keys() - ended.keys() == account.holds.keys()


def sound(account, now):
    for lot in account.lots.values():
        captured = lot.amount - lot.left - lot.expired - lot.taken
        assert min(captured, lot.held, lot.free, lot.expired, lot.taken, lot.debt) >= 0
        assert lot.held == sum(hold.lots.get(lot.lot_id, 0) for hold in account.holds.values())
        assert lot.debt <= captured + lot.held, "only what was used is owed"
        assert lot.refunded <= lot.amount
        assert not (lot.debt and lot.free), "what is there is taken before anything is owed"
    assert account.held == sum(hold.amount for hold in account.holds.values())
    assert 0 <= account.available(now) <= account.balance - account.held


def spends_in_order(account, event, now):
    """Nothing that expired, and nothing while there is more of what comes before it."""
    turn = {id_: (lot.expires_at, lot.lot_class == "paid", lot.granted_at, id_)
            for id_, lot in account.lots.items()}  # fmt: skip
    last = max(turn[id_] for id_ in event.lots)
    for id_, lot in account.lots.items():
        taken = event.lots.get(id_, 0)
        assert 0 <= taken <= lot.free
        assert not taken or lot.expires_at > now
        assert turn[id_] >= last or lot.expires_at <= now or taken == lot.free
    assert sum(event.lots.values()) == event.amount


LATE = NOON + 30 * DAY


@pytest.mark.parametrize("order", list(permutations(["spend", "refund", "expire"])))
@pytest.mark.parametrize(("spent", "refunded"), [(0, 5), (2, 3), (2, 5), (5, 5), (3, 1)])
def test_in_whatever_order_it_is_spent_refunded_and_expires_the_sums_are_right(
    order, spent, refunded
):
    """Whoever tells of a refund before the purchase asks again; a hold may outlive its lot."""
    account = MatchaAccount()
    for early in (granting("a", 5), holding("g1", spent, until=LATE + DAY)):
        account = follow(account, early)
    ways = {
        "spend": capturing("g1", LATE),
        "refund": refunding("a", refunded, at=NOON + DAY),
        "expire": expiring(LATE),
    }
    for name in order:
        account = follow(account, ways[name])
    lot = account.lots["a"]
    assert (account.balance, account.held) == (0, 0)
    assert lot.expired + lot.taken == 5 - spent
    assert account.owed == max(0, refunded - (5 - spent))


def follow(account, decision):
    for event in decision(account):
        account = account.evolve(event)
    return account


def test_a_refund_that_is_told_before_its_purchase_counts_when_it_is_asked_again():
    early = follow(MatchaAccount(), refunding("a", 5))
    assert early == MatchaAccount()
    account = follow(follow(early, granting("a", 5)), refunding("a", 5))
    assert (account.balance, account.owed) == (0, 0)
