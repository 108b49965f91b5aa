"""Our own copy of what goes into a vault, in a real SeaweedFS."""

from __future__ import annotations

import socket
from typing import Any
from uuid import uuid4

import httpx
import pytest

from consumers.gateways.ports import TryAgain, WillNotWork
from consumers.gateways.s3 import s3_client
from consumers.gateways.s3_cache import S3Cache


def client_of(settings: dict[str, str], **changes: str) -> Any:
    known = settings | changes
    return s3_client(
        endpoint_url=known["S3_ENDPOINT_URL"],
        access_key=known["S3_ACCESS_KEY"],
        secret_key=known["S3_SECRET_KEY"],
    )


@pytest.fixture
def cache(s3: dict[str, str]) -> S3Cache:
    return S3Cache(client=client_of(s3), bucket=s3["S3_BUCKET"])


@pytest.mark.parametrize("folder", ["pfp", "levels"])
async def test_what_is_kept_is_found_again_and_kept_again(
    cache: S3Cache, s3: dict[str, str], folder: str
) -> None:
    key = f"{folder}/{uuid4()}/metadata.json"
    assert await cache.find(key) is None
    for _ in range(2):
        await cache.keep(key, b"\0body", "application/json")
        assert await cache.find(key) == b"\0body"
    async with httpx.AsyncClient() as web:
        public = await web.get(f"{s3['S3_PUBLIC_BASE_URL']}/{key}")
    assert (public.content, public.headers["content-type"]) == (b"\0body", "application/json")


@pytest.mark.parametrize(
    "key",
    ["", "pfp/", "levels", "a.png", "pfp/../a.png", "pfp//a", "pfp/a b", "pfp/" + "a" * 509],
)
async def test_a_key_stays_below_the_cache(cache: S3Cache, key: str) -> None:
    for attempt in (cache.keep(key, b"", "text/plain"), cache.find(key)):
        with pytest.raises(WillNotWork):
            await attempt


async def test_a_store_that_is_away_is_tried_again_and_wrong_keys_are_not(
    s3: dict[str, str],
) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        away = S3Cache(client=client_of(s3, S3_ENDPOINT_URL=url), bucket=s3["S3_BUCKET"])
        for attempt in (away.keep("pfp/a", b"", "text/plain"), away.find("pfp/a")):
            with pytest.raises(TryAgain):
                await attempt
    stranger = S3Cache(client=client_of(s3, S3_SECRET_KEY="wrong"), bucket=s3["S3_BUCKET"])
    for attempt in (stranger.keep("pfp/a", b"", "text/plain"), stranger.find("pfp/a")):
        with pytest.raises(WillNotWork):
            await attempt
