"""The two transports: how a subscription is spoken over a WebSocket, and as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from sse_starlette import EventSourceResponse
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.live.hub import Hub
from api.live.subscription import Place, Subscription
from api.live.threads import Thread
from api.principal import Principal

PING_S = 10
CODES = {
    "expired": (4401, "sign in again"),
    "signed_out": (4401, "sign in again"),
    "flooding": (1008, "nobody reads what you send"),
    "away": (1013, "come again"),
    "crashed": (1011, "come again"),
}


class EventStream(Response):
    """Server-sent events for as long as the client stays and its session lasts."""

    def __init__(self, hub: Hub, who: Principal, place: Place) -> None:
        super().__init__()
        self._hub, self._who, self._place = hub, who, place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cut = cutter(HTTPConnection(scope))
        async with self._hub.listening(self._who, self._place, "sse", cut) as one:
            frames = (message.frame async for message in one.told())
            await EventSourceResponse(frames, ping=PING_S)(scope, receive, send)


class ThreadStream(Response):
    """The lines of one generation as server-sent events, until its last."""

    def __init__(self, hub: Hub, who: Principal, place: Place, thread: Thread) -> None:
        super().__init__()
        self._hub, self._who, self._place, self._thread = hub, who, place, thread

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cut = cutter(HTTPConnection(scope))
        listening = self._hub.listening(self._who, self._place, "sse", cut, self._thread)
        async with listening as one:
            await EventSourceResponse(_lines(one), ping=PING_S)(scope, receive, send)


async def _lines(one: Subscription) -> AsyncIterator[bytes]:
    async for message in one.told():
        yield message.line_frame
        if message.line is None or message.line.last:
            return


async def speak(socket: WebSocket, hub: Hub, who: Principal, place: Place) -> None:
    """Text messages, one an envelope; whatever the client says is ignored."""
    async with hub.listening(who, place, "ws", cutter(socket)) as one:
        await socket.accept()
        async with asyncio.TaskGroup() as group:
            hearing = group.create_task(_hear(socket, one))
            with suppress(WebSocketDisconnect):
                async for message in one.told():
                    await socket.send_text(message.text)
                if one.closing in CODES and not one.left:
                    await socket.close(*CODES[one.closing])
            hearing.cancel()


async def _hear(socket: WebSocket, one: Subscription) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        one.hear()
    one.leave()


def cutter(connection: HTTPConnection) -> Callable[[], None]:
    """Breaks the connection at once, without waiting for what it has not taken yet."""
    wire = connection.scope["state"].get("wire")
    transport = getattr(getattr(wire, "__self__", None), "transport", None)

    def cut() -> None:
        if transport is not None:
            transport.abort()

    return cut
