"""Pictures by URL: fetched by the server, checked like any other, kept."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from domain.assets import permanent
from embedded.twins.paint import paint
from tests.api.living import Caller
from tests.api.studios import Studio, cut, open_studio, refusal
from tests.gateways.test_safe_fetch import ok, redirect
from tests.world import TestWorld


@pytest.fixture(scope="module")
async def studio(world: TestWorld) -> AsyncIterator[Studio]:
    async with open_studio(world) as opened:
        yield opened


@pytest.fixture
async def mina(studio: Studio) -> Caller:
    return await studio.here.caller()


def painted(seed: int) -> bytes:
    return paint("A cup", seed=seed, width=64, height=64)


async def paste(caller: Caller, url: str, **headers: str) -> httpx.Response:
    return await caller.post("/uploads/from-url", {"url": url, "purpose": "inspiration"}, **headers)


async def test_a_pasted_url_becomes_a_picture_of_ours(studio: Studio, mina: Caller) -> None:
    content = painted(1)
    studio.site.answers |= {"/cup.png": ok(content), "/moved": redirect("/cup.png", 301)}
    answer = await paste(mina, studio.site.url("/moved"))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert permanent(told["public_url"], studio.base)
    assert (await studio.web.get(told["public_url"])).content == content
    complete = await mina.post(f"/uploads/{told['upload_id']}/complete", {})
    assert complete.json() == {"public_url": told["public_url"]}


async def test_a_pasted_url_is_fetched_once_under_one_key(studio: Studio, mina: Caller) -> None:
    studio.site.answers["/once.png"] = ok(painted(2))
    url, heard = studio.site.url("/once.png"), len(studio.site.heard)
    first = await paste(mina, url, idempotency_key="paste")
    assert (await paste(mina, url, idempotency_key="paste")).json() == first.json()
    assert len(studio.site.heard) == heard + 1
    rows = "SELECT event::text FROM mega_generations WHERE event::text LIKE '%%once.png%%'"
    assert await studio.here.parts.reader.rows(rows, {}) == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (ok(b"<html></html>", "Content-Type: image/png"), "no_picture"),
        (ok(cut(painted(3))), "no_picture"),
        (ok(b""), "empty"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 27262976\r\n\r\n", "too_large"),
    ],
    ids=["html", "cut", "empty", "26 MB"],
)
async def test_a_fetched_file_is_checked_like_any_other(
    studio: Studio, mina: Caller, answer: bytes, reason: str
) -> None:
    studio.site.answers["/x.png"] = answer
    said = await paste(mina, studio.site.url("/x.png"))
    assert refusal(said) == (422, "UPLOAD_REJECTED", reason)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1/",
        "http://localhost/",
        "http://[::1]/",
        "http://2130706433/",
        "http://127.0.0.1:5432/",
        "file:///etc/passwd",
        "not a url",
    ],
)
async def test_an_address_inside_is_not_fetched(mina: Caller, url: str) -> None:
    assert refusal(await paste(mina, url))[:2] == (422, "URL_REJECTED")
