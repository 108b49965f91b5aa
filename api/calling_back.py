"""Who calls back about media, and which generation it means. What is said is never believed: the
maker is asked before anything counts.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from api.body import read_bytes
from api.deps import answered, context, parts_of, spoken
from api.reading import SQL
from api.shop_problems import NotSigned
from commands.command import handle
from commands.generations import CallBack
from domain.callbacks import callback_token

OVER = ("succeed", "succeeded", "failed", "canceled")
ID_CHARS = 36


def must_be(said: str, secret: SecretStr | str | None, request: Request) -> None:
    """NotSigned for a wrong secret, and while there is none; Limited for who fails too often."""
    wanted = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
    if not wanted or not hmac.compare_digest(said.encode(errors="replace"), wanted.encode()):
        refuse(request)


def must_be_for(generation_id: str, token: str, request: Request) -> None:
    key = parts_of(request).settings.master_key
    must_be(token, callback_token(key, generation_id), request)


async def must_be_signed(request: Request) -> dict[str, Any]:
    """The body of a delivery by Standard Webhooks."""
    parts, raw = parts_of(request), await read_bytes(request)
    if parts.delivery(request.headers, raw, parts.clock.now()) is None:
        refuse(request)
    return document(raw)


def refuse(request: Request) -> None:
    parts_of(request).limits.forged.take(request.client.host if request.client else "")
    raise NotSigned()


def document(raw: bytes) -> dict[str, Any]:
    """Whatever cannot be read says nothing."""
    try:
        said = orjson.loads(raw)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def is_news(said: Mapping[str, Any], name: str) -> bool:
    """Whether the task is over; who does not say so may mean that."""
    return said.get(name) in (*OVER, None)


async def nudged(request: Request, generation_id: str | None) -> Response:
    """Somebody will look at it at once; one that waits for nobody is left alone."""
    if not generation_id:
        return spoken({"received": True})
    parts, command = parts_of(request), CallBack(generation_id=generation_id)
    outcome = await handle(parts.ledger, command, context(request))
    return answered(outcome, {"received": True})


async def of_task(request: Request, task_id: Any) -> str | None:
    """The generation that a maker calls so; None for a task of nobody's."""
    if not isinstance(task_id, str) or "\0" in task_id:
        return None
    asked = {"task_id": task_id[:200]}
    found = await parts_of(request).reader.rows(SQL["generation_of_task"], asked)
    return str(found[0][0]) if found else None


def of_reference(said: Mapping[str, Any]) -> str | None:
    """Our own id, as Kling tells it; a later attempt has a number behind it."""
    info = said.get("task_info")
    reference = info.get("external_task_id") if isinstance(info, dict) else None
    known = isinstance(reference, str) and "\0" not in reference
    return reference[:ID_CHARS] if known and reference else None
