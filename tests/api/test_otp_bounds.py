"""What is no email and no code, and how many mails may go out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.otp import new_code
from domain.otp import RESEND
from tests.api.living import Living, living
from tests.api.mailbox import Mailbox, ask_code, give_code, new_email, proof_of, sign_in_by_mail
from tests.world import Database, TestWorld


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


@pytest.mark.parametrize(
    "said",
    [
        "",
        "ada",
        "ada@",
        "@mail.example",
        "ada@mail",
        "ada@@mail.example",
        "ada @mail.example",
        "ada@mail.example\n",
        "ada@mail.example\r\nBcc: eve@evil.example",
        "ada@-mail.example",
        "a..da@mail.example",
        "straße@mail.example",
        "mi\u212ae@mail.example",
        f"{'a' * 65}@mail.example",
        f"ada@{'m.' * 130}example",
        5,
        None,
        ["ada@mail.example"],
    ],
    ids=str,
)
async def test_what_is_no_email_is_malformed_and_no_mail_goes_out(
    here: Living, mailbox: Mailbox, said: Any
) -> None:
    before = len(mailbox.letters)
    for path, more in (("request", {}), ("verify", {"code": "123456"})):
        answer = await here.nobody().post(f"/auth/otp/{path}", {"email": said, **more})
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    assert len(mailbox.letters) == before


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "123456\n", 123456])
async def test_what_is_no_code_is_malformed_and_no_try(
    here: Living, mailbox: Mailbox, email: str, code: Any
) -> None:
    proof = await proof_of(here, mailbox, email)
    assert (await give_code(here, email, code)).status_code == 422
    assert await events_of(here, email) == ["otp_requested.v1"]
    assert (await give_code(here, **proof)).status_code == 200


def test_codes_are_six_digits_also_where_they_begin_with_zeros() -> None:
    codes = {new_code() for _ in range(500)}
    assert {len(code) for code in codes} == {6} and any(code[0] == "0" for code in codes)
    assert len(codes) > 490


async def test_mails_to_one_email_and_from_one_address_are_limited(
    world: TestWorld, database: Database
) -> None:
    box = Mailbox(away=1_000)
    given: dict[str, Any] = {"mega_rate_limits": "100000/s", "send_mail": box.send}
    async with living(world, database, **given) as here:
        email = new_email()
        answers = [await ask_code(here, email) for _ in range(11)]
        assert [answer.status_code for answer in answers] == [503] * 10 + [429]
        assert answers[-1].json()["code"] == "RATE_LIMITED"
        assert 0 < int(answers[-1].headers["retry-after"]) <= 360
        others = await asyncio.gather(*[ask_code(here, new_email()) for _ in range(90)])
        assert sorted({answer.status_code for answer in others}) == [429, 503]


async def test_who_asks_too_soon_uses_up_no_mail_of_those_the_email_may_get(
    world: TestWorld, database: Database, email: str
) -> None:
    box = Mailbox()
    given: dict[str, Any] = {"mega_rate_limits": "100000/s", "send_mail": box.send}
    async with living(world, database, **given) as here:
        codes = [(await ask_code(here, email)).json().get("code") for _ in range(12)]
        assert codes == [None] + ["OTP_TOO_SOON"] * 11
        await here.parts.clock.advance(RESEND)
        assert (await sign_in_by_mail(here, box, email))["pass_id"]


async def test_without_its_setting_the_answer_names_it(
    world: TestWorld, database: Database, email: str
) -> None:
    async with living(world, database) as here:
        answer = await ask_code(here, email)
        assert (answer.status_code, answer.json()["code"]) == (503, "MAIL_NOT_SET_UP")
        assert "MAIL_URL" in answer.json()["detail"]
        assert await events_of(here, email) == []
