"""Our own copy of what goes into a vault, in the bucket of the pictures: `pfp/` and `levels/`.

A key's content never changes (it follows from what it is the key of), so that writing it again is
writing the same.
"""

from __future__ import annotations

import asyncio
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from consumers.gateways.ports import WillNotWork
from consumers.gateways.s3 import MISSING, VENDOR, broken, error_code, failure_of
from domain.assets import KEY, KEY_MAX

FOLDERS = ("pfp/", "levels/")


class S3Cache:
    """The `Cache` port over boto3's client (`s3.s3_client`). Any broken call may be repeated."""

    def __init__(self, *, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    async def keep(self, key: str, content: bytes, content_type: str) -> None:
        await asyncio.to_thread(self._put, _checked(key), content, content_type)

    async def find(self, key: str) -> bytes | None:
        return await asyncio.to_thread(self._get, _checked(key))

    def _put(self, key: str, content: bytes, content_type: str) -> None:
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=content, ContentType=content_type
            )
        except ClientError as error:
            raise failure_of(error) from error
        except BotoCoreError as error:
            raise broken(error) from error

    def _get(self, key: str) -> bytes | None:
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=key)
            return bytes(found["Body"].read())
        except ClientError as error:
            if error_code(error) in MISSING:
                return None
            raise failure_of(error) from error
        except BotoCoreError as error:
            raise broken(error) from error


def _checked(key: str) -> str:
    """The key: nothing that this cache writes or reads lies beside its folders."""
    if not key.startswith(FOLDERS) or len(key) > KEY_MAX or not KEY.fullmatch(key):
        raise WillNotWork(f"{VENDOR}: {key[:KEY_MAX]!r} is no key of the cache")
    return key
