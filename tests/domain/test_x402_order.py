"""X402Order, as promised to whoever signs a payment: it is taken once, and never asked for while
an earlier one may still land."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain import x402_events as happened
from domain.x402_order import ATTEMPTS_MAX
from domain.x402_refusals import (
    PaymentAlreadySettled,
    PaymentInFlight,
    PaymentReplaced,
    SettlementFailed,
    SignatureExpired,
    TooManyAttempts,
)
from tests.domain.x402_orders import (
    LASTS,
    MINT,
    dismissed,
    expired,
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
    tried,
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


def rejecting(nonce="0x1", **more):
    return lambda order: order.reject(nonce, "insufficient_funds", NOON, **more)


# Verified.


def test_an_order_is_opened_once():
    given().when(lambda order: order.open_for(opened)).then(opened)


def test_a_good_payment_is_verified():
    given(opened).when(verifying(first)).then(first)
    assert given(opened, first).is_now().status == "verified"


def test_a_new_payment_replaces_one_that_was_not_handed_in():
    given(opened, first).when(verifying(second)).then(replaced_first, second)


def test_while_an_outcome_is_unknown_no_other_payment_is_taken():
    given(opened, first, submitted()).when(verifying(second)).refused(PaymentInFlight)
    assert given(opened, first, submitted()).is_now().status == "settling"


def test_what_is_paid_is_not_paid_again():
    given(opened, first, submitted(), settled()).when(verifying(second)).then()


@pytest.mark.parametrize(
    ("ending", "why"),
    [
        (replaced_first, PaymentReplaced),
        (dismissed(), PaymentReplaced),
        (expired(), SignatureExpired),
        (rejected(), SettlementFailed),
    ],
    ids=lambda value: getattr(value, "TOPIC", ""),
)
def test_a_payment_that_was_given_up_is_neither_taken_in_nor_handed_in_again(ending, why):
    history = given(opened, first, ending)
    history.when(verifying(first)).refused(why)
    history.when(submitting()).refused(why)


def test_a_new_payment_may_follow_one_that_was_refused_or_expired():
    for ending in (rejected(), expired(), dismissed()):
        given(opened, first, ending).when(verifying(second)).then(second)


def test_the_number_of_open_signatures_is_bounded_and_the_past_does_not_count():
    nonces = [f"0x{number}" for number in range(ATTEMPTS_MAX)]
    signed = [verified(nonce) for nonce in nonces]
    given(opened, *signed).when(verifying(verified("0xone more"))).refused(TooManyAttempts)
    over = [event for nonce in nonces for event in (verified(nonce), expired(nonce), lapsed(nonce))]
    given(opened, *over).when(verifying(verified("0xone more"))).then(verified("0xone more"))


# Submitted.


def test_the_payer_has_it_handed_in():
    given(opened, first).when(submitting()).then(submitted())


def test_at_its_deadline_it_is_still_handed_in_and_after_it_never():
    given(opened, first).when(submitting(at=NOON + LASTS)).then(
        replace(submitted(), submitted_at=NOON + LASTS)
    )
    late = NOON + LASTS + timedelta(seconds=1)
    history = given(opened, first)
    assert history.when(submitting(at=late)).decision(history.is_now()) == [expired()]
    given(opened, first, expired()).when(submitting(at=late)).refused(SignatureExpired)
    assert given(opened, first, expired()).is_now().status is None


def test_a_payment_of_another_order_is_not_handed_in():
    given(opened, first).when(submitting("0xnobody's")).refused(PaymentReplaced)


def test_what_is_paid_is_not_handed_in_for():
    """Somebody had the first one settled although the second had replaced it."""
    history = given(opened, first, replaced_first, second, settled())
    history.when(submitting("0x2")).refused(PaymentReplaced)


def test_a_second_payment_is_not_handed_in_while_the_outcome_of_the_first_is_unknown():
    taken_back = [opened, first, replaced_first, second, settled(), retracted()]
    given(*taken_back).when(submitting("0x2")).refused(PaymentInFlight)


def test_what_a_service_says_is_settled_is_looked_for_at_any_time():
    late, told = NOON + LASTS + timedelta(hours=1), submitted(cause="service")
    for before in ([first], [first, rejected()], [first, expired()]):
        history = given(opened, *before)
        history.when(lambda o: o.submit("0x1", late, "service")).then(
            replace(told, submitted_at=late)
        )


# Tries.


def test_each_try_is_recorded_before_the_facilitator_is_asked():
    submit = [opened, first, submitted()]
    history = given(*submit).when(lambda order: order.try_settlement("0x1"))
    assert history.decision(history.is_now()) == [tried(1)]
    again = given(*submit, tried(1))
    assert history.decision(again.is_now()) == [tried(2)]


def test_what_is_not_submitted_is_not_tried():
    given(opened, first).when(lambda o: o.try_settlement("0x1")).then()
    given(opened, first, submitted(), settled()).when(lambda o: o.try_settlement("0x1")).then()
    given(opened, first).when(lambda o: o.try_settlement("0xnobody's")).then()


def test_no_second_payment_is_moved_for_what_another_has_paid_meanwhile():
    both = [opened, first, replaced_first, second, submitted("0x2"), settled()]
    given(*both).when(lambda o: o.try_settlement("0x2")).then()
    assert given(*both).is_now().status == "settled"
    given(*both).when(landing("0x2", other)).then(surplus("0x2", other))


def test_a_try_that_did_not_leave_proves_nothing():
    not_sent = happened.X402SettlementNotSent(**MINT, nonce="0x1", number=1)
    tries = [opened, first, submitted(), tried(1)]
    given(*tries).when(lambda o: o.attempts.not_sent(o.ids, "0x1", 1)).then(not_sent)
    given(*tries, not_sent, tried(1)).when(rejecting()).then(rejected())


# Rejected.


def test_the_first_no_of_a_facilitator_counts():
    given(opened, first, submitted(), tried(1)).when(rejecting()).then(rejected())
    assert given(opened, first, submitted(), rejected()).is_now().status == "failed"


def test_a_no_after_an_unknown_outcome_proves_nothing():
    given(opened, first, submitted(), tried(1), tried(2)).when(rejecting()).then()
    given(opened, first, submitted()).when(rejecting()).then()
    given(opened, first).when(rejecting()).then()


def test_what_has_landed_cannot_be_rejected():
    given(opened, first, submitted(), tried(1), settled()).when(rejecting()).then()


def test_cancelled_on_chain_it_is_rejected_whoever_handed_it_in():
    nothing = used(amount=0)
    cancelled = rejected(reason="authorization_canceled")
    tries = [opened, first, submitted(), tried(1), tried(2)]
    given(*tries).when(landing(found=nothing)).then(cancelled)
    given(opened, first).when(landing(found=nothing)).then(cancelled)


# Dismissed.


@pytest.mark.parametrize("before", [[first], [first, rejected()]], ids=["verified", "rejected"])
def test_what_is_unpaid_is_dropped_when_asked(before):
    given(opened, *before).when(lambda o: o.dismiss("payer")).then(dismissed())
    assert given(opened, *before, dismissed()).is_now().status is None


def test_nothing_is_dropped_where_nothing_is_open():
    given(opened).when(lambda o: o.dismiss("payer")).then()
    given().when(lambda o: o.dismiss("payer")).then()


@pytest.mark.parametrize(
    "history",
    [
        [first, submitted()],
        [first, submitted(), settled()],
        [first, submitted(), settled(), retracted()],
        [first, replaced_first, second, settled("0x2", other), surplus("0x1", used())],
    ],
    ids=["in flight", "settled", "taken back by a reorg", "paid twice"],
)
def test_what_is_paid_or_may_be_is_not_dropped(history):
    given(opened, *history).when(lambda o: o.dismiss("payer")).refused(PaymentAlreadySettled)


# Claims.


def test_a_claim_proves_nothing_and_is_kept_once():
    claimed = happened.X402SettlementClaimed(**MINT, nonce="0x1", tx_hash="0xt1")
    given(opened, first).when(lambda o: o.claim_settlement("0xt1")).then(claimed)
    assert given(opened, first, claimed).is_now().status == "verified"


def test_a_claim_about_what_has_landed_is_nothing_new():
    given(opened, first, submitted(), settled()).when(lambda o: o.claim_settlement("0xt9")).then()
    given(opened).when(lambda o: o.claim_settlement("0xt9")).then()


def test_claims_are_bounded():
    many = [
        happened.X402SettlementClaimed(**MINT, nonce="0x1", tx_hash=f"0x{number}")
        for number in range(ATTEMPTS_MAX)
    ]
    given(opened, first, *many).when(lambda o: o.claim_settlement("0xnew")).refused(TooManyAttempts)
