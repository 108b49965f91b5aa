"""People who listen to live events over either transport, and events for them to hear."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal, Protocol
from urllib.parse import urlencode, urlsplit

import httpx
import orjson
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from domain.credit_account import CreditsGranted, account_stream
from ledger.ledger import Ledger, NewEvent
from tests.api.living import Living

Transport = Literal["ws", "sse"]
TRANSPORTS: tuple[Transport, ...] = ("ws", "sse")
PATIENCE_S = 20.0
Envelope = dict[str, Any]


class Listener(Protocol):
    """`next` gives one envelope; None: the server has ended it."""

    async def next(self) -> Envelope | None: ...


class Socket:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def next(self) -> Envelope | None:
        try:
            said = await self.connection.recv()
        except websockets.ConnectionClosed:
            return None
        envelope: Envelope = orjson.loads(said)
        return envelope


class Stream:
    """Reads server-sent events as a browser does; comments are skipped."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def next(self) -> Envelope | None:
        try:
            return await self._next()
        except httpx.RemoteProtocolError:  # it ended in the middle of nothing
            return None

    async def _next(self) -> Envelope | None:
        fields: dict[str, str] = {}
        async for line in self._lines:
            if not line and "data" in fields:
                envelope: Envelope = orjson.loads(fields["data"])
                assert fields == {"id": envelope["id"], "data": fields["data"]}
                return envelope
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value
        return None


@asynccontextmanager
async def listening(
    transport: Transport,
    url: str,
    headers: Mapping[str, str] | None = None,
    *,
    sock: socket.socket | None = None,
    **query: str,
) -> AsyncIterator[Listener]:
    """Raises Refusal when the server does not let them in."""
    asked = f"?{urlencode(query)}" if query else ""
    if transport == "ws":
        address, more = url.replace("http", "ws", 1), {"sock": sock} if sock else {}
        try:
            opening = websockets.connect(
                f"{address}/ws{asked}", additional_headers=dict(headers or {}), proxy=None, **more
            )
            async with opening as connection:
                yield Socket(connection)
        except InvalidStatus as no:
            raise Refusal(no.response.status_code, orjson.loads(no.response.body or b"{}")) from no
        return
    async with (
        httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as client,
        client.stream("GET", f"/events{asked}", headers=dict(headers or {})) as response,
    ):
        if response.status_code != 200:
            raise Refusal(response.status_code, orjson.loads(await response.aread()))
        yield Stream(response)


class Refusal(Exception):
    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body


async def heard(listener: Listener, count: int) -> list[Envelope]:
    """The next `count` envelopes."""
    async with asyncio.timeout(PATIENCE_S):
        found = [await listener.next() for _ in range(count)]
    assert None not in found, "the server ended it"
    return [envelope for envelope in found if envelope]


async def ended(listener: Listener) -> bool:
    """Whether the server ends it, whatever it says before."""
    async with asyncio.timeout(PATIENCE_S):
        while await listener.next():
            continue
    return True


async def granted(ledger: Ledger, pass_id: str, count: int) -> int:
    """`count` changes of the credits of a pass, one live event each; the last position."""
    stream = account_stream(pass_id)
    version = await ledger.last_version(stream)
    facts = {"correlation_id": "test", "causation_id": "test:given", "pass_id": pass_id}
    meta: dict[str, str | int] = {"asset": "PFP", "delta": 1, "held": 0}
    one = CreditsGranted(account_id=pass_id, asset="PFP", meta=meta, batch_id="b", amount=1)
    numbered = range(version + 1, version + 1 + count)
    return await ledger.append([NewEvent(stream, at, one, facts) for at in numbered])


async def feed_of(here: Living, names: Sequence[str], after: int = 0) -> list[str]:
    """The ids of what these passes should hear, all that was recorded until now."""
    await here.shown()
    statement = (
        "SELECT position FROM views.feed WHERE pass_id = ANY (%s) AND position > %s"
        " ORDER BY position"
    )
    return [str(id_) for (id_,) in await here.parts.reader.rows(statement, (list(names), after))]


def ids(envelopes: Sequence[Envelope]) -> list[str]:
    return [envelope["id"] for envelope in envelopes]


@asynccontextmanager
async def small_socket(url: str) -> AsyncIterator[socket.socket]:
    """A connection whose end here holds little: a client that reads nothing is felt soon."""
    at = urlsplit(url)
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, (at.hostname, at.port))
        yield made
