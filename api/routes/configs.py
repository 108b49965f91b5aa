"""Versioned configuration: what operators may change while the product runs (`contract.md` §7)."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Request, Response
from pydantic import StringConstraints

from api.asking import PAGED, page, page_asked
from api.audits import admin, admin_asks
from api.body import AnyJson, Body
from api.deps import parts_of, spoken, write
from api.speech import told
from commands.command import look
from commands.config import SeeConfig, SetConfig, describe_config
from domain.config import Config, InvalidConfig, kind_of
from domain.levels import DEFAULT_LEVELS, LEVELS_KEY

router = APIRouter(prefix="/admin/configs", tags=["administration"])
Key = Annotated[str, Path(examples=[LEVELS_KEY])]
LEVELS = {
    "key": LEVELS_KEY,
    "version": 0,
    "id": f"app_config:{LEVELS_KEY}:0",
    "value": DEFAULT_LEVELS,
}


class NewVersion(Body):
    key: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    value: AnyJson


@router.post(
    "",
    **told(
        "Set a config: a new version, the old ones stay",
        body=NewVersion,
        example={"key": LEVELS_KEY, "value": DEFAULT_LEVELS},
        answers={200: LEVELS},
        problems=(403, 413, 422, 429, 503),
        keyed=True,
    ),
)
async def set_config(request: Request) -> Response:
    who, asked = await admin_asks(request, NewVersion)
    if kind_of(asked.key) is None:
        raise InvalidConfig(f"(there is no {asked.key})")
    return await write(request, who, SetConfig(key=asked.key, value=asked.value, by=who.pass_id))


@router.get(
    "/{key}",
    **told("A config as it is now", answers={200: LEVELS}, problems=(403, 422, 429, 503)),
)
async def read_config(request: Request, key: Key) -> Response:
    return spoken(describe_config(key, await _config(request, key)))


@router.get(
    "/{key}/versions",
    **told(
        "Every version of a config, the default first",
        answers={200: {"items": [LEVELS], "next_cursor": None}},
        problems=(403, 422, 429, 503),
        query=PAGED,
    ),
)
async def read_versions(request: Request, key: Key) -> Response:
    config = await _config(request, key)
    limit, first = page_asked(request)
    last = min(first + limit, config.version)
    known = [(n + 1, describe_config(key, config, n)) for n in range(first, last + 1)]
    return page([(after, orjson.dumps(each).decode()) for after, each in known], limit)


async def _config(request: Request, key: str) -> Config:
    await admin(request)
    if kind_of(key) is None:
        raise InvalidConfig(f"(there is no {key[:100]})")
    see = SeeConfig(key=key)
    return see.config(await look(parts_of(request).ledger, see))
