"""What tests say about an account of matcha: lots, refunds and the events that they leave."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import strategies as some

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


# Random stories: data, so that they can be shrunk. Times only go on.

steps = some.one_of(
    some.tuples(some.just("grant"), some.sampled_from(["paid", "free"]), some.integers(1, 4)),
    some.tuples(some.just("hold"), some.integers(0, 5), some.integers(1, 40)),
    some.tuples(some.sampled_from(["capture", "release"]), some.integers(0, 5)),
    some.tuples(some.just("refund"), some.integers(0, 3), some.integers(1, 5)),
    some.tuples(some.just("expire")),
    some.tuples(some.just("wait"), some.sampled_from([DAY / 48, DAY, 11 * DAY, 30 * DAY])),
)
stories = some.lists(steps, max_size=30)


class Story:
    """Steps become decisions, with ids that are used once; `now` is the time of the next."""

    def __init__(self) -> None:
        self.now, self._count = NOON, 0

    def decision(self, step, account):
        """What the step means for this account. None: only time goes on."""
        self._count += 1
        match step:
            case ("grant", lot_class, amount):
                days = 30 if lot_class == "paid" else amount * 10
                return granting(f"lot{self._count % 7}", amount, days, lot_class, self.now)
            case ("hold", amount, hours):
                until = self.now + hours * DAY / 24
                return holding(f"g{self._count}", amount, self.now, until)
            case ("capture", place):
                return capturing(_at(account.holds, place), self.now)
            case ("release", place):
                return releasing(_at(account.holds, place), "failed", self.now)
            case ("refund", place, amount):
                lot_id = _at(account.lots, place)
                return refunding(lot_id, amount, f"r{self._count}", self.now)
            case ("expire",):
                return expiring(self.now)
            case ("wait", time):
                self.now += time
                return None


def _at(names, place):
    return list(names)[place % len(names)] if names else "none"
