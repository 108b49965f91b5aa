from __future__ import annotations

import pytest

from commands.allowances import SetAllowances
from commands.batches import Landed
from commands.passes import Identify, OpenPass
from domain import pfp_refusals as refusals
from domain.allowance import GIVEN_BACK_MAX, allowance_stream
from domain.credit_account import account_stream
from ledger.errors import StreamConflict
from tests.commands.minting import OWNER, PRICE, WALLET, Minting


@pytest.fixture
def minting() -> Minting:
    return Minting()


def slots(minting: Minting) -> tuple[int, int]:
    allowance = minting.memory.state(allowance_stream(WALLET))
    return allowance.used, sum(allowance.reserved.values())


def test_a_batch_reserves_its_slots_and_asks_for_its_price(minting):
    told = minting.prepare(5)
    assert told["lamports"] == str(5 * PRICE)
    assert told["creditsApplied"] == 0 and told["transactionBase64"]
    assert slots(minting) == (0, 5)


def test_the_same_quantity_again_is_the_same_batch(minting):
    assert minting.prepare(5)["batchId"] == minting.prepare(5)["batchId"]
    assert slots(minting) == (0, 5)


def test_another_quantity_replaces_the_unpaid_batch(minting):
    first, second = minting.prepare(5)["batchId"], minting.prepare(2)["batchId"]
    assert minting.batch(first).status == "cancelled"
    assert minting.batch(second).status == "prepared"
    assert slots(minting) == (0, 2)


@pytest.mark.parametrize("quantity", [0, 11, -1])
def test_a_quantity_out_of_bounds_is_refused(minting, quantity):
    with pytest.raises(refusals.InvalidQuantity):
        minting.prepare(quantity)


def test_a_wallet_that_is_not_on_the_allowlist_is_refused():
    with pytest.raises(refusals.NotEligible):
        Minting(allowed=0).prepare(1)


def test_the_allowlist_is_never_exceeded(minting):
    minting.pay(minting.prepare(8)["batchId"])
    for _ in range(8):
        minting.make("b1")
    with pytest.raises(refusals.NoSlots):
        minting.prepare(3)
    assert slots(minting) == (8, 0)


def test_a_payment_makes_credits_and_each_token_takes_one(minting):
    minting.pay(minting.prepare(3)["batchId"])
    assert minting.credits == 3 and slots(minting) == (3, 0)
    assert [minting.make("b1") for _ in range(3)] == [1, 2, 3]
    assert minting.credits == 0 and minting.batch("b1").status == "complete"
    assert minting.ask("b1") == 0


def test_idle_units_are_credits_of_the_next_batch_and_leave_theirs(minting):
    minting.pay(minting.prepare(5)["batchId"])
    minting.make("b1")
    minting.make("b1")
    told = minting.prepare(5)
    assert told["creditsApplied"] == 3 and told["lamports"] == str(2 * PRICE)
    assert minting.batch("b1").remaining == 0 and minting.batch("b1").status == "complete"
    assert slots(minting) == (5, 2)
    minting.pay(told["batchId"])
    assert minting.credits == 5
    for _ in range(5):
        minting.make(told["batchId"])
    assert minting.credits == 0 and slots(minting) == (7, 0)


def test_only_as_many_units_leave_as_are_wanted(minting):
    minting.pay(minting.prepare(5)["batchId"])
    told = minting.prepare(2)
    assert told["transactionBase64"] is None and told["lamports"] == "0"
    assert minting.batch(told["batchId"]).status == "paid"
    assert minting.batch("b1").remaining == 3 and minting.credits == 5


def test_what_was_taken_over_stays_a_credit_when_the_batch_comes_to_nothing(minting):
    minting.pay(minting.prepare(3)["batchId"])
    minting.prepare(5)
    minting.lapse("b2")
    assert minting.credits == 3 and slots(minting) == (3, 0)
    assert minting.prepare(3)["lamports"] == "0"


def test_a_unit_at_work_does_not_leave_its_batch(minting):
    minting.pay(minting.prepare(2)["batchId"])
    minting.ask("b1")
    assert minting.prepare(2)["creditsApplied"] == 1


def test_nothing_more_is_asked_while_a_payment_may_land(minting):
    minting.prepare(2)
    minting.submit("b1")
    for quantity in (2, 3):
        with pytest.raises(refusals.BatchPaymentInFlight):
            minting.prepare(quantity)
    with pytest.raises(refusals.BatchPaymentInFlight):
        minting.cancel("b1")


def test_slots_come_back_with_the_proof_and_not_before(minting):
    minting.prepare(4)
    minting.submit("b1")
    minting.memory.later(3600)
    assert slots(minting) == (0, 4)
    minting.lapse("b1")
    assert slots(minting) == (0, 0) and minting.batch("b1").status == "expired"
    with pytest.raises(refusals.BatchExpired):
        minting.submit("b1")


