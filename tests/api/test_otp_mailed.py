"""Codes on their way through a vendor of mail: what a lost mail and a broken vendor lead to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.emails import sending
from consumers import composing_mail
from consumers.gateways.ports import Failure
from embedded.twins.mail import Mail
from settings import Settings, SettingsError
from tests.api.living import Living, living
from tests.api.mailbox import Letter, Mailbox, ask_code, give_code, new_email
from tests.twins.alone import Alone, alone
from tests.world import TestWorld

GIVEN: dict[str, Any] = {"mail_key": "re_key", "mail_from": "MINA <studio@mina.example>"}


@pytest.fixture(scope="module")
async def twin() -> AsyncIterator[Alone]:
    async with alone(Mail()) as made:
        yield made


@pytest.fixture(scope="module")
async def here(world: TestWorld, twin: Alone) -> AsyncIterator[Living]:
    settings = Settings(mail_url=twin.url, **GIVEN)
    async with httpx.AsyncClient() as web:
        mail = composing_mail.mail(settings, web)
        assert mail is not None
        with world.database() as database:
            send_mail = sending(mail.send, Failure)
            async with living(world, database, send_mail=send_mail) as made:
                yield made


async def arrived(twin: Alone) -> Mailbox:
    """What the vendor has sent."""
    items = (await twin.client.get("/_twin/ledger")).json()["items"]
    letters = [(item["request"]["body"], item["idempotency_key"]) for item in items]
    return Mailbox([Letter(b["to"], b["subject"], b["text"], key) for b, key in letters])


async def test_the_code_in_the_vendors_mail_signs_in(here: Living, twin: Alone) -> None:
    email = new_email()
    assert (await ask_code(here, email)).status_code == 200
    mailbox = await arrived(twin)
    assert (await give_code(here, email, mailbox.code(email))).status_code == 200
    assert mailbox.code(email) not in mailbox.letters[-1].subject


@pytest.mark.parametrize(
    "trouble",
    [{"response": {"status": 500}}, {"response": {"status": 422}}, {"drop": "before"}],
    ids=str,
)
async def test_a_vendor_in_trouble_is_a_503_and_the_next_code_may_be_asked_for_at_once(
    here: Living, twin: Alone, trouble: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    email = new_email()
    await twin.steer("script", {"match": {"path": "/emails"}, "times": 1, **trouble})
    failed = await ask_code(here, email)
    assert (failed.status_code, failed.json()["code"]) == (503, "MAIL_UNAVAILABLE")
    assert email not in failed.text + capsys.readouterr().out
    assert (await ask_code(here, email)).status_code == 200
    assert (await give_code(here, email, (await arrived(twin)).code(email))).status_code == 200


async def test_a_mail_that_went_out_although_its_answer_was_lost_has_a_good_code(
    here: Living, twin: Alone
) -> None:
    email = new_email()
    await twin.steer("script", {"match": {"path": "/emails"}, "times": 1, "drop": "after_effect"})
    assert (await ask_code(here, email)).status_code == 503
    assert (await give_code(here, email, (await arrived(twin)).code(email))).status_code == 200


@pytest.mark.parametrize("missing", ["mail_key", "mail_from"])
async def test_a_vendor_without_key_or_sender_is_named_at_the_start(missing: str) -> None:
    given = {name: value for name, value in GIVEN.items() if name != missing}
    async with httpx.AsyncClient() as web:
        with pytest.raises(SettingsError, match=missing.upper()):
            composing_mail.mail(Settings(mail_url="http://127.0.0.1:1", **given), web)
        assert composing_mail.mail(Settings(), web) is None
