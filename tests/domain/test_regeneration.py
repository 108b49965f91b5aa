"""Regeneration: paid once, one picture is made, however many tries it takes, or its price is
refund due; and Circuit, which keeps people from paying for what cannot be made."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.circuit import OPEN_FOR, Circuit, CircuitClosed, CircuitOpened
from domain.regeneration import QUICK_ATTEMPTS, RETRY_WITHIN, NothingPaid
from domain.x402_duty import picture_due
from tests.domain.x402_orders import (
    PRICE,
    REGENERATE,
    asked_for,
    bought,
    delivered,
    failed,
    first,
    given,
    not_made,
    opened,
    paid_picture,
    settled,
    stored,
    submitted,
    verified,
)
from tests.spec import NOON, Given

CAP = timedelta(minutes=10)
DAY_OVER = NOON + RETRY_WITHIN


def asking(at=NOON):
    return lambda order: order.regenerate(asked_for(0, at))


def failing(error_class, attempt=1, at=NOON, wish=timedelta()):
    event = not_made(error_class, attempt)
    return lambda order: order.picture.fail(event, at=at, cap=CAP, wish=wish)


def decided(failure, *history):
    """The one fact that a failed attempt leads to."""
    (event,) = failure(given(*history).is_now())
    assert failure(given(*history, event).is_now()) == []
    return event


# Asking.


def test_a_paid_picture_is_asked_for():
    given(*paid_picture).when(asking()).then(asked_for(1))


def test_nobody_is_drawn_a_picture_that_is_not_paid():
    given(bought, verified(ids=REGENERATE)).when(asking()).refused(NothingPaid)
    unknown = [bought, verified(ids=REGENERATE), submitted(ids=REGENERATE)]
    given(*unknown).when(asking()).refused(NothingPaid)


def test_a_paid_mint_is_not_a_paid_picture():
    given(opened, first, submitted(), settled()).when(asking()).refused(NothingPaid)


def test_an_open_attempt_serves_everybody_who_asks():
    given(*paid_picture, asked_for(1)).when(asking()).then()


def test_what_failed_is_asked_for_again_for_nothing():
    given(*paid_picture, asked_for(1), not_made("refused")).when(asking()).then(asked_for(2))


def test_a_picture_that_is_there_is_not_made_again():
    given(*paid_picture, asked_for(1), stored()).when(asking()).then()


def test_it_is_free_for_a_day_and_not_longer():
    last = DAY_OVER - timedelta(seconds=1)
    given(*paid_picture).when(asking(last)).then(asked_for(1, last))
    given(*paid_picture).when(asking(DAY_OVER)).refused(NothingPaid)


def test_what_is_refund_due_is_not_made_any_more():
    over = failed("NOT_DELIVERED_IN_TIME", PRICE, REGENERATE)
    given(*paid_picture, over).when(asking()).refused(NothingPaid)


# Failing.


@pytest.mark.parametrize("error_class", ["transient", "throttled"])
def test_what_passes_is_tried_again_at_once(error_class):
    event = decided(failing(error_class), *paid_picture, asked_for(1))
    assert not event.gave_up
    assert NOON < event.retry_at <= NOON + timedelta(seconds=0.5)


@pytest.mark.parametrize("error_class", ["quota", "unknown"])
def test_what_may_pass_is_told_now_and_tried_again_later(error_class):
    event = decided(failing(error_class), *paid_picture, asked_for(1))
    assert event.gave_up
    assert NOON + timedelta(seconds=20) < event.retry_at <= NOON + timedelta(seconds=30)


@pytest.mark.parametrize("error_class", ["refused", "incomplete", "invalid"])
def test_what_does_not_pass_waits_for_the_payer(error_class):
    event = decided(failing(error_class), *paid_picture, asked_for(1))
    assert (event.gave_up, event.retry_at) == (True, None)


def test_the_providers_own_wish_is_kept_and_a_long_one_is_told():
    event = decided(failing("throttled", wish=timedelta(seconds=90)), *paid_picture, asked_for(1))
    assert (event.gave_up, event.retry_at) == (True, NOON + timedelta(seconds=90))


def test_after_a_few_quick_tries_it_is_told_and_the_pauses_after_that_grow_to_a_limit():
    history, told, pauses = [*paid_picture], [], []
    for attempt in range(1, 4 * QUICK_ATTEMPTS + 1):
        history.append(asked_for(attempt))
        event = decided(failing("transient", attempt), *history)
        history.append(event)
        told.append(event.gave_up)
        if event.gave_up:
            pauses.append(event.retry_at - NOON)
    assert told == 4 * [*(QUICK_ATTEMPTS - 1) * [False], True]
    assert pauses[0] <= timedelta(seconds=30) < pauses[1] < pauses[2]
    assert CAP * 3 / 4 <= pauses[-1] <= CAP


def test_only_the_open_attempt_can_fail():
    given(*paid_picture).when(failing("transient")).then()
    given(*paid_picture, asked_for(1)).when(failing("transient", attempt=2)).then()
    given(*paid_picture, asked_for(1), stored()).when(failing("transient")).then()


# Made and delivered.


def test_a_picture_completes_the_order():
    given(*paid_picture, asked_for(1)).when(lambda o: o.picture.store(stored())).then(stored())
    order = given(*paid_picture, asked_for(1), stored()).is_now()
    assert (order.status, order.delivered, order.ended) == ("completed", True, True)


def test_a_late_picture_of_an_attempt_given_up_is_kept():
    late = [*paid_picture, asked_for(1), not_made("unknown"), asked_for(2)]
    given(*late).when(lambda o: o.picture.store(stored(1))).then(stored(1))


def test_a_second_picture_is_not_kept_and_neither_is_one_that_nobody_asked_for():
    given(*paid_picture, asked_for(1), stored()).when(lambda o: o.picture.store(stored(1))).then()
    given(*paid_picture, asked_for(1)).when(lambda o: o.picture.store(stored(2))).then()


def test_it_is_delivered_once_and_only_when_it_is_there():
    there = [*paid_picture, asked_for(1), stored()]
    given(*there).when(lambda o: o.picture.deliver(delivered)).then(delivered)
    given(*paid_picture).when(lambda o: o.picture.deliver(delivered)).then()


# The day is over.


def test_what_was_not_delivered_within_the_day_is_refund_due():
    over = failed("NOT_DELIVERED_IN_TIME", PRICE, REGENERATE, at=DAY_OVER)
    gave_up = [*paid_picture, asked_for(1), not_made("refused", gave_up=True)]
    given(*gave_up).when(lambda o: o.overdue(DAY_OVER)).then(over)
    given(*paid_picture).when(lambda o: o.overdue(DAY_OVER)).then(over)


def test_nothing_is_due_before_the_day_is_over_or_while_it_is_being_made():
    given(*paid_picture).when(lambda o: o.overdue(DAY_OVER - timedelta(seconds=1))).then()
    given(*paid_picture, asked_for(1)).when(lambda o: o.overdue(DAY_OVER)).then()
    given(*paid_picture, asked_for(1), stored()).when(lambda o: o.overdue(DAY_OVER)).then()
    given(bought, verified(ids=REGENERATE)).when(lambda o: o.overdue(DAY_OVER)).then()


def test_the_day_does_not_end_while_another_payment_may_land():
    other = verified("0x2", ids=REGENERATE)
    unknown = [bought, verified(ids=REGENERATE), other, submitted("0x2", ids=REGENERATE)]
    history = [*unknown, settled(ids=REGENERATE)]
    given(*history).when(lambda o: o.overdue(DAY_OVER)).then()


def test_a_picture_is_due_while_it_is_asked_for_and_when_its_pause_is_over():
    later = NOON + timedelta(minutes=1)
    waits = not_made("quota", retry_at=later)
    for history, due in (
        ([*paid_picture], None),
        ([*paid_picture, asked_for(1)], NOON),
        ([*paid_picture, asked_for(1), waits], later),
        ([*paid_picture, asked_for(1), stored()], None),
    ):
        assert picture_due(given(*history).is_now(), NOON) == due


# The circuit.

broken = CircuitOpened(provider="openai", error_class="quota", until=NOON + OPEN_FOR)


def circuit(*history):
    return Given(Circuit(), *history)


def test_a_provider_out_of_credit_is_not_asked_for_a_while():
    opened_ = circuit().when(lambda c: c.failed("openai", "quota", NOON))
    assert opened_.decision(Circuit()) == [broken]
    known = circuit(broken).is_now()
    assert known.open_at(NOON)
    assert known.open_at(NOON + OPEN_FOR - timedelta(seconds=1))
    assert not known.open_at(NOON + OPEN_FOR)


def test_failures_keep_it_open_for_longer_without_an_event_for_each():
    later = NOON + OPEN_FOR / 2 + timedelta(seconds=1)
    again = replace(broken, until=later + OPEN_FOR)
    assert circuit(broken).is_now().failed("openai", "quota", NOON + timedelta(seconds=9)) == []
    assert circuit(broken).is_now().failed("openai", "quota", later) == [again]
    assert circuit(broken, again).is_now().open_at(NOON + OPEN_FOR)


def test_other_failures_do_not_open_it():
    for error_class in ("transient", "throttled", "refused", "incomplete", "unknown"):
        circuit().when(lambda c, e=error_class: c.failed("openai", e, NOON)).then()


def test_a_picture_closes_it_once():
    closed = CircuitClosed(provider="openai")
    circuit(broken).when(lambda c: c.succeeded("openai")).then(closed)
    circuit().when(lambda c: c.succeeded("openai")).then()
    assert not circuit(broken, closed).is_now().open_at(NOON)
