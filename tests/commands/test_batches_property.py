from __future__ import annotations

from collections import Counter
from datetime import UTC

from hypothesis import given, settings
from hypothesis import strategies as some

from domain.allowance import SlotsReleased, SlotsUsed, allowance_stream
from domain.batch_events import BatchOpened, BatchPaid, PfpMinted
from domain.credit_account import account_stream
from domain.event import Refused
from domain.pfp_unit import Unit
from ledger.codec import Recorded
from projections.statement import make_statement
from tests.commands.minting import OWNER, PRICE, WALLET, Minting

ALLOWED = 12

quantities = some.integers(1, 10).map(lambda n: ("prepare", n))
payments = ["submit", "land", "lapse", "fail_payment", "cancel"]
mints = ["ask", "go_on", "advance", "make", "fail", "later"]
others = some.tuples(some.sampled_from(payments + mints), some.integers(0, 2))


def step(minting: Minting, what: str, which: int) -> None:
    """One thing that may happen, to one of the batches."""
    batches = [e.batch_id for e in minting.memory.history if isinstance(e, BatchOpened)]
    if what == "prepare":
        minting.prepare(which)
    elif what == "later":
        minting.memory.later(30)
    elif batches:
        id_ = batches[-1 - which % len(batches)]
        batch = minting.batch(id_)
        if what == "make" and batch.waiting():
            minting.make(id_)
        elif what == "fail" and batch.in_work:
            minting.fail(id_, batch.in_work[0].index)
        elif what in ("land", "lapse", "fail_payment"):
            if batch.watched:
                getattr(minting, what)(id_)
        elif what == "advance" and batch.in_work:
            advance(minting, id_, batch.in_work[which % len(batch.in_work)])
        elif what in ("submit", "cancel", "ask", "go_on"):
            getattr(minting, what)(id_)


def advance(minting: Minting, id_: str, unit: Unit) -> None:
    """One step on the way of a unit, which others may overtake."""
    if unit.alive:
        minting.mint(id_, unit.index)
    elif unit.art_stored:
        minting.sign(id_, unit.index)
    else:
        minting.store(id_, unit.index)


def check(minting: Minting) -> None:
    history = minting.memory.history
    paid = [event for event in history if isinstance(event, BatchPaid)]
    lamports = sum(int(event.lamports) - int(event.refund_due) for event in paid)
    minted = sum(isinstance(event, PfpMinted) for event in history)
    account = minting.memory.state(account_stream(OWNER))
    assert lamports % PRICE == 0
    assert lamports // PRICE == minted + account.balance("PFP"), "a unit was lost or made up"
    assert account.available("PFP") >= 0
    assert all(held > 0 for held in account.holds.values())
    allowance = minting.memory.state(allowance_stream(WALLET))
    assert allowance.used + sum(allowance.reserved.values()) <= ALLOWED
    assert allowance.used == sum(e.count for e in history if isinstance(e, SlotsUsed))
    released = Counter(e.batch_id for e in history if isinstance(e, SlotsReleased))
    assert max(released.values(), default=0) <= 1, "slots were released twice"
    for id_ in (e.batch_id for e in history if isinstance(e, BatchOpened)):
        batch = minting.batch(id_)
        most = batch.paid.units if batch.paid else 0
        assert len(batch.minted) + len(batch.in_work) + batch.left <= max(most, 0)
        assert account.held("PFP", id_) == (batch.remaining if batch.paid else held_by(batch))


def held_by(batch) -> int:
    return 0 if batch.ended else batch.credits


def statement(minting: Minting) -> dict:
    recorded = [
        Recorded(n, event.stream, n, event.TOPIC, minting.memory.now.astimezone(UTC), event, {})
        for n, event in enumerate(minting.memory.history, 1)
    ]
    return make_statement(OWNER, recorded, position=len(recorded), head_hash="")["assets"]


@settings(max_examples=200)
@given(some.lists(some.one_of(quantities, others), min_size=10, max_size=40))
def test_what_was_paid_is_minted_or_a_credit_after_every_step(story):
    minting = Minting(allowed=ALLOWED)
    for what, which in story:
        try:
            step(minting, what, which)
        except Refused:
            continue
        check(minting)
    if sums := statement(minting).get("SOL"):
        parts = ("delivered", "credit", "in_flight", "refund_due")
        assert int(sums["paid"]) == sum(int(sums[name]) for name in parts)
