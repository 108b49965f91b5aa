"""The one middleware: names a request or socket, bounds its rate, counts and logs it when it ends.

Plain ASGI, no wrapping of bodies. Query strings are never logged: they may carry tokens. What is
measured is the time until the answer began, since a stream goes on for hours.
"""

from __future__ import annotations

import re
import time
from uuid import uuid4

import structlog
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.parts import Parts
from api.problems import Invalid, NotFound, refused
from domain.event import Refused

BEGINNINGS = ("http.response.start", "websocket.http.response.start", "websocket.accept")
SWITCHED, UNACCEPTED = 101, 403
UNLIMITED = ("/healthz", "/readyz", "/metrics", "/webhooks/")
_correlation = re.compile(rb"[\x21-\x7e]{1,128}")
_traceparent = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")

log = structlog.get_logger()


class Edge:
    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self._app, self._parts = app, parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        began, status, answered_s = time.perf_counter(), 500, None
        request_id = uuid4().hex
        correlation_id = _correlation_id(scope) or request_id
        scope.setdefault("state", {}).update(
            request_id=request_id, correlation_id=correlation_id, json={}, wire=send
        )
        echoed = (b"x-correlation-id", correlation_id.encode())

        async def noted(message: Message) -> None:
            nonlocal status, answered_s
            if message["type"] in BEGINNINGS:
                status = message.get("status", SWITCHED)
                answered_s = time.perf_counter() - began
                message["headers"] = [*message.get("headers", ()), echoed]
            elif message["type"] == "websocket.close" and answered_s is None:
                status = UNACCEPTED
            await send(message)

        try:
            if self._admitted(scope):
                await self._app(scope, receive, noted)
        except Refused as no:
            await (await refused(HTTPConnection(scope), no))(scope, receive, noted)
        finally:
            self._ended(scope, status, answered_s or time.perf_counter() - began)

    def _admitted(self, scope: Scope) -> bool:
        if "\x00" in scope["path"]:
            raise NotFound()
        if b"%00" in scope["query_string"]:
            raise Invalid(("query", "must not have U+0000"))
        client = scope.get("client")
        if client and not scope["path"].startswith(UNLIMITED):
            self._parts.limits.address.take(client[0])
        return True

    def _ended(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        method = scope.get("method", "WS")
        self._parts.meters.ended(method, route, status, seconds)
        state = scope["state"]
        log.info(
            "request",
            method=method,
            path=scope["path"],
            status=status,
            ms=round(seconds * 1000, 2),
            request_id=state["request_id"],
            correlation_id=state["correlation_id"],
        )


def _correlation_id(scope: Scope) -> str:
    headers = dict(scope["headers"])
    said = headers.get(b"x-correlation-id", b"")
    if _correlation.fullmatch(said):
        return str(said.decode())
    traced = _traceparent.fullmatch(headers.get(b"traceparent", b""))
    return traced[1].decode() if traced else ""
