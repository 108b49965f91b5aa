"""What administrators do about the cache of levels: seed 002, "Cache Invalidation Recovery"."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import StringConstraints

from api.audits import admin_asks
from api.body import Body
from api.deps import parts_of, spoken
from api.problems import NotFound
from api.speech import told
from api.waiting import refresh_row
from commands.command import look
from commands.passes import current_pass
from commands.request_upgrade import SeeLevels
from domain.upgrade_events import upgrade_stream
from projections.levels import Levels

router = APIRouter(prefix="/admin/nft", tags=["administration"])


class OfPass(Body):
    """Any of its ids will do."""

    pass_id: Annotated[str, StringConstraints(pattern=r"^pass:.", max_length=300)]


@router.post(
    "/refresh",
    **told(
        "Read the level of a pass anew from the ledger; `mega projections rebuild levels`: of all",
        body=OfPass,
        example={"pass_id": "pass:user:ada"},
        answers={200: {"pass_id": "pass:user:ada", "names": ["pass:user:ada"], "position": 12}},
        problems=(403, 404, 413, 422, 429, 503),
    ),
)
async def refresh(request: Request) -> Response:
    _, asked = await admin_asks(request, OfPass)
    parts, see = parts_of(request), SeeLevels(asked_by=asked.pass_id)
    seen = await look(parts.ledger, see)
    if not current_pass(seen, asked.pass_id).opened:
        raise NotFound()
    url, position, names = parts.settings.database, 0, see.names(seen)
    for name in names:
        position = await refresh_row(url, parts.ledger, Levels(), name, [upgrade_stream(name)])
    return spoken({"pass_id": see.pass_id(seen), "names": names, "position": position})
