"""What is found under a staging key that holds something else than the signature allowed: a store
that does not honour a signed length, or somebody with its keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from consumers.composing_uploads import picture_uploads, safe_fetch
from consumers.gateways.picture_uploads import PictureUploads
from consumers.gateways.ports import TryAgain
from consumers.gateways.s3 import s3_client
from domain.assets import STAGING
from domain.upload import BYTES_MAX, Kept, Rejection
from embedded.twins.paint import paint
from settings import Settings, SettingsError


def settings_of(s3: dict[str, str], **more: Any) -> Settings:
    return Settings.load(**{name.lower(): value for name, value in s3.items()} | more)


@pytest.fixture
async def gateway(s3: dict[str, str]) -> AsyncIterator[PictureUploads]:
    settings = settings_of(s3)
    async with httpx.AsyncClient() as web:
        yield picture_uploads(settings, web, safe_fetch(settings))


def staged(s3: dict[str, str], content: bytes) -> str:
    key = f"{STAGING}{uuid4()}"
    client = s3_client(
        endpoint_url=s3["S3_ENDPOINT_URL"],
        access_key=s3["S3_ACCESS_KEY"],
        secret_key=s3["S3_SECRET_KEY"],
    )
    client.put_object(Bucket=s3["S3_BUCKET"], Key=key, Body=content)
    return key


async def test_a_file_that_is_too_large_is_not_read(
    gateway: PictureUploads, s3: dict[str, str]
) -> None:
    key = staged(s3, bytes(BYTES_MAX + 1))
    assert await gateway.take(key, "image/png", BYTES_MAX) == Rejection("too_large")


async def test_another_size_than_announced_is_another_file(
    gateway: PictureUploads, s3: dict[str, str]
) -> None:
    picture = paint("A cup", seed=1, width=64, height=64)
    key = staged(s3, picture)
    found = await gateway.take(key, "image/png", len(picture) + 1)
    assert isinstance(found, Rejection) and found.reason == "changed"
    assert isinstance(await gateway.take(key, "image/png", len(picture)), Kept)


async def test_an_empty_file_and_none_at_all_are_two_things(
    gateway: PictureUploads, s3: dict[str, str]
) -> None:
    empty = await gateway.take(staged(s3, b""), "image/png", 7)
    assert isinstance(empty, Rejection) and empty.reason == "empty"
    none = await gateway.take(f"{STAGING}{uuid4()}", "image/png", 7)
    assert none == Rejection("missing")


async def test_a_store_that_is_away_fails_and_its_clearing_does_not(s3: dict[str, str]) -> None:
    away = settings_of(s3, s3_endpoint_url="http://127.0.0.1:9")
    async with httpx.AsyncClient() as web:
        gateway = picture_uploads(away, web, safe_fetch(away))
        with pytest.raises(TryAgain):
            await gateway.take("staging/a", "image/png", 7)
        await gateway.discard("staging/a")


def test_a_malformed_list_of_hosts_is_named(s3: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="MEGA_FETCH_ALLOW"):
        safe_fetch(settings_of(s3, mega_fetch_allow="a.example:http"))
