"""A studio that takes uploads: the application over a real store, and a site it may fetch from."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from PIL import Image

from api.uploads import Uploads
from commands.command import look
from commands.uploads import SeeUpload
from consumers.composing_uploads import picture_uploads, safe_fetch
from consumers.gateways.ports import Failure
from domain.upload import Upload
from settings import Settings
from tests.api.living import Living, living
from tests.gateways.test_safe_fetch import Site, open_site
from tests.world import TestWorld


@dataclass
class Studio:
    """The application over a real store; `site` is a web site it may fetch from."""

    here: Living
    site: Site
    web: httpx.AsyncClient
    base: str

    async def seen(self, upload_id: str) -> Upload:
        see = SeeUpload(upload_id=upload_id)
        return see.upload(await look(self.here.parts.ledger, see))

    async def put(self, told: dict[str, Any], content: bytes) -> int:
        answer = await self.web.put(told["put_url"], content=content, headers=told["headers"])
        return answer.status_code


@asynccontextmanager
async def open_studio(world: TestWorld) -> AsyncIterator[Studio]:
    s3 = {name.lower(): value for name, value in world.gives("s3").items()}
    async with open_site() as site, httpx.AsyncClient() as web:
        settings = Settings.load(**s3, mega_fetch_allow=site.host)
        fetch = safe_fetch(settings)
        uploads = Uploads(picture_uploads(settings, web, fetch), Failure)
        with world.database() as database:
            async with living(world, database, uploads=uploads) as here:
                yield Studio(here, site, web, s3["s3_public_base_url"])
        await fetch.aclose()


def drawn(kind: str = "PNG", size: tuple[int, int] = (64, 48)) -> bytes:
    file = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(file, kind)
    return file.getvalue()


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def refusal(answer: httpx.Response) -> tuple[int, str, str | None]:
    said = answer.json()
    return answer.status_code, said["code"], said.get("reason")
