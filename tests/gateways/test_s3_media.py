"""Stills and videos in a real SeaweedFS: the same content has one place."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from consumers.gateways.pictures import digest
from consumers.gateways.ports import TryAgain, WillNotWork
from consumers.gateways.s3 import s3_client
from consumers.gateways.s3_media import S3Media
from embedded.twins.kling import motion
from embedded.twins.paint import paint


def media(s3: dict[str, str], **changes: str) -> S3Media:
    known = s3 | changes
    client = s3_client(
        endpoint_url=known["S3_ENDPOINT_URL"],
        access_key=known["S3_ACCESS_KEY"],
        secret_key=known["S3_SECRET_KEY"],
    )
    base = known["S3_PUBLIC_BASE_URL"]
    return S3Media(client=client, bucket=known["S3_BUCKET"], public_base=base)


async def read(url: str) -> httpx.Response:
    """As anybody can."""
    async with httpx.AsyncClient() as web:
        return await web.get(url)


async def test_a_still_is_stored_once_and_found_by_its_generation(s3: dict[str, str]) -> None:
    store, id_ = media(s3), str(uuid4())
    content = paint("A cup", seed=1, width=96, height=64)
    assert await store.find(id_) is None
    stored = await store.put(id_, content, "image/png")
    assert stored == await store.put(id_, content, "image/png") == await store.find(id_)
    assert (stored.width, stored.height, stored.sha256) == (96, 64, digest(content))
    assert stored.url.endswith(f"/generations/{id_}/{digest(content)}.png")
    public = await read(stored.url)
    assert (public.content, public.headers["content-type"]) == (content, "image/png")
    assert "immutable" in public.headers["cache-control"]


async def test_a_video_is_read_as_what_it_is(s3: dict[str, str]) -> None:
    store, id_ = media(s3), str(uuid4())
    stored = await store.put(id_, motion(), "video/mp4")
    assert (stored.width, stored.bytes) == (None, len(motion()))
    assert await store.find(id_) == stored
    assert (await read(stored.url)).headers["content-type"] == "video/mp4"


@pytest.mark.parametrize(
    ("id_", "content", "kind"),
    [("g", b"<html>", "text/html"), ("g", b"", "video/mp4"), ("../up", b"x", "video/mp4")],
)
async def test_nothing_else_is_kept(
    s3: dict[str, str], id_: str, content: bytes, kind: str
) -> None:
    with pytest.raises(WillNotWork):
        await media(s3).put(id_, content, kind)


async def test_a_store_that_is_away_may_be_asked_again(s3: dict[str, str]) -> None:
    away = media(s3, S3_ENDPOINT_URL="http://127.0.0.1:1")
    for call in (away.put("g", motion(), "video/mp4"), away.find("g")):
        with pytest.raises(TryAgain):
            await call
