"""Pictures that callers bring: signed addresses to put them to, the check, their permanent place.

A file is read once from the staging area, and the very bytes that were checked are what is stored,
so that nothing can be put in its place in between. Memory is bounded: so many files are held at
once, and fewer of them decoded (a picture of 40 million pixels takes 160 MB).
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from consumers.gateways.pictures import decode_picture, digest, picture_key
from consumers.gateways.ports import Picture, PictureStore, TryAgain, WillNotWork
from consumers.gateways.s3 import MISSING, broken, error_code, failure_of
from consumers.gateways.safe_fetch import SafeFetch
from domain.upload import ASPECT_MAX, BYTES_MAX, PIXELS_MAX, Kept, Rejection

FOLDER = "uploads"
STAGED_AT_ONCE = 4
FETCHED_AT_ONCE = 8
DECODED_AT_ONCE = 2
VENDOR = "upload"

log = structlog.get_logger()


class PictureUploads:
    """`client` is boto3's, `bucket` has the staging area, `store` the permanent pictures."""

    def __init__(self, *, client: Any, bucket: str, store: PictureStore, fetch: SafeFetch) -> None:
        self._client = client
        self._bucket = bucket
        self._store = store
        self._web = fetch
        self._staged = asyncio.Semaphore(STAGED_AT_ONCE)
        self._fetched = asyncio.Semaphore(FETCHED_AT_ONCE)
        self._decoded = asyncio.Semaphore(DECODED_AT_ONCE)

    def put_url(self, key: str, content_type: str, size: int, lasts: timedelta) -> str:
        """Where exactly `size` bytes of this type may be PUT; both are part of the signature."""
        url: str = self._client.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "ContentType": content_type,
                "ContentLength": size,
            },
            ExpiresIn=int(lasts.total_seconds()),
        )
        return url

    async def take(self, key: str, content_type: str, size: int) -> Kept | Rejection:
        """What lies under a staging key, checked against its announcement and stored for ever."""
        async with self._staged:
            content = await asyncio.to_thread(self._read, key)
            if isinstance(content, Rejection):
                return content
            if content and len(content) != size:
                return Rejection("changed", digest(content))
            return await self._keep(content, content_type)

    async def fetch(self, url: str) -> Kept | Rejection:
        """What a pasted URL leads to, the same way. Raises UrlRejected, UploadRejected."""
        async with self._fetched:
            return await self._keep(await self._web.get(url))

    async def discard(self, key: str) -> None:
        """Clears a staging key. The store clears it anyway after a day: a failure is only told."""
        try:
            await asyncio.to_thread(self._client.delete_object, Bucket=self._bucket, Key=key)
        except (ClientError, BotoCoreError) as error:
            log.warning("staging_not_cleared", key=key, why=type(error).__name__)

    async def _keep(self, content: bytes, announced: str | None = None) -> Kept | Rejection:
        checked = await self._check(content)
        if isinstance(checked, Rejection):
            return checked
        if announced not in (None, checked.content_type):
            return Rejection("changed", digest(content))
        stored = await self._store.put(picture_key(FOLDER, checked), checked)
        told = asdict(stored)
        return Kept(public_url=told.pop("url"), **told)

    async def _check(self, content: bytes) -> Picture | Rejection:
        """The picture, every pixel decoded; or why it is none that is taken."""
        name = digest(content)
        if not content:
            return Rejection("empty", name)
        try:
            async with self._decoded:
                picture = await decode_picture(content, vendor=VENDOR, max_pixels=PIXELS_MAX)
        except TryAgain:
            return Rejection("no_picture", name)
        except WillNotWork:
            return Rejection("dimensions", name)
        sides = sorted((picture.width, picture.height))
        return Rejection("dimensions", name) if sides[1] > ASPECT_MAX * sides[0] else picture

    def _read(self, key: str) -> bytes | Rejection:
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=key)
            with found["Body"] as body:
                if found["ContentLength"] > BYTES_MAX:
                    return Rejection("too_large")
                return bytes(body.read(BYTES_MAX))
        except ClientError as error:
            if error_code(error) in MISSING:
                return Rejection("missing")
            raise failure_of(error) from error
        except BotoCoreError as error:
            raise broken(error) from error
