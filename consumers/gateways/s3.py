"""Pictures under permanent public URLs in S3, Cloudflare R2 or SeaweedFS; spec `providers.md` §8.

Writing is conditional on the key being free (`If-None-Match: *`), so a second writer and a second
attempt after a lost answer find the first picture and compare its digest. Therefore every broken
call is `TryAgain` here: putting the same key again is never a second picture.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
from botocore import exceptions as boto
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from consumers.gateways.pictures import decode_picture, digest
from consumers.gateways.ports import Failure, Picture, StoredPicture, TryAgain, WillNotWork
from consumers.gateways.web import get_once
from domain.assets import KEY_MAX, permanent

VENDOR = "s3"
CACHE_CONTROL = "public, max-age=31536000, immutable"
READ_TIMEOUT_S = 60

MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
THROTTLED = frozenset({"429", "TooManyRequests", "SlowDown"})
# The transfer was damaged or late, or two writers met: nothing is wrong with the request.
WORTH_REPEATING = frozenset(
    {"BadDigest", "IncompleteBody", "ExpiredRequest", "RequestTimeout", "RequestTimeTooSkewed"}
    | {"ConditionalRequestConflict", "OperationAborted"}
)
PASSING = (boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError)
FULL = frozenset({"QuotaExceeded", "InsufficientStorage", "507"})


def client_config() -> Config:
    """R2 has refused the streaming checksum trailers that boto3 sends over HTTPS by default."""
    return Config(
        region_name="auto",
        signature_version="s3v4",
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=10,
        read_timeout=READ_TIMEOUT_S,
        retries={"total_max_attempts": 1, "mode": "standard"},
        s3={"addressing_style": "path"},
    )


def s3_client(*, endpoint_url: str, access_key: str, secret_key: str) -> Any:
    """boto3's client, which may be used from several threads at once."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=client_config(),
    )


class S3Pictures:
    """A `PictureStore`. `public_base` is where anybody reads the bucket's objects, without a slash
    at its end; `web` fetches from there as a stranger does."""

    def __init__(
        self, *, client: Any, bucket: str, public_base: str, web: httpx.AsyncClient
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._base = public_base.rstrip("/")
        self._web = web
        if urlsplit(self._base).scheme not in ("http", "https"):
            raise ValueError("The public base of the pictures is no http or https URL.")

    def url(self, key: str) -> str:
        """The key's permanent public URL; `WillNotWork` for one that would be signed or expire."""
        url = f"{self._base}/{key}"
        if not permanent(url, self._base):
            raise WillNotWork(f"{VENDOR}: {key[:KEY_MAX]!r} is no key of a picture that lasts")
        return url

    async def put(self, key: str, picture: Picture) -> StoredPicture:
        """Store the picture; the same one again is the same answer, another one `WillNotWork`."""
        stored = StoredPicture(
            url=self.url(key),
            sha256=digest(picture.content),
            content_type=picture.content_type,
            bytes=len(picture.content),
            width=picture.width,
            height=picture.height,
        )
        if await asyncio.to_thread(self._write, key, picture, stored):
            return stored
        found = await self.find(key)
        if found is None:
            raise TryAgain(f"{VENDOR}: {key} was there and is gone")
        if found.sha256 != stored.sha256:
            raise WillNotWork(f"{VENDOR}: {key} already holds another picture")
        return found

    async def find(self, key: str) -> StoredPicture | None:
        """What is stored under the key, by its metadata; None when nothing is."""
        url = self.url(key)
        head = await asyncio.to_thread(self._head, key)
        if head is None:
            return None
        known = head.get("Metadata", {})
        try:
            return StoredPicture(
                url=url,
                sha256=known["sha256"],
                content_type=head["ContentType"],
                bytes=head["ContentLength"],
                width=int(known["width"]),
                height=int(known["height"]),
            )
        except (KeyError, ValueError) as error:
            reason = f"{VENDOR}: {key} was not stored by us, it has no digest"
            raise WillNotWork(reason) from error

    async def fetch_and_verify(self, url: str, sha256: str) -> StoredPicture:
        """Read a stored picture as anybody can and prove that it is the one with this digest.

        For evidence that came over a topic: only our own public base is read, whatever the message
        says. `WillNotWork` when the address is not ours, holds nothing, or holds something else.
        """
        key = url.removeprefix(f"{self._base}/")
        if key == url or self.url(key) != url:
            raise WillNotWork(f"{VENDOR}: the address is not one of ours")
        reply = await get_once(self._web, url, vendor=VENDOR, read_timeout_s=float(READ_TIMEOUT_S))
        if reply.status != 200:
            # A public domain may remember for a while that the key was free.
            if await self.find(key) is None:
                raise WillNotWork(f"{VENDOR}: nothing is stored under {key}")
            raise TryAgain(f"{VENDOR}: the public address of {key} answers {reply.status}")
        if digest(reply.body) != sha256:
            raise WillNotWork(f"{VENDOR}: {key} does not have the digest it is said to have")
        try:
            picture = await decode_picture(reply.body, vendor=VENDOR)
        except TryAgain as damaged:  # what is stored for ever does not get better by waiting
            raise WillNotWork(damaged.reason) from damaged
        return StoredPicture(
            url=url,
            sha256=sha256,
            content_type=picture.content_type,
            bytes=len(reply.body),
            width=picture.width,
            height=picture.height,
        )

    def _write(self, key: str, picture: Picture, stored: StoredPicture) -> bool:
        """True when written, False when the key was taken."""
        md5 = hashlib.md5(picture.content, usedforsecurity=False).digest()
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=picture.content,
                ContentType=picture.content_type,
                ContentMD5=base64.b64encode(md5).decode(),
                CacheControl=CACHE_CONTROL,
                IfNoneMatch="*",
                Metadata={
                    "sha256": stored.sha256,
                    "width": str(picture.width),
                    "height": str(picture.height),
                },
            )
        except ClientError as error:
            if _status(error) == 412:
                return False
            raise failure_of(error) from error
        except BotoCoreError as error:
            raise broken(error) from error
        return True

    def _head(self, key: str) -> dict[str, Any] | None:
        try:
            head: dict[str, Any] = self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error_code(error) in MISSING:
                return None
            raise failure_of(error) from error
        except BotoCoreError as error:
            raise broken(error) from error
        return head


def error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def failure_of(error: ClientError) -> Failure:
    code, status = error_code(error), _status(error)
    reason = f"{VENDOR}: {status} {code}"
    if code in FULL or status == 507:
        return WillNotWork(reason, error_class="quota")
    if code in THROTTLED or status == 429:
        return TryAgain(reason, after_s=2.0, error_class="throttled")
    passes = status >= 500 and status != 501
    if code in WORTH_REPEATING or status in (408, 409) or passes:
        return TryAgain(reason, after_s=2.0)
    return WillNotWork(reason)


def broken(error: BotoCoreError) -> Failure:
    """Connections and time-outs pass; anything else is a request boto3 would not send."""
    reason = f"{VENDOR}: {type(error).__name__}"
    if isinstance(error, PASSING):
        return TryAgain(reason, after_s=2.0)
    return WillNotWork(reason)
