"""What lands on chain, and what a reorg takes away: the price once, anything more is refund due."""

from __future__ import annotations

import pytest

from domain.x402_refusals import (
    PaymentInFlight,
    SignatureExpired,
)
from tests.domain.x402_orders import (
    DEEP,
    PRICE,
    dismissed,
    expired,
    failed,
    finalized,
    first,
    given,
    landing,
    lapsed,
    opened,
    rejected,
    replaced,
    retracted,
    second,
    settled,
    submitted,
    surplus,
    used,
    verified,
)
from tests.spec import NOON

replaced_first = replaced("0x1", "0x2")
other = used("0xt2", "0xb11", block_number=11)


def verifying(event):
    return lambda order: order.verify(event)


def submitting(nonce="0x1", at=NOON):
    return lambda order: order.submit(nonce, at)


# Settled.


def test_a_payment_deep_enough_settles_with_its_evidence():
    given(opened, first, submitted()).when(landing()).then(settled())
    order = given(opened, first, submitted(), settled()).is_now()
    assert (order.status, order.paid.landing) == ("settled", used())


def test_a_payment_in_a_shallow_block_does_not_count_yet():
    given(opened, first, submitted()).when(landing(found=used(depth=DEEP - 1))).then()


@pytest.mark.parametrize(
    "ending",
    [replaced_first, dismissed(), expired(), rejected()],
    ids=lambda event: event.TOPIC,
)
def test_a_payment_that_lands_after_all_settles_the_order(ending):
    given(opened, first, ending).when(landing()).then(settled())
    assert given(opened, first, ending, settled()).is_now().status == "settled"


def test_a_payment_that_nobody_handed_in_settles_all_the_same():
    given(opened, first).when(landing()).then(settled())


def test_a_second_payment_is_refund_due_in_full():
    twice = [opened, first, replaced_first, second, submitted("0x2"), settled("0x2", other)]
    given(*twice).when(landing("0x1")).then(surplus("0x1", used()))
    order = given(*twice, surplus("0x1", used())).is_now()
    assert (order.status, order.paid.nonce) == ("settled", "0x2")


def test_an_authorization_that_the_order_never_saw_is_none_of_its_business():
    given(opened, first).when(landing("0xnobody's")).then()


def test_the_same_landing_twice_is_one():
    given(opened, first, submitted(), settled()).when(landing()).then()


def test_what_is_cancelled_on_chain_pays_nothing_and_never_will():
    nothing = rejected(reason="authorization_canceled")
    given(opened, first).when(landing(found=used(amount=0))).then(nothing)
    assert not given(opened, first, nothing).is_now().attempts.alive


def test_what_was_signed_at_another_price_pays_all_the_same():
    landed = settled(found=used(amount=PRICE - 1))
    given(opened, first).when(landing(found=used(amount=PRICE - 1))).then(landed)


# Reorgs.


def test_a_reorg_takes_the_payment_back_and_asks_for_no_other():
    history = [opened, first, submitted(), settled()]
    given(*history).when(lambda o: o.retract("0xb10", NOON)).then(retracted())
    given(*history, retracted()).when(verifying(second)).refused(PaymentInFlight)
    assert given(*history, retracted()).is_now().status == "settling"


def test_a_payment_carried_over_by_a_reorg_settles_again_in_its_new_block():
    again = used(block_hash="0xb99", block_number=11)
    history = given(opened, first, submitted(), settled())
    history.when(landing(found=again)).then(retracted(), settled(found=again))


def test_a_payment_that_moved_to_a_shallow_block_does_not_count_any_more():
    again = used(block_hash="0xb99", depth=1)
    given(opened, first, submitted(), settled()).when(landing(found=again)).then(retracted())


def test_a_payment_that_was_cancelled_after_a_reorg_is_rejected_at_once():
    gone = used(tx_hash="0xt9", block_hash="0xb99", amount=0)
    history = given(opened, first, submitted(), settled())
    history.when(landing(found=gone)).then(retracted(), rejected(reason="authorization_canceled"))