def test_a_payment_that_lands_after_it_was_cancelled_is_honoured(minting):
    minting.prepare(4)
    minting.cancel("b1")
    assert slots(minting) == (0, 0)
    minting.land("b1")
    assert minting.batch("b1").status == "paid"
    assert minting.credits == 4 and slots(minting) == (4, 0)


def test_what_lands_when_the_slots_are_gone_is_refund_due(minting):
    minting.prepare(6)
    minting.cancel("b1")
    minting.prepare(8)
    minting.land("b1")
    paid = minting.batch("b1").paid
    assert (paid.paid_units, paid.units, paid.refund_due) == (2, 2, str(4 * PRICE))
    assert slots(minting) == (2, 8) and minting.credits == 2


def test_a_late_landing_does_not_get_back_credits_that_others_have(minting):
    minting.pay(minting.prepare(3)["batchId"])
    minting.prepare(5)
    minting.cancel("b2")
    minting.prepare(3)
    minting.land("b2")
    assert minting.batch("b2").paid.units == 2
    assert minting.credits == 5


def test_a_failed_payment_gives_back_slots_and_credits(minting):
    minting.prepare(4)
    minting.submit("b1")
    minting.fail_payment("b1")
    assert minting.batch("b1").status == "failed" and slots(minting) == (0, 0)


def test_a_paid_batch_cannot_be_cancelled(minting):
    minting.pay(minting.prepare(1)["batchId"])
    with pytest.raises(refusals.BatchAlreadyPaid):
        minting.cancel("b1")


def test_credits_and_their_holds_come_along_when_passes_merge(minting):
    minting.pay(minting.prepare(2)["batchId"])
    elder = "pass:user:elder"
    minting.memory.now = minting.memory.now.replace(year=2029)
    minting.memory.do(Identify(identity="email:e", new_pass_id=elder))
    minting.memory.now = minting.memory.now.replace(year=2030)
    minting.memory.do(Identify(identity="email:e", new_pass_id=elder, current=OWNER))
    assert minting.credits == 0
    account = minting.memory.state(account_stream(elder))
    assert account.balance("PFP") == 2 and account.held("PFP", "b1") == 2
    minting.make("b1")
    assert minting.memory.state(account_stream(elder)).balance("PFP") == 1


def test_a_credit_granted_while_its_pass_is_merged_is_not_stranded(minting):
    """Both appends write the account of the pass that ends, so one of them looks again."""
    minting.prepare(2)
    minting.submit("b1")
    window = minting.batch("b1").window
    landing = Landed(batch_id="b1", signature=window.signature, slot=7)
    elder = "pass:user:elder"
    minting.memory.now = minting.memory.now.replace(year=2029)
    minting.memory.do(Identify(identity="email:e", new_pass_id=elder))
    merging = Identify(identity="email:e", new_pass_id=elder, current=OWNER)
    written = [
        {event.stream for event in each.decide(minting.memory.look(each), minting.memory.now)}
        for each in (landing, merging)
    ]
    assert account_stream(OWNER) in written[0] & written[1]


def test_who_saw_the_pass_before_its_merge_and_its_credits_after_it_looks_again(minting):
    """The streams of a command are loaded one after the other."""
    minting.prepare(2)
    minting.submit("b1")
    window = minting.batch("b1").window
    elder, memory = "pass:user:elder", minting.memory
    memory.now = memory.now.replace(year=2029)
    memory.do(Identify(identity="email:e", new_pass_id=elder))
    landing = Landed(batch_id="b1", signature=window.signature, slot=7)
    before = memory.look(landing)
    memory.do(Identify(identity="email:e", new_pass_id=elder, current=OWNER))
    before.add(account_stream(OWNER), memory.streams[account_stream(OWNER)], 0)
    with pytest.raises(StreamConflict):
        landing.decide(before, memory.now)
    memory.do(landing)
    assert memory.state(account_stream(elder)).balance("PFP") == 2


def test_a_wallet_that_never_signs_cannot_collect_transactions_for_ever(minting):
    for number in range(GIVEN_BACK_MAX + 1):
        minting.prepare(1 + number % 2)
    with pytest.raises(refusals.TooManyPrepared):
        minting.prepare(3)
    minting.lapse("b20")
    assert minting.prepare(3)["transactionBase64"]


def test_a_wallet_in_two_passes_has_one_batch_at_a_time(minting):
    minting.prepare(2)
    minting.memory.do(OpenPass(new_pass_id="pass:user:bob", identities=(f"solana:{WALLET}",)))
    for quantity in (2, 3):
        with pytest.raises(refusals.BatchPaymentInFlight):
            minting.prepare(quantity, owner="pass:user:bob")
    assert minting.batch("b1").status == "prepared"


def test_an_allowance_is_set_once_for_the_same_number(minting):
    before = len(minting.memory.history)
    minting.memory.do(SetAllowances(items=((WALLET, 10),)))
    assert len(minting.memory.history) == before
