"""A store of uploads by hand: what a key holds, or a URL leads to, is said by the test."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from api.uploads import Uploads
from consumers.gateways.ports import Failure
from domain.upload import Kept, Rejection

PICTURE = Kept(
    public_url="http://assets.test/uploads/5e.png",
    sha256="5e",
    content_type="image/png",
    bytes=1,
    width=1,
    height=1,
)


@dataclass
class FakeUploads:
    """`found` is the answer to all that is brought; `asked` counts the questions."""

    found: Kept | Rejection = PICTURE
    asked: int = 0
    discarded: list[str] = field(default_factory=list)

    @property
    def uploads(self) -> Uploads:
        return Uploads(self, Failure)

    def put_url(self, key: str, content_type: str, size: int, lasts: timedelta) -> str:
        return f"http://store.test/{key}?X-Amz-Signature={size}"

    async def take(self, key: str, content_type: str, size: int) -> Kept | Rejection:
        self.asked += 1
        return self.found

    async def fetch(self, url: str) -> Kept | Rejection:
        self.asked += 1
        return self.found

    async def discard(self, key: str) -> None:
        self.discarded.append(key)
