"""What administrators see and repair. Every call becomes a row of `mega_admin` (`audits.py`)."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import Field, StringConstraints

from api.asking import FRESH, PAGED, fresh, page, page_asked
from api.audits import admin, admin_asks
from api.body import Body
from api.deps import parts_of, spoken, write
from api.problems import Invalid
from api.routes.examples import ORDER_ID, SOLANA_WALLET, TX_HASH
from api.speech import told
from api.waiting import parked, reconciliations, recoveries, replay_all
from commands.allowances import ITEMS_MAX, SetAllowances
from domain.allowance import ALLOWED_MAX
from setting_types import SolanaAddress

router = APIRouter(prefix="/admin", tags=["administration"])

STATES = ("open", "withdrawn", "resolved")
STREAM = f"order:{ORDER_ID}"
RECOVERY = {
    "id": f"{STREAM}/{TX_HASH}",
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


class Allowed(Body):
    """How many tokens a wallet may mint, those that it has minted included."""

    wallet: SolanaAddress
    allowed: Annotated[int, Field(ge=0, le=ALLOWED_MAX)]


class Allowlist(Body):
    items: Annotated[list[Allowed], Field(min_length=1, max_length=ITEMS_MAX)]


class Replay(Body):
    """Which stream, or key of messages, is tried again; None: everything."""

    stream: Annotated[str, StringConstraints(min_length=1, max_length=300)] | None = None


@router.get(
    "/recoveries",
    **told(
        "What was paid or burned and is not what was asked for, also what was seen to",
        answers={200: {"items": [RECOVERY], "next_cursor": None}},
        problems=(403, 422, 429, 503),
        query={
            **PAGED,
            **FRESH,
            "state": ("Only those.", {"type": "string", "enum": list(STATES)}, "open"),
            "kind": ("Only those.", {"type": "string"}, "overpaid"),
        },
    ),
)
async def list_recoveries(request: Request) -> Response:
    await admin(request)
    limit, after = page_asked(request)
    state, kind = (request.query_params.get(name) for name in ("state", "kind"))
    if state is not None and state not in STATES:
        raise Invalid(("query.state", f"one of {', '.join(STATES)}"))
    await fresh(request, "recoveries")
    wanted = {"after": after, "limit": limit + 1, "state": state, "kind": kind}
    found = await recoveries(parts_of(request).reader.rows, **wanted)
    return page([(position, orjson.dumps(each).decode()) for position, each in found], limit)


@router.get(
    "/reconciliation",
    **told(
        "How the last comparison of ledger and chain went; `mega reconcile` makes one now",
        answers={
            200: {
                "items": [
                    {
                        "name": "levels",
                        "finished_at": "2026-01-01T00:00:00Z",
                        "checked": 1200,
                        "corrected": 1,
                        "reviews": 0,
                        "failure": "",
                    }
                ],
                "next_cursor": None,
            }
        },
        problems=(403, 429, 503),
    ),
)
async def list_reconciliation(request: Request) -> Response:
    await admin(request)
    rows = parts_of(request).reader.rows
    return spoken({"items": await reconciliations(rows), "next_cursor": None})


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
    found = await parked(parts_of(request).reader.rows, after=after, limit=limit + 1)
    return page([(place, orjson.dumps(each).decode()) for place, each in found], limit)


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
    _, asked = await admin_asks(request, Replay)
    stream = asked.stream
    parts = parts_of(request)
    url = parts.settings.database
    return spoken(await replay_all(parts.reader.rows, url, parts.ledger, stream))


@router.post(
    "/allowlist",
    **told(
        "Set how many PFPs each of these wallets may mint; others keep what they have",
        body=Allowlist,
        example={"items": [{"wallet": SOLANA_WALLET, "allowed": 10}]},
        answers={200: {"wallets": 1}},
        problems=(403, 409, 413, 422, 429, 503),
        keyed=True,
    ),
)
async def set_allowlist(request: Request) -> Response:
    who, asked = await admin_asks(request, Allowlist)
    first: dict[str, int] = {}
    for place, item in enumerate(asked.items):
        if (known := first.setdefault(item.wallet, place)) != place:
            raise Invalid((f"body.items.{place}.wallet", f"the wallet of items.{known} again"))
    items = tuple((item.wallet, item.allowed) for item in asked.items)
    return await write(request, who, SetAllowances(items=items))
