"""Order, as promised to whoever pays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain import order_events as happened
from domain.order import (
    CLAIMS_MAX,
    ORDER_LASTS,
    STEPS_MAX,
    NotOffered,
    TooManyClaims,
    TooManySteps,
)
from tests.domain.orders import (
    ALICE,
    DEEP,
    IDS,
    MALLORY,
    PRICE,
    WALLETS,
    claimed,
    dismissing,
    found,
    given,
    opened,
    paying,
    retracted,
    second,
    seen,
    settled,
    shallow,
)
from tests.spec import NOON


def test_a_claim_makes_it_verify_and_proves_nothing():
    given(opened).when(lambda order: order.claim("0x1", NOON)).then(claimed)
    assert given(opened, claimed).is_now().status == "verifying"


def test_a_shallow_payment_is_seen_and_does_not_count():
    given(opened, claimed).when(paying(shallow)).then(seen)
    assert given(opened, seen).is_now().status == "verifying"


def test_a_payment_deep_enough_settles_with_its_evidence():
    given(opened, seen).when(paying(found)).then(settled)
    order = given(opened, seen, settled).is_now()
    assert (order.status, order.token_id) == ("confirmed", 7)


def test_a_payment_that_nobody_reported_settles_all_the_same():
    given(opened).when(paying(found)).then(settled)


def test_a_stranger_cannot_pay():
    paid_by_mallory = replace(found, payer=MALLORY)
    rejected = happened.PaymentRejected(**IDS, **paid_by_mallory.facts(), reason="foreign_payer")
    given(opened, claimed).when(paying(paid_by_mallory)).then(rejected)
    assert given(opened, claimed, rejected).is_now().status == "pending"


def test_too_little_does_not_pay():
    little = replace(found, amount=PRICE - 1)
    rejected = happened.PaymentRejected(**IDS, **little.facts(), reason="amount_too_low")
    given(opened).when(paying(little)).then(rejected)


def test_a_second_payment_is_refund_due_in_full():
    surplus = happened.PaymentSurplusRecorded(
        **IDS, **second.facts(), asset="MPT", refund_due=str(PRICE)
    )
    given(opened, settled).when(paying(second)).then(surplus)


def test_a_second_payment_waits_until_it_is_deep():
    given(opened, settled).when(paying(replace(second, depth=1))).then()


def test_a_reorg_takes_the_payment_back_and_asks_for_no_other():
    given(opened, settled).when(lambda o: o.retract("0xb10", NOON)).then(retracted)
    order = given(opened, settled, retracted).is_now()
    assert (order.status, order.payment) == ("verifying", None)


def test_a_payment_carried_over_by_a_reorg_settles_again_in_its_new_block():
    moved = replace(found, block_hash="0xb99", block_number=11)
    again = happened.PaymentSettled(**IDS, **moved.facts())
    given(opened, settled).when(paying(moved)).then(retracted, again)


def test_what_was_refund_due_goes_with_its_block_and_comes_back_with_it():
    rejected = happened.PaymentRejected(
        **IDS, **replace(found, amount=PRICE - 1).facts(), reason="amount_too_low"
    )
    given(opened, rejected).when(lambda o: o.retract("0xb10", NOON)).then(retracted)
    moved = replace(second, block_hash="0xb99", block_number=12)
    surplus, again = (
        happened.PaymentSurplusRecorded(**IDS, **p.facts(), asset="MPT", refund_due=str(PRICE))
        for p in (second, moved)
    )
    gone = replace(retracted, tx_hash="0x2", block_number=10, block_hash="0xb11")
    given(opened, settled, surplus).when(paying(moved)).then(gone, again)


def test_a_surplus_pays_the_price_when_what_paid_it_is_taken_back():
    surplus = happened.PaymentSurplusRecorded(
        **IDS, **second.facts(), asset="MPT", refund_due=str(PRICE)
    )
    again = happened.PaymentSettled(**IDS, **second.facts())
    given(opened, settled, surplus, retracted).when(paying(second)).then(again)
    order = given(opened, settled, surplus, retracted, again).is_now()
    assert (order.status, order.receipts.surplus) == ("confirmed", ())


def test_the_function_of_another_recipe_does_not_pay():
    rejected = happened.PaymentRejected(**IDS, **found.facts(), reason="wrong_function")

    def by_another(order):
        return order.record_payment(
            found, confirmations=DEEP, wallets=WALLETS, at=NOON, asked=False
        )

    given(opened).when(by_another).then(rejected)


def test_a_stranger_holds_up_nobody():
    for odd in (replace(shallow, payer=MALLORY), replace(shallow, amount=PRICE - 1)):
        given(opened).when(paying(odd)).then()
    given(opened).when(paying(replace(found, payer=MALLORY, amount=0))).then()


def test_wallet_steps_are_bounded():
    steps = [happened.WalletStepShown(**IDS, step=str(n)) for n in range(STEPS_MAX)]
    given(opened, *steps).when(lambda o: o.show_step("awaiting_mint")).refused(TooManySteps)


def test_what_goes_beyond_the_price_is_refund_due():
    much = replace(found, amount=PRICE + 3)
    beyond = happened.PaymentSettled(**IDS, **much.facts(), refund_due="3")
    given(opened).when(paying(much)).then(beyond)


def test_what_is_final_is_not_taken_back():
    final = happened.PaymentFinalized(**IDS, tx_hash="0x1", block_hash="0xb10")
    given(opened, settled, final).when(lambda o: o.retract("0xb10", NOON)).then()


@pytest.mark.parametrize("reason", ["reverted", "replaced"])
def test_a_proven_failure_fails_the_order_and_may_be_tried_again(reason):
    gone = happened.TransactionDismissed(**IDS, tx_hash="0x1", reason=reason)
    given(opened, claimed).when(dismissing(reason)).then(gone)
    failed = given(opened, claimed, gone)
    assert failed.is_now().status == "failed"
    reopened = failed.is_now().reopen(NOON)
    assert given(opened, claimed, gone, *reopened).is_now().status == "pending"


def test_somebody_elses_transaction_leaves_the_order_payable():
    gone = happened.TransactionDismissed(**IDS, tx_hash="0x1", reason="not_for_order")
    given(opened, claimed).when(dismissing("not_for_order")).then(gone)
    assert given(opened, claimed, gone).is_now().status == "pending"


def test_a_hash_nobody_has_seen_is_dismissed_after_half_an_hour_and_not_before():
    gone = happened.TransactionDismissed(**IDS, tx_hash="0x1", reason="unseen")
    given(opened, claimed).when(dismissing("unseen", NOON + timedelta(minutes=29))).then()
    given(opened, claimed).when(dismissing("unseen", NOON + timedelta(minutes=30))).then(gone)


def test_a_dropped_transaction_that_was_seen_stays_open_for_ever():
    sighted = happened.TransactionSighted(**IDS, tx_hash="0x1", sender=ALICE, nonce=4)
    late = NOON + timedelta(days=9)
    given(opened, claimed, sighted).when(dismissing("unseen", late)).then()


def test_an_order_expires_only_while_nothing_may_still_land():
    later = NOON + ORDER_LASTS
    expired = happened.OrderExpired(**IDS)
    given(opened).when(lambda o: o.expire(later)).then(expired)
    given(opened).when(lambda o: o.expire(later - timedelta(seconds=1))).then()
    given(opened, claimed).when(lambda o: o.expire(later)).then()


def test_a_payment_that_lands_after_expiry_is_honoured():
    given(opened, happened.OrderExpired(**IDS)).when(paying(found)).then(settled)


def test_an_expired_order_is_not_reopened_but_replaced():
    given(opened, happened.OrderExpired(**IDS)).when(lambda o: o.reopen(NOON)).refused(NotOffered)


def test_nothing_is_retried_that_has_not_failed():
    for history in ((opened,), (opened, claimed), (opened, settled)):
        given(*history).when(lambda o: o.reopen(NOON)).refused(NotOffered)


def test_claims_are_bounded():
    many = [replace(claimed, tx_hash=hex(n)) for n in range(CLAIMS_MAX)]
    given(opened, *many).when(lambda o: o.claim("0xff", NOON)).refused(TooManyClaims)
