"""Live events over WebSocket and as server-sent events: the same envelopes under the same ids."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from api.deps import parts_of, signed_in_to_socket
from api.live.speaking import EventStream, speak
from api.routes.examples import CHARACTER_ID
from api.speech import told

router = APIRouter(tags=["live"])
EVENT = (
    'id: 42\r\ndata: {"id":"42","type":"mint:state_changed","time":"2026-01-01T00:00:00Z",'
    f'"pass_id":"pass:user:ada","data":{{"character_id":"{CHARACTER_ID}",'
    '"mint_ui_state":"generating","next_action":"wait"}}\r\n\r\n'
)
LAST = (
    "Go on after this event, exactly; the header Last-Event-ID says the same, and counts more. Too"
    " old or unknown: a `reset`, then a `snapshot` whose id is the place to go on from."
)


@router.get(
    "/events",
    **told(
        "What happens to my pass, as it happens (docs/live.md; `WS /ws` says the same)",
        answers={200: EVENT},
        problems=(403, 429, 503),
        query={
            "last_event_id": (LAST, {"type": "string"}, "41"),
            "token": ("From POST /auth/socket-token, good once", {"type": "string"}, "eyJ…"),
        },
        media="text/event-stream",
    ),
)
async def events(request: Request) -> Response:
    who = await signed_in_to_socket(request, "user")
    hub = parts_of(request).live
    return EventStream(hub, who, await hub.place(last_id(request)))


@router.websocket("/ws")
async def ws(socket: WebSocket) -> None:
    who = await signed_in_to_socket(socket, "user")
    hub = parts_of(socket).live
    await speak(socket, hub, who, await hub.place(last_id(socket)))


def last_id(connection: HTTPConnection) -> str | None:
    """The header is newer: a browser that comes again by itself keeps the URL of its first try."""
    said = connection.headers.get("last-event-id")
    return said or connection.query_params.get("last_event_id")
