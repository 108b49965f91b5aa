"""A call to a twin, its answer, and connections that really break.

ASGI has no word for "hang up", so the server's protocol class hands its transport to the scope.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from embedded.twins.journal import Journal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_BODY_BYTES = 64 * 1024 * 1024


class BodyTooLarge(Exception):
    """The caller sent more than any vendor takes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: an HTTP status, headers, and the whole body, or `pieces` of it as they come,
    with no word about how many."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: AsyncIterator[bytes] | None = None

    @classmethod
    def json(cls, status: int, value: object, **headers: str) -> Answer:
        """`value` as JSON; a header's name is written with underscores."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        body = json.dumps(value, ensure_ascii=False).encode()
        return cls(status, body, {"content-type": "application/json", **named})


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the vendor would see it. `path` is below the base path of the vendor's API,
    `full_path` begins with it, whichever of the two the caller wrote.

    `performs` is false when a script says that the effect does not happen.
    """

    method: str
    path: str
    full_path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    origin: str
    journal: Journal
    performs: bool = True

    def record(self, kind: str, **details: object) -> str:
        """Write a performed effect to the twin's ledger; its id. Headers, thus keys, stay out."""
        request = {
            "method": self.method,
            "path": self.full_path,
            "query": dict(self.query),
            "body": self.readable_body(),
        }
        if not self.performs:
            return "not-performed"
        return self.journal.record(kind, request, details)

    def readable_body(self) -> object:
        """JSON as a value, other text as text, anything else as its length."""
        try:
            return orjson.loads(self.body)
        except ValueError:
            return f"{len(self.body)} bytes"

    def bearer(self) -> str:
        """The key of `Authorization: Bearer …`, empty when there is none."""
        kind, _, key = self.headers.get("authorization", "").partition(" ")
        return key.strip() if kind.lower() == "bearer" else ""


class BreakableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with the connection within the application's reach."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"mega": {"transport": self.transport}}


async def read_body(receive: Receive) -> bytes:
    """The request's whole body; `BodyTooLarge` above 64 MiB."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return bytes(body)


async def send_answer(send: Send, answer: Answer) -> None:
    await _send_head(send, answer)
    if answer.pieces is not None:
        async for piece in answer.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": answer.body})


async def send_cut(
    scope: Scope, receive: Receive, send: Send, answer: Answer, *, length: int
) -> None:
    """Promise the whole body in Content-Length, send `length` bytes of it, and close."""
    await _send_head(send, answer)
    await send({"type": "http.response.body", "body": answer.body[:length], "more_body": True})
    transport: asyncio.Transport = scope["extensions"]["mega"]["transport"]
    transport.close()
    await _until_gone(receive)


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection without a byte of an answer."""
    transport: asyncio.Transport = scope["extensions"]["mega"]["transport"]
    transport.abort()
    await _until_gone(receive)


async def _send_head(send: Send, answer: Answer) -> None:
    named = {name.lower(): value for name, value in answer.headers.items()}
    named.setdefault("date", formatdate(usegmt=True))
    if answer.pieces is None:
        named["content-length"] = str(len(answer.body))
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})


async def _until_gone(receive: Receive) -> None:
    """Returning earlier would make the server answer 500 on the connection being closed."""
    while (await receive())["type"] != "http.disconnect":
        continue
