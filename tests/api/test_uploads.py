"""Uploads as a browser makes them: announced, put to a real store, checked, kept."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from api.uploads import Uploads
from consumers.composing_uploads import picture_uploads, safe_fetch
from consumers.gateways.ports import Failure
from domain.assets import permanent
from domain.upload import BYTES_MAX, REJECTIONS_MAX
from settings import Settings
from tests.api.living import Caller, living
from tests.api.studios import Studio, cut, drawn, open_studio, refusal
from tests.world import TestWorld

ORIGIN = "http://studio.example"


@pytest.fixture(scope="module")
async def studio(world: TestWorld) -> AsyncIterator[Studio]:
    async with open_studio(world) as opened:
        yield opened


@pytest.fixture
async def mina(studio: Studio) -> Caller:
    return await studio.here.caller()


async def announce(
    caller: Caller, content: bytes, content_type: str = "image/png", purpose: str = "product"
) -> dict[str, Any]:
    body = {"content_type": content_type, "bytes": len(content), "purpose": purpose}
    answer = await caller.post("/uploads", body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize(("kind", "ending"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp")])
async def test_a_picture_that_is_put_and_completed_is_public_for_ever(
    studio: Studio, mina: Caller, kind: str, ending: str
) -> None:
    content, content_type = drawn(kind), f"image/{kind.lower()}"
    told = await announce(mina, content, content_type)
    assert told["headers"] == {"Content-Type": content_type}
    assert await studio.put(told, content) == 200
    answer = await mina.post(f"/uploads/{told['upload_id']}/complete", {})
    assert answer.status_code == 200, answer.text
    assert "x-ledger-position" in answer.headers
    url = answer.json()["public_url"]
    assert permanent(url, studio.base) and url.endswith(f".{ending}")
    kept = await studio.web.get(url)
    assert (kept.content, kept.headers["content-type"]) == (content, content_type)
    again = await mina.post(f"/uploads/{told['upload_id']}/complete", {})
    assert again.json() == answer.json()


async def test_the_staging_area_is_cleared_and_closed_to_readers(
    studio: Studio, mina: Caller
) -> None:
    content = drawn()
    told = await announce(mina, content)
    await studio.put(told, content)
    staged = told["put_url"].partition("?")[0]
    assert (await studio.web.get(staged)).status_code == 403
    complete = f"/uploads/{told['upload_id']}/complete"
    assert (await mina.post(complete, {})).status_code == 200
    # What is put later is never looked at again.
    await studio.put(told, content[::-1])
    kept = await studio.web.get((await mina.post(complete, {})).json()["public_url"])
    assert kept.content == content


async def test_a_page_of_any_origin_may_put_with_the_announced_type_and_size_only(
    studio: Studio, mina: Caller
) -> None:
    content = drawn()
    told = await announce(mina, content)
    preflight = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type",
    }
    allowed = await studio.web.options(told["put_url"], headers=preflight)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] in ("*", ORIGIN)
    assert "PUT" in allowed.headers["access-control-allow-methods"]
    assert await studio.put(told, content + b"x") == 403
    html = told | {"headers": {"Content-Type": "text/html"}}
    assert await studio.put(html, content) == 403


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html><script>alert(1)</script></html>", "no_picture"),
        (b"\x89PNG\r\n\x1a\n<html>", "no_picture"),
        (cut(drawn("PNG")), "no_picture"),
        (cut(drawn("JPEG")), "no_picture"),
        (drawn("GIF"), "no_picture"),
        (drawn("JPEG"), "changed"),
        (drawn("PNG", (400, 10)), "dimensions"),
    ],
    ids=["html", "html behind a magic number", "cut", "cut jpeg", "gif", "jpeg", "a strip"],
)
async def test_what_is_no_sane_picture_is_refused_with_its_reason(
    studio: Studio, mina: Caller, content: bytes, reason: str
) -> None:
    told = await announce(mina, content)
    assert await studio.put(told, content) == 200
    answer = await mina.post(f"/uploads/{told['upload_id']}/complete", {})
    assert refusal(answer) == (422, "UPLOAD_REJECTED", reason)
    again = await mina.post(f"/uploads/{told['upload_id']}/complete", {})
    assert refusal(again) == refusal(answer)
    assert len((await studio.seen(told["upload_id"])).rejected) == 1


async def test_a_bomb_is_refused_before_it_is_unpacked(studio: Studio, mina: Caller) -> None:
    bomb = io.BytesIO()
    Image.new("1", (8_000, 8_000)).save(bomb, "PNG")
    told = await announce(mina, bomb.getvalue())
    await studio.put(told, bomb.getvalue())
    answer = await mina.post(f"/uploads/{told['upload_id']}/complete", {})
    assert refusal(answer) == (422, "UPLOAD_REJECTED", "dimensions")


async def test_a_refused_file_may_be_replaced_and_completed(studio: Studio, mina: Caller) -> None:
    good = drawn()
    told = await announce(mina, good)
    complete = f"/uploads/{told['upload_id']}/complete"
    missing = await mina.post(complete, {})
    assert refusal(missing) == (422, "UPLOAD_REJECTED", "missing")
    assert "put" in missing.json()["detail"]
    await studio.put(told, bytes(len(good)))
    assert refusal(await mina.post(complete, {})) == (422, "UPLOAD_REJECTED", "no_picture")
    await studio.put(told, good)
    assert (await mina.post(complete, {})).status_code == 200
    upload = await studio.seen(told["upload_id"])
    assert [why.reason for why in upload.rejected] == ["no_picture"]


async def test_after_many_refused_files_nothing_is_read_any_more(
    studio: Studio, mina: Caller
) -> None:
    told = await announce(mina, b"00")
    complete = f"/uploads/{told['upload_id']}/complete"
    for number in range(REJECTIONS_MAX):
        await studio.put(told, f"{number:02}".encode())
        assert refusal(await mina.post(complete, {}))[2] == "no_picture"
    assert refusal(await mina.post(complete, {}))[2] == "tries"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"bytes": BYTES_MAX + 1}, "too_large"),
        ({"bytes": 0}, "empty"),
        ({"content_type": "text/html"}, "content_type"),
        ({"content_type": "image/svg+xml"}, "content_type"),
    ],
)
async def test_what_is_not_worth_sending_is_refused_at_once(
    mina: Caller, changed: dict[str, Any], reason: str
) -> None:
    body = {"content_type": "image/png", "bytes": BYTES_MAX, "purpose": "logo"}
    assert (await mina.post("/uploads", body)).json()["stall_timeout_s"] == 295
    assert refusal(await mina.post("/uploads", body | changed)) == (422, "UPLOAD_REJECTED", reason)


@pytest.mark.parametrize(
    "changed", [{"purpose": "avatar"}, {"bytes": -1}, {"bytes": "5"}, {"bytes": 2**53}]
)
async def test_a_malformed_announcement_is_an_invalid_request(
    mina: Caller, changed: dict[str, Any]
) -> None:
    body = {"content_type": "image/png", "bytes": 5, "purpose": "logo"}
    answer = await mina.post("/uploads", body | changed)
    assert refusal(answer)[:2] == (422, "INVALID_REQUEST")


async def test_two_who_complete_at_once_are_told_the_same(studio: Studio, mina: Caller) -> None:
    content = drawn()
    told = await announce(mina, content)
    await studio.put(told, content)
    complete = f"/uploads/{told['upload_id']}/complete"
    answers = await asyncio.gather(*(mina.post(complete, {}) for _ in range(3)))
    assert len({answer.text for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {200}


async def test_nobody_completes_what_somebody_else_began(studio: Studio, mina: Caller) -> None:
    told = await announce(mina, drawn())
    other = await studio.here.caller("user admin auditor")
    for path in (f"/uploads/{told['upload_id']}/complete", f"/uploads/{uuid4()}/complete"):
        assert refusal(await other.post(path, {}))[:2] == (404, "NOT_FOUND")
    assert (await studio.here.nobody().post("/uploads", {})).status_code == 401


async def test_the_same_key_gives_the_same_upload_and_keeps_no_signature_in_the_open(
    studio: Studio, mina: Caller
) -> None:
    body = {"content_type": "image/png", "bytes": 5, "purpose": "logo"}
    first = await mina.post("/uploads", body, idempotency_key="one")
    again = await mina.post("/uploads", body, idempotency_key="one")
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    rows = "SELECT event::text FROM mega_generations WHERE event::text LIKE '%%X-Amz%%'"
    assert await studio.here.parts.reader.rows(rows, {}) == []


async def test_a_store_that_is_away_is_said_and_nothing_is_recorded(
    studio: Studio, world: TestWorld
) -> None:
    s3 = {name.lower(): value for name, value in world.gives("s3").items()}
    away = Settings.load(**s3 | {"s3_endpoint_url": "http://127.0.0.1:9"})
    gateway = picture_uploads(away, studio.web, safe_fetch(away))
    with world.database() as database:
        async with living(world, database, uploads=Uploads(gateway, Failure)) as here:
            caller = await here.caller()
            told = await announce(caller, drawn())
            head = await here.position()
            answer = await caller.post(f"/uploads/{told['upload_id']}/complete", {})
            assert refusal(answer)[:2] == (503, "STORE_UNAVAILABLE")
            assert await here.position() == head
