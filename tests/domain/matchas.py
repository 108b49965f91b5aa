"""What tests say about an account of matcha: lots, refunds and the events that they leave."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.matcha import MatchaAccount, NewLot
from tests.spec import NOON, Given

PASS = "pass:user:ann"
DAY = timedelta(days=1)
SOON = NOON + timedelta(hours=1)


def given(*history):
    """`history` are decisions, each made on what the ones before it left."""
    account, events = MatchaAccount(), []
    for decision in history:
        made = decision(account)
        for event in made:
            account = account.evolve(event)
        events += made
    return Given(MatchaAccount(), *events)


def granting(lot_id, amount, days=30, lot_class="paid", at=NOON):
    lot = NewLot(lot_id, lot_class, amount, at + days * DAY, f"order:{lot_id}")
    return lambda account: account.grant(PASS, lot, at)


def free(lot_id, amount, days=30, at=NOON):
    return granting(lot_id, amount, days, "free", at)


def holding(hold_id, amount=1, at=NOON, until: datetime | None = None):
    ends = until or at + timedelta(hours=1)
    return lambda account: account.hold(PASS, hold_id, amount, ends, at)


def capturing(hold_id, at=NOON):
    return lambda account: account.capture(PASS, hold_id, at)


def releasing(hold_id, reason="failed", at=NOON):
    return lambda account: account.release(PASS, hold_id, reason, at)


def expiring(at):
    return lambda account: account.expire(PASS, at)


def refunding(lot_id, amount, reference="r1", at=NOON):
    return lambda account: account.claw_back(PASS, lot_id, amount, reference, at)
