"""The ledger read back: events, streams, folded states, its hash chain.

`contract.md` §8. Secret fields read as `[sealed]`; nobody sees them here, whatever their scope.
"""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Request, Response

from api.asking import PAGED, POSITION_MAX, THEN, as_of, cursor_of, page, page_asked, whole
from api.deps import parts_of, signed_in, spoken
from api.problems import Invalid, NotFound
from api.replay import replayed
from api.routes.examples import ORDER_ID
from api.speech import told
from ledger import audit
from ledger.chain import verify_async

router = APIRouter(prefix="/ledger", tags=["ledger"])

STREAM = f"order:{ORDER_ID}"
StreamId = Annotated[str, Path(examples=[STREAM])]
EVENT = {
    "id": f"{STREAM}/1",
    "position": 7,
    "stream": STREAM,
    "version": 1,
    "type": "order_opened.v1",
    "time": "2026-01-01T00:00:00.000000Z",
    "data": {"order_id": ORDER_ID, "amount": "10000000"},
    "correlation_id": "0f3c",
    "causation_id": "request:0f3c",
}
FILTERS = {
    "from": ("The first position.", {"type": "integer", "minimum": 0}, 1),
    "type": ("Only events of this type.", {"type": "string", "maxLength": 100}, "order_opened.v1"),
    "pass_id": ("Only events of this pass, under any of its names.", {"type": "string"}, "pass:…"),
}


@router.get(
    "/streams/{stream:path}",
    **told(
        "The events of a stream, in order",
        answers={200: {"items": [EVENT], "next_cursor": None}},
        problems=(403, 404, 422, 429, 503),
        query=PAGED,
    ),
)
async def read_stream(request: Request, stream: StreamId) -> Response:
    signed_in(request, "auditor")
    limit, after = page_asked(request)
    rows = parts_of(request).reader.rows
    found = await audit.of_stream(rows, stream, first=after + 1, limit=limit + 1)
    if not found and not after:
        raise NotFound()
    return page([(event["version"], orjson.dumps(event).decode()) for event in found], limit)


@router.get(
    "/events",
    **told(
        "Events of the whole ledger, in order",
        answers={200: {"items": [EVENT], "next_cursor": None}},
        problems=(403, 422, 429, 503),
        query={**FILTERS, **PAGED},
    ),
)
async def read_events(request: Request) -> Response:
    """A page may be empty and still go on: only so many positions are looked at in one call."""
    signed_in(request, "auditor")
    limit, after = page_asked(request)
    asked = request.query_params
    first = whole(request, "from", 0, POSITION_MAX) if "from" in asked else 1
    directory, pass_id = parts_of(request).directory, _text(request, "pass_id")
    found, go_on = await audit.events(
        parts_of(request).reader.rows,
        first=max(first, after + 1),
        limit=limit,
        type=_text(request, "type"),
        names=directory.names(directory.canonical(pass_id)) if pass_id else None,
    )
    return spoken({"items": found, "next_cursor": cursor_of(go_on - 1) if go_on else None})


@router.get(
    "/replay/{stream:path}",
    **told(
        "The state that the events of a stream lead to, now or then",
        answers={200: {"stream": STREAM, "version": 1, "position": 7, "time": "", "state": {}}},
        problems=(403, 404, 422, 429, 503),
        query=THEN,
    ),
)
async def replay(request: Request, stream: StreamId) -> Response:
    signed_in(request, "auditor")
    return spoken(await replayed(parts_of(request).reader.rows, stream, as_of(request)))


@router.get(
    "/verify",
    **told(
        "Whether the hash chain holds, recomputed from the first event on",
        answers={200: {"ok": True, "head": {"position": 12, "hash": "9c1f"}, "first_broken": None}},
        problems=(403, 429, 503),
    ),
)
async def verify(request: Request) -> Response:
    signed_in(request, "auditor")
    found = await verify_async(parts_of(request).settings.database)
    broken = found.first_broken
    head = {"position": found.position, "hash": found.hash.hex()}
    first = {"position": broken.position, "reason": broken.reason} if broken else None
    return spoken({"ok": found.ok, "head": head, "first_broken": first})


def _text(request: Request, name: str) -> str | None:
    said = request.query_params.get(name)
    if said is not None and (not 0 < len(said) <= 300 or "\x00" in said):
        raise Invalid((f"query.{name}", "1 to 300 characters"))
    return said
