"""The development world: what there is, and its clock. Nowhere else do these routes exist."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated

import httpx
import orjson
import structlog
from fastapi import APIRouter, Request, Response
from pydantic import Field

from api.body import Body, read_body
from api.deps import parts_of, spoken
from api.parts import Parts
from api.problems import NotFound
from api.speech import told
from domain.mint_view import spoken_time

router = APIRouter(prefix="/dev", tags=["development"])
log = structlog.get_logger()

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
ADVANCE_MAX_S = 10 * 366 * 24 * 3600
PATIENCE_S = 5.0


class Advance(Body):
    advance_s: Annotated[int, Field(ge=0, le=ADVANCE_MAX_S)]


def only_here(request: Request) -> Parts:
    """The parts, in development and for a loopback Host; NotFound anywhere else."""
    parts, host = parts_of(request), request.headers.get("host", "")
    if not parts.dev or _without_port(host) not in LOOPBACK:
        raise NotFound()
    return parts


def _without_port(host: str) -> str:
    return host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]


@router.get(
    "/world",
    **told(
        "Everything there is to talk to",
        answers={200: {"api": "http://127.0.0.1:8000", "roles": [], "wallets": []}},
        problems=(404,),
        signed_in=False,
    ),
)
async def world(request: Request) -> Response:
    return Response(_world_file(only_here(request)), media_type="application/json")


@router.post(
    "/clock",
    **told(
        "Move the clocks of the application, the chains and the twins",
        body=Advance,
        example={"advance_s": 60},
        answers={200: {"now": "2026-01-01T00:01:00Z"}},
        problems=(404, 422),
        signed_in=False,
    ),
)
async def move_clock(request: Request) -> Response:
    parts = only_here(request)
    body = await read_body(request, Advance)
    now = await parts.clock.advance(timedelta(seconds=body.advance_s))
    await _move_others(parts, body.advance_s)
    return spoken({"now": spoken_time(now)})


def _world_file(parts: Parts) -> bytes:
    path = parts.settings.mega_world_file
    if path is None or not path.exists():
        raise NotFound()
    return path.read_bytes()


async def _move_others(parts: Parts, seconds: int) -> None:
    """Chains and twins; one that is away is logged, it starts with the real time anyway."""
    path = parts.settings.mega_world_file
    told_of = orjson.loads(path.read_bytes()) if path and path.exists() else {}
    twins = (told_of.get("twins") or {}).values()
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
        chains = [_move_chain(client, url, seconds) for url in parts.settings.evm_rpc_urls]
        others = [_post(client, f"{url}/_twin/clock", {"advance_s": seconds}) for url in twins]
        await asyncio.gather(*chains, *others)


async def _move_chain(client: httpx.AsyncClient, url: str, seconds: int) -> None:
    for method, values in (("evm_increaseTime", [seconds]), ("evm_mine", [])):
        await _post(client, url, {"jsonrpc": "2.0", "id": 1, "method": method, "params": values})


async def _post(client: httpx.AsyncClient, url: str, body: object) -> None:
    try:
        answer = await client.post(url, json=body)
    except httpx.TransportError as away:
        log.warning("clock_not_moved", url=url, why=str(away))
        return
    if answer.is_error:
        log.warning("clock_not_moved", url=url, why=str(answer.status_code))
