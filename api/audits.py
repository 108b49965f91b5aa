"""Calls of administrators: who may make them, and the row of `mega_admin` that each becomes.

The row is written before the call does anything, and also when its body is then refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import TypeVar
from uuid import uuid4

from pydantic import BaseModel
from starlette.requests import Request

from api.body import canonical, read_body
from api.deps import signed_in
from api.principal import Principal
from api.sessions import run
from commands.admin import RecordAdminCall

TEXT_MAX = 4_000

B = TypeVar("B", bound=BaseModel)
T = TypeVar("T")


async def admin(request: Request) -> Principal:
    """The administrator who makes this call, which is recorded; 401 and 403 are not."""
    who = signed_in(request, "admin")
    await _record(request, who)
    return who


async def admin_asks(request: Request, model: type[B]) -> tuple[Principal, B]:
    """Who makes this call and what its body says; recorded whether it is well-formed or not."""
    who = signed_in(request, "admin")
    try:
        return who, await read_body(request, model)
    finally:
        await _record(request, who)


async def admin_asks_about(
    request: Request, model: type[B], find: Callable[[], Awaitable[T]]
) -> tuple[Principal, B, T]:
    """The same, about something that must be found (or NotFound) before the body is looked at."""
    who = signed_in(request, "admin")
    try:
        found = await find()
        return who, await read_body(request, model), found
    finally:
        await _record(request, who)


async def _record(request: Request, who: Principal) -> None:
    said = canonical(request.state.json) if request.state.json else b""
    short = len(said) <= TEXT_MAX
    call = RecordAdminCall(
        call_id=str(uuid4()),
        by=who.pass_id,
        method=request.method,
        path=request.url.path,
        query=_cut(request.url.query),
        request=said.decode() if short else f"sha256:{sha256(said).hexdigest()}",
    )
    await run(request, call, who)


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_MAX else f"sha256:{sha256(text.encode()).hexdigest()}"
