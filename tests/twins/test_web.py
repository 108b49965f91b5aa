"""A site with pictures, and with what a fetcher must survive."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from embedded.twins.web import Web
from tests.twins.alone import Alone, alone


@pytest.fixture(scope="module")
async def site() -> AsyncIterator[Alone]:
    async with alone(Web()) as twin:
        yield twin


@pytest.mark.parametrize(
    ("ending", "kind"), [("png", "PNG"), ("jpg", "JPEG"), ("jpeg", "JPEG"), ("webp", "WEBP")]
)
async def test_a_picture_is_of_its_kind_and_size_and_always_the_same(
    site: Alone, ending: str, kind: str
) -> None:
    url = f"/pictures/amber-bottle.{ending}?w=320&h=200"
    first, again = await site.client.get(url), await site.client.get(url)
    assert first.content == again.content
    with Image.open(io.BytesIO(first.content)) as picture:
        assert (picture.format, picture.size) == (kind, (320, 200))
    assert first.headers["content-type"] == f"image/{kind.lower()}"


async def test_other_names_are_other_pictures_and_other_endings_none(site: Alone) -> None:
    one, other = [await site.client.get(f"/pictures/{name}.png?w=64&h=64") for name in "ab"]
    assert one.content != other.content
    assert (await site.client.get("/pictures/a.gif")).status_code == 404
    assert (await site.client.get("/bottle.png?w=64&h=64")).content.startswith(b"\x89PNG")
    assert "/redirect" in (await site.client.get("/")).text
    assert (await site.client.post("/pictures/a.png")).status_code == 405


async def test_a_redirect_leads_anywhere_and_else_to_itself(site: Alone) -> None:
    away = await site.client.get("/redirect", params={"to": "http://169.254.169.254/latest"})
    assert (away.status_code, away.headers["location"]) == (302, "http://169.254.169.254/latest")
    around = await site.client.get("/redirect")
    assert around.headers["location"] == f"{site.url}/redirect"


async def test_what_is_huge_does_not_say_so(site: Alone) -> None:
    async with site.client.stream("GET", "/huge?megabytes=2") as answer:
        assert "content-length" not in answer.headers
        assert sum([len(piece) async for piece in answer.aiter_bytes()]) > 2 * 1024 * 1024


async def test_what_is_slow_begins_at_once(site: Alone) -> None:
    async with site.client.stream("GET", "/slow?pieces=2") as answer:
        pieces = [piece async for piece in answer.aiter_bytes()]
    assert b"".join(pieces) == b"\x89P"


async def test_a_bomb_is_a_small_file_of_many_pixels(site: Alone) -> None:
    content = (await site.client.get("/bomb.png")).content
    assert len(content) < 100_000
    assert int.from_bytes(content[16:20], "big") == 20_000


async def test_names_and_types_lie(site: Alone) -> None:
    page, empty, lie = [
        await site.client.get(path) for path in ("/page.png", "/empty.png", "/lie.png")
    ]
    assert page.headers["content-type"] == empty.headers["content-type"] == "image/png"
    assert (page.content[:9], empty.content) == (b"<!doctype", b"")
    assert lie.headers["content-type"].startswith("text/html")
    assert lie.content.startswith(b"\x89PNG")
