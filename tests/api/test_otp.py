"""Signing in with a code by mail: who reads the mail has the pass, and nobody else can guess it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import psycopg
import pytest

from commands.command import look
from commands.passes import SeePass, email_of
from domain.otp import LASTS, RESEND, TRIES
from tests.api.living import Living, living
from tests.api.mailbox import (
    Mailbox,
    ask_code,
    give_code,
    new_email,
    proof_of,
    sign_in_by_mail,
    wrong,
)
from tests.api.openapi import operations
from tests.world import TestWorld


@pytest.fixture(scope="module")
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture(scope="module")
async def here(world: TestWorld, mailbox: Mailbox) -> AsyncIterator[Living]:
    with world.database() as database:
        async with living(world, database, send_mail=mailbox.send) as made:
            yield made


@pytest.fixture
def email() -> str:
    return new_email()


async def events_of(here: Living, email: str) -> list[str]:
    stream = f"otp:{here.parts.proofs.emails.hash(email)}"
    return [recorded.topic for recorded in await here.parts.ledger.history([stream])]


def stored(here: Living) -> str:
    """All events of the ledger, as the database has them."""
    with psycopg.connect(here.parts.settings.database) as connection:
        rows = connection.execute("SELECT originator_id, event::text FROM mega_generations")
        return str(rows.fetchall())


async def test_who_reads_the_mail_signs_in_and_is_the_same_pass_the_next_time(
    here: Living, mailbox: Mailbox, email: str
) -> None:
    first, second = [await sign_in_by_mail(here, mailbox, email) for _ in range(2)]
    identity = here.parts.proofs.emails.identity(email)
    assert first["pass_id"] == second["pass_id"] == f"pass:user:{identity}"
    assert first.keys() == {"access_token", "expires_in", "pass_id"}
    me = (await here.known(first["pass_id"]).get("/me")).json()
    assert me["identities"] == [identity]


async def test_the_email_is_known_to_us_and_neither_it_nor_a_code_stands_in_the_ledger(
    here: Living, mailbox: Mailbox, email: str
) -> None:
    asked, name = await proof_of(here, mailbox, email), email.partition("@")[0]
    signed_in = (await give_code(here, **asked)).json()
    seen = await look(here.parts.ledger, SeePass(asked=signed_in["pass_id"]))
    assert email_of(seen, signed_in["pass_id"]) == email
    said = stored(here)
    assert here.parts.proofs.emails.hash(email) in said
    assert name not in said and f'"{asked["code"]}"' not in said


async def test_an_erased_email_is_none_and_known_again_after_the_next_sign_in(
    here: Living, mailbox: Mailbox, email: str
) -> None:
    pass_id = (await sign_in_by_mail(here, mailbox, email))["pass_id"]
    await here.parts.ledger.vault.erase(pass_id)
    assert email_of(await look(here.parts.ledger, SeePass(asked=pass_id)), pass_id) is None
    assert (await sign_in_by_mail(here, mailbox, email))["pass_id"] == pass_id
    assert email_of(await look(here.parts.ledger, SeePass(asked=pass_id)), pass_id) == email


async def test_the_case_of_an_email_does_not_matter(
    here: Living, mailbox: Mailbox, email: str
) -> None:
    asked = await ask_code(here, email.upper())
    assert asked.status_code == 200
    shouted = await give_code(here, email.title(), mailbox.code(email))
    assert shouted.json()["pass_id"] == (await sign_in_by_mail(here, mailbox, email))["pass_id"]


async def test_published_examples_have_the_form_of_what_is_asked_and_answered(
    here: Living, mailbox: Mailbox, email: str
) -> None:
    ops = {op.path: op for op in operations(here.app.openapi())}
    ask, verify = ops["/auth/otp/request"], ops["/auth/otp/verify"]
    asked = await here.nobody().post(ask.path, {**ask.example, "email": email})
    assert asked.json() == ask.schema(200)
    proof = {**verify.example, "email": email, "code": mailbox.code(email)}
    answer = await here.nobody().post(verify.path, proof)
    assert answer.json().keys() == verify.schema(200).keys()


async def test_the_right_code_at_the_last_try_signs_in(
    here: Living, mailbox: Mailbox, email: str
) -> None:
    proof = await proof_of(here, mailbox, email)
    for by in range(1, TRIES):
        assert (await give_code(here, email, wrong(proof["code"], by))).status_code == 401
    assert (await give_code(here, **proof)).status_code == 200


async def test_wrong_used_expired_locked_and_never_asked_for_are_one_answer(
    here: Living, mailbox: Mailbox
) -> None:
    guessed, used, old, locked, stranger = (new_email() for _ in range(5))
    proofs = {email: await proof_of(here, mailbox, email) for email in (guessed, used, locked)}
    await give_code(here, **proofs[used])
    for _ in range(TRIES):
        await give_code(here, locked, wrong(proofs[locked]["code"]))
    wrong_one = await give_code(here, guessed, wrong(proofs[guessed]["code"]))
    proofs[old] = await proof_of(here, mailbox, old)
    answers = [
        wrong_one,
        await give_code(here, **proofs[used]),
        await give_code(here, **proofs[locked]),
        await give_code(here, stranger, "123456"),
    ]
    await here.parts.clock.advance(LASTS)
    answers.append(await give_code(here, **proofs[old]))
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["code"] == "OTP_INVALID"
    varying = {"x-correlation-id"}
    assert len({frozenset(answer.headers.keys() - varying) for answer in answers}) == 1


async def test_a_code_is_good_until_its_ten_minutes_are_over(
    here: Living, mailbox: Mailbox, email: str
) -> None:
    proof = await proof_of(here, mailbox, email)
    await here.parts.clock.advance(LASTS - timedelta(seconds=5))
    assert (await give_code(here, **proof)).status_code == 200


async def test_a_hundred_guesses_at_once_are_five_tries(
    here: Living, mailbox: Mailbox, email: str
) -> None:
    proof = await proof_of(here, mailbox, email)
    guesses = [give_code(here, email, wrong(proof["code"], by)) for by in range(1, 101)]
    answers = await asyncio.gather(*guesses)
    assert {answer.status_code for answer in answers} == {401}
    assert (await give_code(here, **proof)).status_code == 401
    tried = await events_of(here, email)
    assert tried == ["otp_requested.v1"] + ["otp_tried.v1"] * TRIES


async def test_a_code_given_many_times_at_once_opens_one_session(
    here: Living, mailbox: Mailbox, email: str
) -> None:
    proof = await proof_of(here, mailbox, email)
    answers = await asyncio.gather(*[give_code(here, **proof) for _ in range(8)])
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


async def test_another_code_may_be_asked_for_after_a_minute_and_ends_the_first(
    here: Living, mailbox: Mailbox, email: str
) -> None:
    first = await proof_of(here, mailbox, email)
    again = await ask_code(here, email)
    assert (again.status_code, again.json()["code"]) == (429, "OTP_TOO_SOON")
    assert 0 < int(again.headers["retry-after"]) <= RESEND.total_seconds()
    await here.parts.clock.advance(RESEND)
    second = await proof_of(here, mailbox, email)
    if first["code"] != second["code"]:
        assert (await give_code(here, **first)).status_code == 401
    assert (await give_code(here, **second)).status_code == 200


async def test_new_tries_come_only_with_a_new_code(
    here: Living, mailbox: Mailbox, email: str
) -> None:
    proof = await proof_of(here, mailbox, email)
    for _ in range(TRIES):
        await give_code(here, email, wrong(proof["code"]))
    assert (await ask_code(here, email)).status_code == 429
    await here.parts.clock.advance(RESEND)
    assert (await sign_in_by_mail(here, mailbox, email))["pass_id"]


async def test_asked_for_twice_at_once_one_mail_goes_out(
    here: Living, mailbox: Mailbox, email: str
) -> None:
    answers = await asyncio.gather(*[ask_code(here, email) for _ in range(6)])
    assert sorted(answer.status_code for answer in answers) == [200] + [429] * 5
    assert [letter.to for letter in mailbox.letters].count(email) == 1
    assert len({letter.reference for letter in mailbox.letters}) == len(mailbox.letters)


async def test_when_the_mail_cannot_be_sent_another_code_may_be_asked_for_at_once(
    here: Living, mailbox: Mailbox, email: str
) -> None:
    mailbox.away = 1
    failed = await ask_code(here, email)
    assert (failed.status_code, failed.json()["code"]) == (503, "MAIL_UNAVAILABLE")
    assert int(failed.headers["retry-after"]) > 0
    assert (await sign_in_by_mail(here, mailbox, email))["pass_id"]
    assert await events_of(here, email) == [
        "otp_requested.v1",
        "otp_mail_failed.v1",
        "otp_requested.v1",
        "otp_used.v1",
    ]


async def test_asking_tells_nobody_whether_an_email_has_a_pass(
    here: Living, mailbox: Mailbox, email: str
) -> None:
    await sign_in_by_mail(here, mailbox, email)
    known, unknown = await ask_code(here, email), await ask_code(here, new_email())
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    assert known.headers.keys() == unknown.headers.keys()
