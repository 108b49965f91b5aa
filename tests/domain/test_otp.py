"""Otp: one code at a time, five tries, once, for ten minutes."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.otp import (
    LASTS,
    RESEND,
    TRIES,
    Otp,
    OtpMailFailed,
    OtpRequested,
    OtpTooSoon,
    OtpTried,
    OtpUsed,
    otp_stream,
)
from tests.spec import NOON, Given

ALICE = "a1" * 16
SECOND = timedelta(seconds=1)


def requested(challenge_id="c1", proof="right", at=NOON):
    times = {"expires_at": at + LASTS, "resend_at": at + RESEND}
    ids = {"email_hash": ALICE, "challenge_id": challenge_id}
    return OtpRequested(**ids, code_proof=proof, tries=TRIES, **times)


def tried(tries_left, challenge_id="c1"):
    return OtpTried(email_hash=ALICE, challenge_id=challenge_id, tries_left=tries_left)


def used(challenge_id="c1"):
    return OtpUsed(email_hash=ALICE, challenge_id=challenge_id)


def failed(challenge_id="c1"):
    return OtpMailFailed(email_hash=ALICE, challenge_id=challenge_id)


def asking(challenge_id="c1", at=NOON):
    return lambda otp: otp.request(ALICE, challenge_id, "right", at)


def trying(proof="right", at=NOON):
    return lambda otp: otp.try_code(ALICE, proof, at)


def test_a_code_is_asked_for_and_used_once():
    Given(Otp()).when(asking()).then(requested())
    Given(Otp(), requested()).when(trying()).then(used())
    assert requested().stream == otp_stream(ALICE)


def test_a_wrong_try_is_a_fact_and_takes_one_of_five():
    history = [requested()]
    for left in reversed(range(TRIES)):
        otp = Given(Otp(), *history).is_now()
        assert otp.try_code(ALICE, "wrong", NOON) == [tried(left)]
        history.append(tried(left))
    Given(Otp(), *history).when(trying()).then()
    Given(Otp(), *history[:-1]).when(trying()).then(used())


def test_a_code_is_good_before_its_end_and_not_at_it():
    Given(Otp(), requested()).when(trying(at=NOON + LASTS - SECOND)).then(used())
    Given(Otp(), requested()).when(trying(at=NOON + LASTS)).then()


def test_without_a_code_nothing_is_right_not_even_nothing():
    Given(Otp()).when(trying("")).then()


def test_another_code_may_be_asked_for_after_a_minute_and_replaces_the_first():
    early = Given(Otp(), requested()).when(asking("c2", NOON + RESEND - SECOND))
    early.refused(OtpTooSoon)
    later = NOON + RESEND
    second = requested("c2", at=later)
    Given(Otp(), requested(), tried(0)).when(asking("c2", later)).then(second)
    replaced = Given(Otp(), requested(proof="old"), second)
    assert replaced.is_now().try_code(ALICE, "old", later) == [tried(TRIES - 1, "c2")]


def test_how_long_to_wait_is_told_in_whole_seconds_that_are_enough():
    otp = Given(Otp(), requested()).is_now()
    try:
        otp.request(ALICE, "c2", "right", NOON + timedelta(seconds=1.5))
    except OtpTooSoon as soon:
        assert soon.after_s == 59
    assert otp.request(ALICE, "c2", "right", NOON + timedelta(seconds=1.5 + 59))


def test_after_a_mail_that_failed_or_a_code_that_was_used_the_next_may_come_at_once():
    Given(Otp(), requested()).when(lambda otp: otp.fail_mail(ALICE, "c1")).then(failed())
    for ended in (failed(), used()):
        Given(Otp(), requested(), ended).when(asking("c2")).then(requested("c2"))


def test_the_mail_of_an_older_code_that_failed_late_changes_nothing():
    later = requested("c2", at=NOON + RESEND)
    Given(Otp(), requested(), later).when(lambda otp: otp.fail_mail(ALICE, "c1")).then()


def test_a_mail_that_came_although_it_failed_is_good():
    Given(Otp(), requested(), failed()).when(trying()).then(used())


def moved(otp, move, challenge_id, at):
    match move:
        case "ask" if otp.resend_at is None or at >= otp.resend_at:
            return otp.request(ALICE, challenge_id, "right", at)
        case "right" | "wrong":
            return otp.try_code(ALICE, move, at)
        case "fail":
            return otp.fail_mail(ALICE, otp.challenge_id)
    return []


moves = st.tuples(st.sampled_from(["ask", "right", "wrong", "fail"]), st.integers(0, 700))


@given(st.lists(moves, max_size=60))
def test_whatever_happens_a_code_meets_at_most_five_tries_and_is_used_at_most_once(steps):
    otp, at, met = Otp(), NOON, {}
    for number, (move, seconds) in enumerate(steps):
        at += timedelta(seconds=seconds)
        for event in moved(otp, move, f"c{number}", at):
            otp = otp.evolve(event)
            met.setdefault(event.challenge_id, []).append(event)
    for facts in met.values():
        tries = [fact for fact in facts if isinstance(fact, OtpTried | OtpUsed)]
        assert len(tries) <= TRIES
        assert not any(isinstance(fact, OtpUsed) for fact in tries[:-1])


def test_whoever_guesses_waits_longer_for_each_next_code_until_one_is_right():
    history, at, waited = [], NOON, []
    for number in range(12):
        otp = Given(Otp(), *history).is_now()
        (asked,) = otp.request(ALICE, f"c{number}", "right", at)
        wrong = [tried(left, f"c{number}") for left in reversed(range(TRIES))]
        history += [asked, *wrong]
        waited.append((asked.resend_at - at) // RESEND)
        at = asked.resend_at
    assert waited == [1, 1, 1, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    Given(Otp(), *history).when(asking("again", at - SECOND)).refused(OtpTooSoon)
    # Nor does it help that mails cannot be sent just now.
    Given(Otp(), *history, failed("c11")).when(asking("again", at - SECOND)).refused(OtpTooSoon)
    (last,) = Given(Otp(), *history).is_now().request(ALICE, "last", "right", at)
    otp = Given(Otp(), *history, last, used("last")).is_now()
    assert otp.request(ALICE, "next", "right", at)[0].resend_at == at + RESEND
