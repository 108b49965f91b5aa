"""Whose an object is, and who may see it: another pass's object does not exist (404)."""

from __future__ import annotations

import re

from starlette.requests import Request

from api.deps import parts_of
from api.principal import Principal
from api.problems import NotFound
from domain.character import CharacterCreated, character_stream
from domain.event import Event
from domain.order_events import OrderOpened, order_stream

_uuid = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")


async def own_character(request: Request, who: Principal, id_: str) -> CharacterCreated:
    """The character's birth; NotFound when it is not the caller's."""
    born = await _born(request, id_, character_stream(id_))
    if not isinstance(born, CharacterCreated) or not _visible(request, who, born.pass_id):
        raise NotFound()
    return born


async def own_order(request: Request, who: Principal, id_: str) -> OrderOpened:
    """The order's birth; NotFound when it is not the caller's."""
    born = await _born(request, id_, order_stream(id_))
    if not isinstance(born, OrderOpened) or not _visible(request, who, born.pass_id):
        raise NotFound()
    return born


async def _born(request: Request, id_: str, stream: str) -> Event | None:
    return await parts_of(request).births.of(stream) if _uuid.fullmatch(id_) else None


def _visible(request: Request, who: Principal, pass_id: str) -> bool:
    """An auditor may read any object, and change none but their own."""
    return who.owns(pass_id) or (request.method in ("GET", "HEAD") and who.may("auditor"))
