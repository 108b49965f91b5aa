"""Order, as promised to whoever pays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given as forall
from hypothesis import strategies as some

from domain import order_events as happened
from domain.event import Refused
from domain.order import CLAIMS_MAX, ORDER_LASTS, NotOffered, Order, TooManyClaims
from domain.payment import Payment, Place
from tests.spec import NOON, Given

ALICE, MALLORY = "0x" + "a" * 40, "0x" + "b" * 40
IDS = {"order_id": "7e57", "character_id": "c0de"}
PRICE, DEEP = 25, 5
WALLETS = frozenset({ALICE})

opened = happened.OrderOpened(
    **IDS,
    pass_id="pass:user:alice",
    recipe="role_mint",
    asset="MPT",
    amount=str(PRICE),
    chain_id=8453,
    contract="0x" + "1" * 40,
    token="0x" + "2" * 40,
    treasury="0x" + "3" * 40,
    opened_block=1,
    expires_at=NOON + ORDER_LASTS,
)
claimed = happened.TransactionClaimed(**IDS, tx_hash="0x1", claimed_at=NOON)
found = Payment(
    tx_hash="0x1",
    sender=ALICE,
    nonce=4,
    block_number=10,
    block_hash="0xb10",
    log_index=0,
    payer=ALICE,
    amount=PRICE,
    token_id=7,
    depth=DEEP,
)
shallow = replace(found, depth=1)
seen = happened.PaymentSeen(**IDS, **shallow.facts())
settled = happened.PaymentSettled(**IDS, **found.facts())
retracted = happened.PaymentRetracted(
    **IDS, tx_hash="0x1", block_number=10, block_hash="0xb10", retracted_at=NOON
)
second = replace(found, tx_hash="0x2", nonce=5, block_hash="0xb11", token_id=8)


def given(*history):
    return Given(Order(), *history)


def paying(payment, wallets=WALLETS):
    return lambda order: order.record_payment(payment, confirmations=DEEP, wallets=wallets, at=NOON)


def dismissing(reason, at=NOON):
    return lambda order: order.dismiss("0x1", reason, at)


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


payments = some.builds(
    Payment,
    tx_hash=some.sampled_from(["0x1", "0x2", "0x3"]),
    sender=some.just(ALICE),
    nonce=some.integers(0, 3),
    block_number=some.integers(1, 3),
    block_hash=some.sampled_from(["0xb1", "0xb2", "0xb3"]),
    log_index=some.integers(0, 1),
    payer=some.sampled_from([ALICE, MALLORY]),
    amount=some.sampled_from([PRICE, PRICE + 3, PRICE - 1]),
    token_id=some.just(1),
    depth=some.sampled_from([1, DEEP]),
)
asked = some.one_of(
    payments.map(paying),
    some.sampled_from(["0x1", "0x2"]).map(lambda tx: lambda o: o.claim(tx, NOON)),
    some.sampled_from(["0xb1", "0xb2", "0xb3"]).map(lambda b: lambda o: o.retract(b, NOON)),
    some.sampled_from(["reverted", "replaced", "not_for_order"]).map(dismissing),
    some.sampled_from(["0xb1", "0xb2"]).map(lambda b: lambda o: o.finalize(b)),
    some.just(lambda o: o.expire(NOON + ORDER_LASTS)),
    some.just(lambda o: o.reopen(NOON)),
)


@forall(some.lists(asked, max_size=25))
def test_an_order_counts_one_payment_and_loses_none(story):
    order = given(opened).is_now()
    places: dict[str, set[Place]] = {"price": set(), "surplus": set(), "rejected": set()}
    for decision in story:
        try:
            events = decision(order)
        except Refused:
            continue
        for event in events:
            order = order.evolve(event)
            match event:
                case happened.PaymentSettled():
                    places["price"].add(Payment.of(event).place)
                    assert int(event.amount) - int(event.refund_due) == PRICE
                    assert event.payer == ALICE
                    assert event.depth >= DEEP
                case happened.PaymentRetracted():
                    gone = (event.tx_hash, event.block_hash)
                    for kept in places.values():
                        kept -= {place for place in kept if place[:2] == gone}
                case happened.PaymentSurplusRecorded():
                    places["surplus"].add(Payment.of(event).place)
                case happened.PaymentRejected():
                    places["rejected"].add(Payment.of(event).place)
        assert len(places["price"]) <= 1, "two payments for one order"
        assert (order.status == "confirmed") == bool(places["price"])
        for taken_as, expected in places.items():
            receipts = [r for r in order.receipts.taken if r.taken_as == taken_as]
            assert {receipt.payment.place for receipt in receipts} == expected
        taken = [place for kept in places.values() for place in kept]
        assert len(taken) == len(set(taken)), "one payment counted twice"
        assert len({place[:2] for place in taken}) == len({place[0] for place in taken}), (
            "one transaction counted in two blocks"
        )
