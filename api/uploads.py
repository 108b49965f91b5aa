"""What the upload routes ask of the store and of the web; composed in `__main__`."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog

from domain.event import Refused
from domain.upload import Kept, Rejection

log = structlog.get_logger()


class StoreSilent(Refused):
    """The store of pictures does not answer right now; nothing was recorded. Ask again."""


class Gateway(Protocol):
    """`put_url` signs and asks nobody; `take` checks and stores what was put under a key, `fetch`
    what a URL leads to; `discard` clears a key if it can."""

    def put_url(self, key: str, content_type: str, size: int, lasts: timedelta) -> str: ...

    async def take(self, key: str, content_type: str, size: int) -> Kept | Rejection: ...

    async def fetch(self, url: str) -> Kept | Rejection: ...

    async def discard(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Uploads:
    """The gateway with its failures, which are of the class `failure`, said as StoreSilent."""

    gateway: Gateway
    failure: type[Exception]

    def put_url(self, key: str, content_type: str, size: int, lasts: timedelta) -> str:
        return self.gateway.put_url(key, content_type, size, lasts)

    async def take(self, key: str, content_type: str, size: int) -> Kept | Rejection:
        return await self._told(self.gateway.take(key, content_type, size))

    async def fetch(self, url: str) -> Kept | Rejection:
        """Raises UrlRejected too, and UploadRejected for a file too large to be read."""
        return await self._told(self.gateway.fetch(url))

    async def discard(self, key: str) -> None:
        await self.gateway.discard(key)

    async def _told(self, question: Awaitable[Kept | Rejection]) -> Kept | Rejection:
        try:
            return await question
        except self.failure as silent:
            log.warning("store_not_asked", why=str(silent))
            raise StoreSilent() from silent
