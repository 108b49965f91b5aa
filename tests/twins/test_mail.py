"""Mails that leave nothing but a line in the ledger, and one line a key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from embedded.twins.mail import Mail
from tests.twins.alone import Alone, alone

LETTER = {
    "from": "MINA <studio@mina.example>",
    "to": "ada@example.com",
    "subject": "Your code",
    "text": "Your code is 123456.",
}


@pytest.fixture
async def post() -> AsyncIterator[Alone]:
    async with alone(Mail()) as twin:
        twin.client.headers["Authorization"] = "Bearer re_key"
        yield twin


async def send(post: Alone, key: str | None = None, **changes: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key is not None else {}
    said = {name: value for name, value in {**LETTER, **changes}.items() if value is not None}
    return await post.client.post("/emails", json=said, headers=headers)


async def sent(post: Alone) -> list[dict[str, Any]]:
    return list((await post.client.get("/_twin/ledger")).json()["items"])


async def test_what_was_written_is_in_the_ledger(post: Alone) -> None:
    answer = await send(post)
    [item] = await sent(post)
    assert answer.json() == {"id": item["mail_id"]}
    assert (item["kind"], item["to"]) == ("mail_sent", ["ada@example.com"])
    assert item["request"]["body"] == LETTER


async def test_a_key_sends_once_and_the_answer_is_the_same(post: Alone) -> None:
    first, again = await send(post, "otp/1"), await send(post, "otp/1")
    assert first.json() == again.json()
    assert len(await sent(post)) == 1
    other = await send(post, "otp/1", text="Your code is 654321.")
    assert (other.status_code, other.json()["name"]) == (409, "invalid_idempotent_request")
    assert (await send(post, "otp/2")).json() != first.json()


async def test_a_key_counts_for_a_day_of_the_twins_clock(post: Alone) -> None:
    await send(post, "otp/1")
    await post.steer("clock", {"advance_s": 86_401})
    await send(post, "otp/1", text="Another day.")
    assert len(await sent(post)) == 2


@pytest.mark.parametrize(
    ("key", "changes", "status", "name"),
    [
        ("", {}, 400, "invalid_idempotency_key"),
        ("k" * 257, {}, 400, "invalid_idempotency_key"),
        (None, {"text": None}, 422, "validation_error"),
        (None, {"to": "nobody"}, 422, "validation_error"),
        (None, {"to": []}, 422, "validation_error"),
        (None, {"to": ["a@b.c"] * 51}, 422, "validation_error"),
        (None, {"from": None}, 422, "validation_error"),
        (None, {"subject": None}, 422, "validation_error"),
    ],
)
async def test_what_the_vendor_refuses_is_not_sent(
    post: Alone, key: str | None, changes: dict[str, Any], status: int, name: str
) -> None:
    answer = await send(post, key, **changes)
    assert (answer.status_code, answer.json()["name"]) == (status, name)
    assert answer.json()["statusCode"] == status
    assert await sent(post) == []


async def test_without_a_key_of_the_api_nothing_is_sent(post: Alone) -> None:
    del post.client.headers["Authorization"]
    assert (await send(post)).json()["name"] == "missing_api_key"
    assert await sent(post) == []


async def test_a_lost_answer_is_a_mail_sent_and_a_scripted_error_is_not(post: Alone) -> None:
    await post.steer("script", {"drop": "after_effect"})
    with pytest.raises(httpx.TransportError):
        await send(post, "otp/1")
    await post.steer("script", {"response": {"status": 500}})
    assert (await send(post, "otp/2")).status_code == 500
    assert [item["idempotency_key"] for item in await sent(post)] == ["otp/1"]
