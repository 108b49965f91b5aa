"""Stills and videos under permanent public URLs: `generations/<id>/<sha256>.<ending>`.

The key follows from the content, so that storing twice is storing once, and what a process stored
before it died is found by its generation instead of being bought again. Seed 001 §2.4.
"""

from __future__ import annotations

import asyncio
import io
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from PIL import Image

from consumers.gateways.mma_ports import StoredMedia
from consumers.gateways.pictures import ENDINGS, digest
from consumers.gateways.ports import WillNotWork
from consumers.gateways.s3 import CACHE_CONTROL, VENDOR, broken, failure_of
from domain.assets import KEY_MAX, permanent

VIDEOS = {"video/mp4": "mp4", "video/webm": "webm"}
KINDS = {**ENDINGS, **VIDEOS}
TYPES = {ending: kind for kind, ending in KINDS.items()}
BYTES_MAX = 64 * 1024 * 1024


class S3Media:
    """A `MediaStore` over boto3's client; `public_base` is where anybody reads its objects."""

    def __init__(self, *, client: Any, bucket: str, public_base: str) -> None:
        self._client = client
        self._bucket = bucket
        self._base = public_base.rstrip("/")

    async def put(self, generation_id: str, content: bytes, content_type: str) -> StoredMedia:
        if content_type not in KINDS or not 0 < len(content) <= BYTES_MAX:
            raise WillNotWork(f"{VENDOR}: {len(content)} bytes of {content_type!r} are not kept")
        sha256 = digest(content)
        key = f"generations/{generation_id}/{sha256}.{KINDS[content_type]}"
        url = self._url(key)
        size = await asyncio.to_thread(_size, content, content_type)
        told = {"sha256": sha256, **{name: str(value) for name, value in size.items()}}
        await asyncio.to_thread(self._put, key, content, content_type, told)
        return StoredMedia(url, sha256, content_type, len(content), **size)

    async def find(self, generation_id: str) -> StoredMedia | None:
        key = await asyncio.to_thread(self._newest, f"generations/{generation_id}/")
        if key is None:
            return None
        head = await asyncio.to_thread(self._head, key)
        known = head["Metadata"]
        size = {name: int(known[name]) for name in ("width", "height") if name in known}
        kind, count = TYPES[key.rpartition(".")[2]], head["ContentLength"]
        return StoredMedia(self._url(key), known["sha256"], kind, count, **size)

    def _url(self, key: str) -> str:
        url = f"{self._base}/{key}"
        if not permanent(url, self._base):
            raise WillNotWork(f"{VENDOR}: {key[:KEY_MAX]!r} is no key of something that lasts")
        return url

    def _put(self, key: str, content: bytes, content_type: str, told: dict[str, str]) -> None:
        self._call(
            "put_object",
            Key=key,
            Body=content,
            ContentType=content_type,
            CacheControl=CACHE_CONTROL,
            Metadata=told,
        )

    def _newest(self, prefix: str) -> str | None:
        found = self._call("list_objects_v2", Prefix=prefix, MaxKeys=100).get("Contents", [])
        last = max(found, key=lambda item: item["LastModified"], default=None)
        return str(last["Key"]) if last else None

    def _head(self, key: str) -> dict[str, Any]:
        return self._call("head_object", Key=key)

    def _call(self, name: str, **values: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, name)(Bucket=self._bucket, **values)
        except ClientError as error:
            raise failure_of(error) from error
        except BotoCoreError as error:
            raise broken(error) from error
        return answer


def _size(content: bytes, content_type: str) -> dict[str, int]:
    """Of a picture, by its header: whoever fetched it has decoded it."""
    if content_type in VIDEOS:
        return {}
    with Image.open(io.BytesIO(content)) as picture:
        return {"width": picture.width, "height": picture.height}
