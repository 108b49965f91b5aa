"""Pictures in a real SeaweedFS, and the failures of object stores from a scripted one (§8)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from consumers.gateways.pictures import decode_picture, digest, picture_key
from consumers.gateways.ports import Failure, Picture, TryAgain, WillNotWork
from consumers.gateways.s3 import S3Pictures, s3_client
from embedded.twins.paint import paint
from tests.twins.control import Control


async def drawn(seed: int) -> Picture:
    content = paint("Portrait of a keeper", seed=seed, width=256, height=256)
    return await decode_picture(content, vendor="test")


def fresh_key() -> str:
    return f"tests/{uuid4()}/1.png"


def store_at(settings: dict[str, str], web: httpx.AsyncClient, **changes: str) -> S3Pictures:
    known = settings | changes
    client = s3_client(
        endpoint_url=known["S3_ENDPOINT_URL"],
        access_key=known["S3_ACCESS_KEY"],
        secret_key=known["S3_SECRET_KEY"],
    )
    base = known["S3_PUBLIC_BASE_URL"]
    return S3Pictures(client=client, bucket=known["S3_BUCKET"], public_base=base, web=web)


@pytest.fixture(scope="module")
async def web() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture
async def store(s3: dict[str, str], web: httpx.AsyncClient) -> S3Pictures:
    return store_at(s3, web)


async def test_a_stored_picture_is_public_without_keys_and_never_changes(
    store: S3Pictures, s3: dict[str, str], web: httpx.AsyncClient
) -> None:
    picture = await drawn(1)
    key = picture_key(f"tests/{uuid4()}", picture)
    stored = await store.put(key, picture)
    assert stored.url == f"{s3['S3_PUBLIC_BASE_URL']}/{key}"
    answer = await web.get(stored.url)
    assert (answer.status_code, answer.content) == (200, picture.content)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert digest(answer.content) == stored.sha256
    assert await store.find(key) == stored
    assert await store.fetch_and_verify(stored.url, stored.sha256) == stored


async def test_the_same_picture_again_is_the_same_answer(store: S3Pictures) -> None:
    key, picture = fresh_key(), await drawn(1)
    first = await store.put(key, picture)
    assert await store.put(key, picture) == first


async def test_another_picture_never_replaces_the_first(store: S3Pictures) -> None:
    key = fresh_key()
    first = await store.put(key, await drawn(1))
    with pytest.raises(WillNotWork, match="already holds another picture"):
        await store.put(key, await drawn(2))
    assert await store.find(key) == first


async def test_of_two_writers_at_once_both_are_told_of_one_picture(store: S3Pictures) -> None:
    key, picture = fresh_key(), await drawn(3)
    one, other = await asyncio.gather(store.put(key, picture), store.put(key, picture))
    assert one == other == await store.find(key)


async def test_nothing_is_found_where_nothing_is(store: S3Pictures) -> None:
    assert await store.find(fresh_key()) is None


@pytest.mark.parametrize(
    "key",
    [
        "a.png?X-Amz-Signature=1",
        "a?token=x",
        "Expires=1",
        "Signature=1/a.png",
        "x-amz-y/a.png",
        "X-Tos-Date/a.png",
        "a#b",
        "/a.png",
        "../a.png",
        "a/../b.png",
        "a//b.png",
        "a b.png",
        "",
        "a" * 513,
    ],
)
async def test_an_address_that_would_not_last_is_refused(store: S3Pictures, key: str) -> None:
    for attempt in (store.put(key, await drawn(1)), store.find(key)):
        with pytest.raises(WillNotWork):
            await attempt


async def test_evidence_is_believed_only_if_the_public_bytes_have_the_digest(
    store: S3Pictures, s3: dict[str, str]
) -> None:
    stored = await store.put(fresh_key(), await drawn(4))
    base = s3["S3_PUBLIC_BASE_URL"]
    for url, sha256 in [
        (stored.url, "0" * 64),
        (f"{base}/{fresh_key()}", stored.sha256),
        (f"{base}.evil.example/a.png", stored.sha256),
        (f"http://127.0.0.1:1/{stored.url.rpartition('/')[2]}", stored.sha256),
        (f"{stored.url}?X-Amz-Expires=1", stored.sha256),
        (f"{base}/../other/a.png", stored.sha256),
    ]:
        with pytest.raises(WillNotWork):
            await store.fetch_and_verify(url, sha256)


async def test_an_object_of_somebody_else_has_no_digest_and_is_not_taken(
    store: S3Pictures, s3: dict[str, str]
) -> None:
    key = fresh_key()
    client = s3_client(
        endpoint_url=s3["S3_ENDPOINT_URL"],
        access_key=s3["S3_ACCESS_KEY"],
        secret_key=s3["S3_SECRET_KEY"],
    )
    client.put_object(Bucket=s3["S3_BUCKET"], Key=key, Body=b"not a picture")
    with pytest.raises(WillNotWork, match="not stored by us"):
        await store.find(key)
    url = store.url(key)
    with pytest.raises(WillNotWork, match="does not decode"):
        await store.fetch_and_verify(url, digest(b"not a picture"))


async def test_wrong_keys_a_wrong_bucket_and_a_closed_port(
    s3: dict[str, str], web: httpx.AsyncClient
) -> None:
    picture = await drawn(1)
    strangers = store_at(s3, web, S3_SECRET_KEY="not-the-secret")
    with pytest.raises(WillNotWork) as refused:
        await strangers.put(fresh_key(), picture)
    assert "not-the-secret" not in repr(refused.value)
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        port = unheard.getsockname()[1]
        alone = store_at(s3, web, S3_ENDPOINT_URL=f"http://127.0.0.1:{port}")
        for attempt in (alone.put(fresh_key(), picture), alone.find(fresh_key())):
            with pytest.raises(TryAgain):
                await attempt


def s3_error(code: str) -> str:
    return f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>no</Message></Error>'


@pytest.fixture
def scripted(twins: dict[str, str]) -> Control:
    """A twin whose every answer is scripted: it stands for an object store that misbehaves."""
    control = Control(twins["OPENAI_URL"])
    control.reset()
    return control


@pytest.mark.parametrize(
    ("status", "code", "failed", "kind"),
    [
        (429, "TooManyRequests", TryAgain, "throttled"),
        (503, "SlowDown", TryAgain, "throttled"),
        (500, "InternalError", TryAgain, "transient"),
        (503, "ServiceUnavailable", TryAgain, "transient"),
        (400, "BadDigest", TryAgain, "transient"),
        (400, "IncompleteBody", TryAgain, "transient"),
        (400, "ExpiredRequest", TryAgain, "transient"),
        (409, "ConditionalRequestConflict", TryAgain, "transient"),
        (507, "InsufficientStorage", WillNotWork, "quota"),
        (400, "EntityTooLarge", WillNotWork, "invalid"),
        (401, "Unauthorized", WillNotWork, "invalid"),
        (403, "SignatureDoesNotMatch", WillNotWork, "invalid"),
        (404, "NoSuchBucket", WillNotWork, "invalid"),
        (411, "MissingContentLength", WillNotWork, "invalid"),
        (501, "NotImplemented", WillNotWork, "invalid"),
    ],
)
async def test_each_answer_of_a_store_has_its_class_and_is_asked_once(
    scripted: Control,
    s3: dict[str, str],
    web: httpx.AsyncClient,
    status: int,
    code: str,
    failed: type,
    kind: str,
) -> None:
    store = store_at(s3, web, S3_ENDPOINT_URL=scripted.url)
    scripted.script(times=2, response={"status": status, "body": s3_error(code)})
    with pytest.raises(Failure) as raised:
        await store.put(fresh_key(), await drawn(1))
    assert (type(raised.value), raised.value.error_class) == (failed, kind)
    assert [rule["times"] for rule in scripted.get("script")] == [1]


async def test_a_lost_answer_is_tried_again_and_the_second_put_finds_the_first(
    scripted: Control, store: S3Pictures, s3: dict[str, str], web: httpx.AsyncClient
) -> None:
    lossy = store_at(s3, web, S3_ENDPOINT_URL=scripted.url)
    key, picture = fresh_key(), await drawn(5)
    scripted.script(drop="before", times=2)
    for attempt in (lossy.put(key, picture), lossy.find(key)):
        with pytest.raises(TryAgain):
            await attempt
    first = await store.put(key, picture)  # as if the lost one had arrived
    assert await store.put(key, picture) == first


async def test_a_public_domain_that_still_remembers_the_gap_is_asked_again(
    scripted: Control, store: S3Pictures, s3: dict[str, str], web: httpx.AsyncClient
) -> None:
    key = fresh_key()
    stored = await store.put(key, await drawn(6))
    behind = store_at(s3, web, S3_PUBLIC_BASE_URL=f"{scripted.url}/assets")
    scripted.answers(404, "<html>not found</html>")
    with pytest.raises(TryAgain, match="answers 404"):
        await behind.fetch_and_verify(f"{scripted.url}/assets/{key}", stored.sha256)
