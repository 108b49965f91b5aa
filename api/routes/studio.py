"""The studio around its makers: my pass, my visits, my button, what I tell (seed 001 §3, §14)."""

from __future__ import annotations

from typing import Annotated, Any, get_args
from uuid import uuid4

from fastapi import APIRouter, Path, Request, Response

from api.asking import FRESH, THEN, as_of, fresh
from api.body import NoBody, read_body
from api.deps import context, parts_of, signed_in, spoken, write
from api.owners import own_visit
from api.profile import profile
from api.situation import button, situation
from api.speech import told
from api.studio_bodies import Told
from api.telling import event_of
from commands.command import handle
from commands.matcha import GrantWelcome
from commands.studio import BeginVisit, EndVisit
from domain.studio_state import Mode, Upload

router = APIRouter(tags=["studio"])
SESSION_ID = "4f9d2b36-7c1e-4e0a-b7a2-1d5c8e6f9a90"
VISIT = {"session_id": SESSION_ID, "started_at": "2026-01-01T00:00:00+00:00", "ended_at": None}
SessionId = Annotated[str, Path(examples=[SESSION_ID])]
ME: dict[str, Any] = {
    "pass_id": "pass:user:ada",
    "email": None,
    "matcha": 200,
    "matcha_available": 199,
    "matcha_owed": 0,
    "expires_at": "2026-01-31T00:00:00+00:00",
    "last_active": "2026-01-01T00:00:00+00:00",
    "checkout_url": "https://shop.example/",
    "aliases": [],
    "identities": ["fid:7"],
    "wallets": [{"kind": "evm", "address": "0x" + "a1" * 20}],
    "scopes": ["user"],
}
SITUATION = {
    "mode": ("Still or animation.", {"type": "string", "enum": list(get_args(Mode))}, "still"),
    "upload": (
        "How the page's upload goes.",
        {"type": "string", "enum": list(get_args(Upload))},
        "none",
    ),
    "has_image": ("Whether there is an image to animate.", {"type": "boolean"}, "false"),
    "generation_id": ("The generation that the page shows.", {"type": "string"}, None),
}


@router.get(
    "/me",
    **told(
        "Who I am here, what matcha I have and until when, when I was last in the studio",
        answers={200: ME},
        problems=(404, 422, 429, 503),
        query={**FRESH, **THEN},
    ),
)
async def me(request: Request) -> Response:
    who = signed_in(request)
    then = as_of(request)
    await fresh(request, "passes")
    return spoken(await profile(request, who, then))


@router.post(
    "/sessions",
    **told(
        "Enter the studio",
        body=NoBody,
        example={},
        answers={201: VISIT},
        problems=(403, 413, 422, 429, 503),
        keyed=True,
    ),
)
async def enter(request: Request) -> Response:
    who = signed_in(request, "user")
    await read_body(request, NoBody)
    welcome = GrantWelcome(owner=who.pass_id)
    await handle(parts_of(request).ledger, welcome, context(request, who))
    return await write(request, who, BeginVisit(owner=who.pass_id, session_id=str(uuid4())))


@router.post(
    "/sessions/{session_id}/end",
    **told(
        "Leave the studio; left before is left",
        body=NoBody,
        example={},
        answers={200: {**VISIT, "ended_at": "2026-01-01T00:20:00+00:00"}},
        problems=(403, 404, 413, 422, 429, 503),
        keyed=True,
    ),
)
async def leave(request: Request, session_id: SessionId) -> Response:
    who = signed_in(request, "user")
    await own_visit(request, who, session_id)
    await read_body(request, NoBody)
    return await write(request, who, EndVisit(session_id=session_id))


@router.get(
    "/studio/state",
    **told(
        "What the studio's button says and does (docs/studio.md has the table)",
        answers={
            200: {
                "button": {"state": "create", "label": "Create", "action": "create"},
                "type_for_me": {"enabled": False},
            }
        },
        problems=(403, 404, 422, 429, 503),
        query={**SITUATION, **FRESH},
    ),
)
async def studio_state(request: Request) -> Response:
    who = signed_in(request, "user")
    await fresh(request, "generations")
    return spoken(button(parts_of(request), who, await situation(request, who)))


@router.post(
    "/mma/events",
    **told(
        "Tell what I did: liked, disliked, downloaded, set preferences …",
        body=Told,
        example={
            "event_type": "preference_set",
            "meta": {"preferences": {"hard_blocks": ["people"], "tag_weights": {"moody": 3}}},
        },
        answers={
            200: {
                "event_type": "preference_set",
                "preferences": {"hard_blocks": ["people"], "tag_weights": {"moody": 3}},
            }
        },
        problems=(403, 404, 409, 413, 422, 429, 503),
        keyed=True,
    ),
)
async def tell_event(request: Request) -> Response:
    who = signed_in(request, "user")
    body = await read_body(request, Told)
    return await write(request, who, await event_of(request, who, body))