def test_a_surplus_pays_the_price_when_what_paid_it_is_taken_back():
    both = [opened, first, replaced_first, second, submitted("0x2"), settled("0x2", other)]
    gone = retracted("0x2", "0xt2", "0xb11")
    twice = given(*both, surplus("0x1", used()))
    twice.when(lambda o: o.retract("0xb11", NOON)).then(gone, settled())
    over = failed("FID_MINTED_BY_ANOTHER", PRICE)
    ended = given(*both, surplus("0x1", used()), over)
    ended.when(lambda o: o.retract("0xb11", NOON)).then(gone)


def test_a_surplus_goes_with_its_block_and_comes_back_as_the_price_when_nothing_else_pays():
    both = [opened, first, replaced_first, second, submitted("0x2"), settled("0x2", used("0xt2"))]
    landed = [*both, surplus("0x1", used())]
    gone = [retracted("0x1"), retracted("0x2", "0xt2")]
    given(*landed).when(lambda o: o.retract("0xb10", NOON)).then(*gone)
    again = used(block_hash="0xb99")
    given(*landed, *gone, lapsed("0x2")).when(landing(found=again)).then(settled(found=again))


def test_a_surplus_that_was_handed_in_is_unknown_again_when_its_block_goes():
    both = [opened, first, replaced_first, second, submitted("0x2"), settled()]
    landed = [*both, surplus("0x2", other), retracted("0x2", "0xt2", "0xb11"), retracted()]
    given(*landed, lapsed("0x1")).when(verifying(verified("0x3"))).refused(PaymentInFlight)


def test_what_was_handed_in_beside_the_price_is_unknown_again_when_the_price_goes():
    both = [opened, first, replaced_first, second, submitted("0x2"), settled()]
    gone = given(*both, retracted(), lapsed("0x1"))
    gone.when(verifying(verified("0x3"))).refused(PaymentInFlight)
    assert gone.is_now().status == "settling"


def test_a_failed_order_refunds_its_price_once_however_often_it_lands():
    lost = [opened, first, submitted(), settled(), failed("FID_MINTED_BY_ANOTHER", PRICE)]
    again = used(block_hash="0xb99")
    given(*lost).when(landing(found=again)).then(retracted(), settled(found=again))
    given(*lost, retracted()).when(lambda o: o.try_settlement("0x1")).then()


def test_what_is_final_is_not_taken_back():
    history = [opened, first, submitted(), settled()]
    given(*history).when(lambda o: o.finalize("0xb10")).then(finalized())
    over = given(*history, finalized())
    over.when(lambda o: o.retract("0xb10", NOON)).then()
    over.when(landing(found=used(block_hash="0xb99"))).then()


def test_another_block_changes_nothing():
    history = given(opened, first, submitted(), settled())
    history.when(lambda o: o.retract("0xb77", NOON)).then()
    history.when(lambda o: o.finalize("0xb77")).then()


# The proof that nothing can land.


def test_a_payment_handed_in_ends_by_the_proof_that_it_can_never_land():
    history = given(opened, first, submitted())
    history.when(lambda o: o.lapse("0x1", lapsed(), NOON)).then(lapsed())
    order = given(opened, first, submitted(), lapsed()).is_now()
    assert (order.status, order.attempts.alive) == (None, ())
    given(opened, first, submitted(), lapsed()).when(verifying(second)).then(second)
    given(opened, first, submitted(), lapsed()).when(submitting()).refused(SignatureExpired)


def test_what_was_given_up_keeps_its_name_when_it_lapses():
    order = given(opened, first, rejected(), lapsed()).is_now()
    assert (order.status, order.attempts.current.standing) == ("failed", "rejected")


def test_what_has_landed_does_not_lapse():
    history = given(opened, first, submitted(), settled())
    history.when(lambda o: o.lapse("0x1", lapsed(), NOON)).then()
