"""When the email of an account of Google leads to a pass, and when two passes become one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from embedded.twins.google import Google
from tests.api.accounts import CLIENT, email_told, identities, link, settings, sign_in, token
from tests.api.living import Living, living
from tests.api.mailbox import Mailbox, new_email, proof_of, sign_in_by_mail
from tests.twins.alone import Alone, alone
from tests.world import TestWorld


@pytest.fixture(scope="module")
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture(scope="module")
async def twin() -> AsyncIterator[Alone]:
    async with alone(Google(CLIENT)) as made:
        yield made


@pytest.fixture(scope="module")
async def here(world: TestWorld, twin: Alone, mailbox: Mailbox) -> AsyncIterator[Living]:
    with world.database() as database:
        async with living(world, database, send_mail=mailbox.send, **settings(twin)) as made:
            yield made


async def test_a_verified_email_that_leads_to_a_pass_signs_in_to_it(
    here: Living, twin: Alone, mailbox: Mailbox
) -> None:
    email = new_email()
    older = (await sign_in_by_mail(here, mailbox, email))["pass_id"]
    assert await sign_in(here, await token(twin, "111", email.upper())) == older
    assert await sign_in(here, await token(twin, "111")) == older, "also without the email"
    me = (await here.known(older).get("/me")).json()
    assert (me["identities"][1:], me["aliases"]) == (["google:111"], [])


@pytest.mark.parametrize("verified", [False, None, "true", 1])
async def test_an_email_that_is_not_verified_leads_nowhere(
    here: Living, twin: Alone, mailbox: Mailbox, verified: Any
) -> None:
    email, sub = new_email(), f"112-{verified}"
    older = (await sign_in_by_mail(here, mailbox, email))["pass_id"]
    said = await token(twin, sub, email, email_verified=verified)
    pass_id = await sign_in(here, said)
    assert pass_id == f"pass:user:google:{sub}" != older
    assert await identities(here, pass_id) == [f"google:{sub}"]
    assert await email_told(here, pass_id) is None
    ada = await here.caller()
    linked = await token(twin, f"{sub}-b", email, email_verified=verified)
    assert await link(here, ada, linked) == ada.pass_id
    assert (await sign_in_by_mail(here, mailbox, new_email()))["pass_id"] != ada.pass_id


@pytest.mark.parametrize("email", ["stra\u00dfe@mail.example", "no email", 5])
async def test_an_email_that_nobody_can_be_written_to_hinders_no_account(
    here: Living, twin: Alone, email: Any
) -> None:
    pass_id = await sign_in(here, await token(twin, f"113{len(str(email))}", email))
    assert len(await identities(here, pass_id)) == 1


async def test_a_code_by_mail_signs_in_to_the_pass_of_the_account_with_that_email(
    here: Living, twin: Alone, mailbox: Mailbox
) -> None:
    email = new_email()
    pass_id = await sign_in(here, await token(twin, "114", email))
    assert (await sign_in_by_mail(here, mailbox, email))["pass_id"] == pass_id


async def test_a_sign_in_never_merges_two_passes_that_both_are_known(
    here: Living, twin: Alone, mailbox: Mailbox
) -> None:
    """The account is another's of old: its email came to it later."""
    email = new_email()
    older = (await sign_in_by_mail(here, mailbox, email))["pass_id"]
    account = await sign_in(here, await token(twin, "115"))
    assert await sign_in(here, await token(twin, "115", email)) == account != older
    assert await email_told(here, account) is None
    linked = await link(here, here.known(account), await token(twin, "115", email))
    assert linked == older, "who asks for it has it"
    assert await sign_in(here, await token(twin, "115")) == older
    assert await email_told(here, account) == email


async def test_a_link_merges_the_pass_of_the_account_and_that_of_its_email(
    here: Living, twin: Alone, mailbox: Mailbox
) -> None:
    email = new_email()
    oldest = await sign_in(here, await token(twin, "116"))
    by_mail = (await sign_in_by_mail(here, mailbox, email))["pass_id"]
    ada = await here.caller()
    assert await link(here, ada, await token(twin, "116", email)) == oldest
    me = (await ada.get("/me")).json()
    assert me["pass_id"] == oldest and set(me["aliases"]) == {ada.pass_id, by_mail}


async def test_a_code_links_its_email_and_merges_what_it_led_to(
    here: Living, mailbox: Mailbox
) -> None:
    email, ada, eve = new_email(), await here.caller(), await here.caller()
    linked = await ada.post("/auth/link", {"otp": await proof_of(here, mailbox, email)})
    assert linked.json()["pass_id"] == ada.pass_id
    assert await email_told(here, ada.pass_id) == email
    merged = await eve.post("/auth/link", {"otp": await proof_of(here, mailbox, email)})
    assert merged.json()["pass_id"] == ada.pass_id, "the older survives"
    spent = await eve.post("/auth/link", {"otp": {"email": email, "code": mailbox.code(email)}})
    assert (spent.status_code, spent.json()["code"]) == (401, "OTP_INVALID")


async def test_a_pass_without_an_email_is_written_to_where_the_one_it_absorbs_was(
    here: Living, twin: Alone
) -> None:
    ada, email, said = await here.caller(), new_email(), await token(twin, "117")
    await link(here, ada, said)
    younger = await sign_in(here, await token(twin, "118", email))
    assert await link(here, here.known(younger), said) == ada.pass_id
    assert await email_told(here, ada.pass_id) == email


async def test_an_account_that_signs_in_many_times_at_once_opens_one_pass(
    here: Living, twin: Alone
) -> None:
    said = await token(twin, "119", new_email())
    assert set(await asyncio.gather(*[sign_in(here, said) for _ in range(6)])) == {
        "pass:user:google:119"
    }
