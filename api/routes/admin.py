"""What administrators see and repair. Every call becomes a row of `mega_admin` (`audits.py`)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import StringConstraints

from api.asking import FRESH, PAGED, fresh, page, page_asked
from api.audits import admin, admin_asks
from api.body import Body
from api.deps import parts_of, spoken
from api.parts import Parts
from api.problems import ProjectionBehind
from api.routes.examples import ORDER_ID, TX_HASH
from api.speech import told
from domain.mint_view import spoken_time
from ledger.statements import named_statements
from projections.batch import LeadLost
from projections.catalog import all_projections
from projections.parked import replay
from projections.projection import Projection
from projections.tables import LIVE, connect

router = APIRouter(prefix="/admin", tags=["administration"])
SQL = named_statements(Path(__file__).parent.with_name("admin.sql"))

STREAM = f"order:{ORDER_ID}"
RECOVERY = {
    "id": f"{STREAM}/4",
    "kind": "overpaid",
    "stream": STREAM,
    "pass_id": "pass:user:ada",
    "opened_at": "2026-01-01T00:00:00Z",
    "state": "open",
    "attempts": 0,
    "next_try_at": None,
    "facts": {"tx": TX_HASH, "payer": "0x" + "a1" * 20, "amount": "10000000"},
}
PARKED = {
    "reader": "projection characters",
    "origin": f"{STREAM}/4",
    "stream": STREAM,
    "error": "ValueError: …",
    "replay": False,
    "parked_at": "2026-01-01T00:00:00Z",
}


class Replay(Body):
    """Which stream, or key of messages, is tried again; None: everything."""

    stream: Annotated[str, StringConstraints(min_length=1, max_length=300)] | None = None


@router.get(
    "/recoveries",
    **told(
        "Money that arrived and could not become what was asked for",
        answers={200: {"items": [RECOVERY], "next_cursor": None}},
        problems=(403, 422, 429, 503),
        query={**PAGED, **FRESH},
    ),
)
async def list_recoveries(request: Request) -> Response:
    await admin(request)
    limit, after = page_asked(request)
    await fresh(request, "recoveries")
    asked: dict[str, Any] = {"after": after, "limit": limit + 1}
    rows = await parts_of(request).reader.rows(SQL["recoveries"], asked)
    return page([(row[0], orjson.dumps(_recovery(*row[1:])).decode()) for row in rows], limit)


@router.get(
    "/parked",
    **told(
        "What waits to be tried again: in projections, before Kafka, and behind it",
        answers={200: {"items": [PARKED], "next_cursor": None}},
        problems=(403, 422, 429, 503),
        query=PAGED,
    ),
)
async def list_parked(request: Request) -> Response:
    await admin(request)
    limit, after = page_asked(request)
    asked: dict[str, Any] = {"after": after, "limit": limit + 1}
    rows = await parts_of(request).reader.rows(SQL["parked"], asked)
    return page([(row[0], orjson.dumps(_parked(*row[1:])).decode()) for row in rows], limit)


@router.post(
    "/parked/replay",
    **told(
        "Try the parked events and messages of a stream again, in order",
        body=Replay,
        example={"stream": STREAM},
        answers={
            200: {
                "stream": STREAM,
                "projections": [{"projection": "characters", "tried": 2, "parked": 0}],
                "events": 0,
                "messages": 0,
            }
        },
        problems=(403, 413, 422, 429, 503),
    ),
)
async def replay_parked(request: Request) -> Response:
    """Projections are tried here and now; `events` and `messages` by who parked them, soon.

    A projection with the stream among what it parked is tried whole, for others may wait for it.
    """
    asked = {"stream": (await admin_asks(request, Replay)).stream}
    parts = parts_of(request)
    rows = parts.reader.rows
    named = {name for (name,) in await rows(SQL["projections_parked"], asked)}
    tried = [await _again(parts, one) for one in all_projections() if one.name in named]
    events = await rows(SQL["replay_events"], asked)
    messages = await rows(SQL["replay_messages"], asked)
    counts = {"events": len(events), "messages": len(messages)}
    return spoken({**asked, "projections": tried, **counts})


async def _again(parts: Parts, projection: Projection[Any]) -> dict[str, Any]:
    async with await connect(parts.settings.database, LIVE) as connection:
        try:
            done = await replay(connection, parts.ledger, projection)
        except LeadLost:
            raise ProjectionBehind("(it is being rebuilt)") from None
    return {"projection": projection.name, "tried": done.tried, "parked": done.parked}


def _parked(
    reader: str, origin: str, stream: str, error: str | None, again: bool, at: datetime
) -> dict[str, Any]:
    """`error` null: it only waits for one before it. `replay`: it was asked for again."""
    place = {"reader": reader, "origin": origin, "stream": stream}
    return {**place, "error": error, "replay": again, "parked_at": spoken_time(at)}


def _recovery(
    case_id: str, kind: str, stream: str, pass_id: str, opened_at: datetime, facts: Any
) -> dict[str, Any]:
    """Nothing is retried by itself yet: an open case waits for an operator."""
    case = {"id": case_id, "kind": kind, "stream": stream, "pass_id": pass_id}
    waits = {"state": "open", "attempts": 0, "next_try_at": None}
    return {**case, "opened_at": spoken_time(opened_at), **waits, "facts": facts}
