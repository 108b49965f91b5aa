"""What administrators see of the studio: generations, steps with payloads, events, transactions."""

from __future__ import annotations

import re
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from starlette.requests import HTTPConnection

from api.asking import FRESH, PAGED, POSITION_MAX, fresh, page, page_asked
from api.audits import admin
from api.deps import parts_of
from api.problems import Invalid
from api.records import Kind, generations, records
from api.routes.examples import ORDER_ID
from api.speech import told

router = APIRouter(prefix="/admin", tags=["administration"])
STATUSES = (
    "queued",
    "scanning",
    "prompting",
    "generating",
    "post_scanning",
    "done",
    "failed",
    "cancelled",
)
_id = re.compile(r"[0-9a-f-]{1,64}")
OF_PASS = {"pass_id": ("Only of this pass, under any of its names.", {"type": "string"}, "pass:…")}
OF_ONE = {"generation_id": ("Only of this one.", {"type": "string"}, ORDER_ID)}
TAIL = {
    "event_id": f"generation:{ORDER_ID}/6",
    "position": 42,
    "pass_id": "pass:user:ada",
    "recorded_at": "2026-01-01T00:00:00+00:00",
}
STEP = {
    "generation_id": ORDER_ID,
    "mg_id": f"mma_step:{ORDER_ID}:1",
    "parent_id": f"generation:{ORDER_ID}",
    "step_no": 1,
    "step_type": "gpt_reader",
    "provider": "openai",
    "model": "gpt-4.1-mini",
    "payload": {"input": {}, "output": {}, "timing": {}, "error": None},
    "type": "step_recorded.v1",
    **TAIL,
}
EVENT = {
    "generation_id": ORDER_ID,
    "mg_id": f"mma_event:{ORDER_ID}",
    "meta": {"event_type": "like"},
    "event_type": "like",
    "type": "mma_event_recorded.v1",
    **TAIL,
}
TRANSACTION = {
    "mg_id": f"credit_transaction:{ORDER_ID}",
    "matcha_delta": -1,
    "meta": {"asset": "MATCHA"},
    "type": "matcha_captured.v1",
    **TAIL,
}
GENERATION = {
    "generation_id": ORDER_ID,
    "kind": "still",
    "status": "done",
    "pass_id": "pass:user:ada",
    "position": 12,
}


def _listed(what: str, item: dict[str, Any], **query: Any) -> dict[str, Any]:
    return told(
        what,
        answers={200: {"items": [item], "next_cursor": None}},
        problems=(403, 422, 429, 503),
        query={**PAGED, **OF_PASS, **query},
    )


@router.get(
    "/generations",
    **_listed(
        "Every generation, newest first",
        GENERATION,
        **FRESH,
        status=("Only those.", {"type": "string", "enum": list(STATUSES)}, "done"),
    ),
)
async def list_generations(request: Request) -> Response:
    await admin(request)
    limit, wanted = _wanted(request)
    status = request.query_params.get("status")
    if status is not None and status not in STATUSES:
        raise Invalid(("query.status", f"one of {', '.join(STATUSES)}"))
    await fresh(request, "generations")
    parts = parts_of(request)
    return _page(await generations(parts.reader, parts.ledger, {**wanted, "status": status}), limit)


@router.get("/steps", **_listed("Every step, with what went in and came out", STEP, **OF_ONE))
async def list_steps(request: Request) -> Response:
    return await _records(request, "mma_step")


@router.get("/events", **_listed("What people did: likes, downloads, feedback", EVENT, **OF_ONE))
async def list_events(request: Request) -> Response:
    return await _records(request, "mma_event")


@router.get("/credit-transactions", **_listed("Every movement of matcha", TRANSACTION))
async def list_transactions(request: Request) -> Response:
    return await _records(request, "credit_transaction")


async def _records(request: Request, kind: Kind) -> Response:
    await admin(request)
    limit, wanted = _wanted(request)
    of = request.query_params.get("generation_id")
    if of is not None and not _id.fullmatch(of):
        raise Invalid(("query.generation_id", "the id of a generation"))
    parts = parts_of(request)
    return _page(await records(parts.reader, parts.ledger, kind, of, wanted), limit)


def _wanted(request: Request) -> tuple[int, dict[str, Any]]:
    """(limit, what the statements take); a cursor names the last position shown, 0: none."""
    limit, shown = page_asked(request)
    before = shown or POSITION_MAX
    return limit, {"before": before, "limit": limit + 1, "names": _names(request)}


def _names(request: HTTPConnection) -> list[str] | None:
    said = request.query_params.get("pass_id")
    if said is None:
        return None
    if not 0 < len(said) <= 300 or "\x00" in said:
        raise Invalid(("query.pass_id", "1 to 300 characters"))
    directory = parts_of(request).directory
    return list(directory.names(directory.canonical(said)))


def _page(found: list[tuple[int, dict[str, Any]]], limit: int) -> Response:
    return page([(position, orjson.dumps(each).decode()) for position, each in found], limit)
