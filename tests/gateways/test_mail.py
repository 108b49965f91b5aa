"""Mail through the gateway, against the twin: once for each reference, whatever breaks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from consumers.gateways.mail import Mail
from consumers.gateways.ports import Failure, TryAgain, WillNotWork
from embedded.twins.mail import Mail as Post
from tests.twins.alone import Alone, alone

KEY = "re_secret"
ADA = "ada@example.com"
TEXT = "Your code is 123456."


@pytest.fixture(scope="module")
async def office() -> AsyncIterator[Alone]:
    async with alone(Post()) as twin:
        yield twin


@pytest.fixture
async def post(office: Alone) -> Alone:
    """A day later, so that what was sent before counts no more."""
    await office.steer("clock", {"advance_s": 100_000})
    return office


@pytest.fixture
def mail(post: Alone) -> Mail:
    return Mail(post.url, KEY, "MINA <studio@mina.example>", post.client)


async def sent(post: Alone) -> list[dict[str, Any]]:
    """Today's mails."""
    now = datetime.fromisoformat((await post.steer("clock", {"advance_s": 0}))["now"])
    items = (await post.client.get("/_twin/ledger")).json()["items"]
    return [item for item in items if now - datetime.fromisoformat(item["at"]) < timedelta(days=1)]


async def failure(mail: Mail) -> Failure:
    with pytest.raises(Failure) as raised:
        await mail.send(ADA, "Your code", TEXT, reference="otp/1")
    told = repr(raised.value)
    assert not any(personal in told for personal in (KEY, ADA, "123456"))
    return raised.value


async def test_a_mail_says_what_it_was_given(post: Alone, mail: Mail) -> None:
    number = await mail.send(ADA, "Your code", TEXT, reference="otp/1")
    [item] = await sent(post)
    assert (item["mail_id"], item["idempotency_key"]) == (number, "otp/1")
    assert item["request"]["body"] == {
        "from": "MINA <studio@mina.example>",
        "to": ADA,
        "subject": "Your code",
        "text": TEXT,
    }


@pytest.mark.parametrize("rule", [{"drop": "after_effect"}, {"truncate_body_at": 3}])
async def test_a_lost_answer_is_asked_for_again_and_one_mail_goes_out(
    post: Alone, mail: Mail, rule: dict[str, Any]
) -> None:
    await post.steer("script", rule)
    assert isinstance(await failure(mail), TryAgain)
    await mail.send(ADA, "Your code", TEXT, reference="otp/1")
    assert len(await sent(post)) == 1


async def test_a_reference_of_another_mail_will_not_work(post: Alone, mail: Mail) -> None:
    await mail.send(ADA, "Another", TEXT, reference="otp/1")
    assert isinstance(await failure(mail), WillNotWork)


@pytest.mark.parametrize(
    ("status", "name", "kind", "found_class"),
    [
        (400, "validation_error", WillNotWork, "invalid"),
        (401, "missing_api_key", WillNotWork, "invalid"),
        (403, "invalid_api_key", WillNotWork, "invalid"),
        (422, "invalid_from_address", WillNotWork, "invalid"),
        (409, "concurrent_idempotent_requests", TryAgain, "transient"),
        (429, "rate_limit_exceeded", TryAgain, "throttled"),
        (429, "daily_quota_exceeded", WillNotWork, "quota"),
        (429, "monthly_quota_exceeded", WillNotWork, "quota"),
        (451, "security_error", WillNotWork, "refused"),
        (500, "application_error", TryAgain, "transient"),
        (200, "no id in it", TryAgain, "transient"),
    ],
)
async def test_each_error_has_its_class(
    post: Alone, mail: Mail, status: int, name: str, kind: type, found_class: str
) -> None:
    body = {"statusCode": status, "name": name, "message": f"Not to {ADA}: {TEXT} {KEY}"}
    await post.steer("script", {"response": {"status": status, "body": body}})
    found = await failure(mail)
    assert (type(found), found.error_class) == (kind, found_class)
    assert await sent(post) == []


async def test_the_vendor_says_when_to_come_back(post: Alone, mail: Mail) -> None:
    answer = {"status": 429, "headers": {"retry-after": "7"}}
    await post.steer("script", {"response": answer})
    found = await failure(mail)
    assert isinstance(found, TryAgain) and found.after_s == 7


async def test_nobody_home_is_tried_again(client_of_nobody: Mail) -> None:
    assert isinstance(await failure(client_of_nobody), TryAgain)


@pytest.fixture
async def client_of_nobody() -> AsyncIterator[Mail]:
    async with httpx.AsyncClient() as client:
        yield Mail("http://127.0.0.1:1", KEY, "studio@mina.example", client)
