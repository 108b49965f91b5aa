"""Who may listen, and for how long: every bad token, foreign pages, sessions that end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import httpx
import jwt
import pytest

from bench.http import CHAIN
from tests.api.listening import (
    TRANSPORTS,
    Refusal,
    Transport,
    ended,
    granted,
    heard,
    ids,
    listening,
)
from tests.api.living import Caller, Living, living, served
from tests.waiting import eventually
from tests.world import Child, Database, TestWorld

Headers = dict[str, str]


@pytest.fixture(scope="module")
async def url(here: Living) -> AsyncIterator[str]:
    async with served(here.app) as base:
        yield base


async def socket_token(caller: Caller) -> str:
    answer = await caller.post("/auth/socket-token", {})
    return str(answer.json()["token"])


async def refused(transport: Transport, url: str, headers: Headers, **query: str) -> None:
    """401 by HTTP, on the handshake of a socket, too."""
    with pytest.raises(Refusal) as no:
        async with listening(transport, url, headers, **query):
            pass
    assert (no.value.status, no.value.body["code"]) == (401, "UNAUTHENTICATED")


async def welcome(
    here: Living, transport: Transport, url: str, caller: Caller, headers: Headers, **query: str
) -> None:
    async with listening(transport, url, headers, **query) as listener:
        await granted(here.parts.ledger, caller.pass_id, 1)
        assert await heard(listener, 1)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_socket_token_opens_one_connection(
    here: Living, url: str, ada: Caller, transport: Transport
) -> None:
    token = await socket_token(ada)
    await welcome(here, transport, url, ada, {}, token=token)
    for again in TRANSPORTS:
        await refused(again, url, {}, token=token)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_nobody_else_is_let_in(
    here: Living, url: str, ada: Caller, transport: Transport
) -> None:
    tokens = here.parts.tokens
    good = await socket_token(ada)
    forged = jwt.encode(
        {**jwt.decode(good, options={"verify_signature": False})}, "k" * 32, algorithm="HS256"
    )
    bad = {
        "an access token": ada.token,
        "another use": tokens.issue(ada.pass_id, use="mail"),
        "expired": tokens.issue(ada.pass_id, use="socket", lasts_s=-1),
        "forged": forged,
        "cut": good[:-3],
        "empty": "",
        "nonsense": "a.b.c",
    }
    for token in bad.values():
        await refused(transport, url, {}, token=token)
        await refused(transport, url, ada.headers, token=token)
    await refused(transport, url, {})
    await refused(transport, url, {"Authorization": f"Bearer {good}"})
    await refused(transport, url, {"Authorization": f"Basic {ada.token}"})
    await welcome(here, transport, url, ada, {}, token=good)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_token_without_the_scope_is_told_so(
    here: Living, url: str, transport: Transport
) -> None:
    service = await here.caller("service")
    with pytest.raises(Refusal) as no:
        async with listening(transport, url, service.headers, last_event_id="x"):
            pass
    assert (no.value.status, no.value.body["code"]) == (403, "FORBIDDEN")


async def test_a_foreign_page_cannot_listen_with_the_cookie_of_a_visitor(
    here: Living, url: str, ada: Caller
) -> None:
    cookie = {"Cookie": f"mega_session={ada.token}"}
    for origin in ("https://evil.example", "null", f"http://{urlsplit(url).netloc}.evil.example"):
        await refused("ws", url, {**cookie, "Origin": origin})
    await refused("ws", url, cookie)
    await welcome(here, "ws", url, ada, {**cookie, "Origin": url})
    await welcome(here, "sse", url, ada, cookie)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("by_token", [True, False])
async def test_the_end_of_a_session_is_the_end_of_its_connections(
    here: Living, url: str, transport: Transport, by_token: bool
) -> None:
    ada = await here.caller()
    other = here.known(ada.pass_id)
    query = {"token": await socket_token(ada)} if by_token else {}
    headers = {} if by_token else ada.headers
    unused = await socket_token(ada)
    async with (
        listening(transport, url, headers, **query) as listener,
        listening(transport, url, other.headers) as elsewhere,
    ):
        assert (await ada.post("/auth/logout", {})).status_code == 200
        assert await ended(listener)
        await granted(here.parts.ledger, ada.pass_id, 1)
        assert await heard(elsewhere, 1), "another session of the pass goes on"
    await refused(transport, url, {}, token=unused)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_connection_ends_with_its_access_token(
    here: Living, url: str, ada: Caller, transport: Transport
) -> None:
    short = here.parts.tokens.issue(ada.pass_id, lasts_s=2)
    async with listening(transport, url, {"Authorization": f"Bearer {short}"}) as listener:
        assert await ended(listener)


async def test_two_processes_say_the_same_and_take_a_token_once(
    world: TestWorld, database: Database
) -> None:
    async with (
        living(world, database) as one,
        living(world, database) as two,
        served(one.app) as first,
        served(two.app) as second,
    ):
        ada = await one.caller()
        start = str(await one.position())
        token = await socket_token(ada)
        async with (
            listening("ws", first, {}, token=token, last_event_id=start) as here,
            listening("sse", second, ada.headers, last_event_id=start) as there,
        ):
            await refused("sse", second, {}, token=token)
            await granted(one.parts.ledger, ada.pass_id, 5)
            told = await heard(here, 5)
            assert told == await heard(there, 5)
            middle = ids(told)[2]
            async with listening("ws", second, ada.headers, last_event_id=middle) as again:
                assert await heard(again, 2) == told[3:]
            await ada.post("/auth/logout", {})
            assert await ended(here) and await ended(there)


async def test_a_process_with_listeners_stops_at_once_and_logs_no_token(
    world: TestWorld, database: Database, spawn: Callable[..., Child]
) -> None:
    world.place.ports.reserve("live_api")
    port = str(world.place.ports["live_api"])
    env = {**world.environment(), **CHAIN, "DATABASE_URL": database.url, "MEGA_PORT": port}
    child, url = spawn("api", env=env), f"http://127.0.0.1:{port}"
    eventually(lambda: up(url))
    async with httpx.AsyncClient(base_url=url) as client:
        signed_in = (await client.post("/auth/dev", json={"user_id": "ada"})).json()
        bearer = {"Authorization": f"Bearer {signed_in['access_token']}"}
        tokens = [
            (await client.post("/auth/socket-token", json={}, headers=bearer)).json()["token"]
            for _ in range(3)
        ]
    await refused("ws", url, {}, token=f"{tokens[2]}x")
    async with (
        listening("ws", url, {}, token=tokens[0]) as socket,
        listening("sse", url, {}, token=tokens[1]) as stream,
    ):
        assert await asyncio.to_thread(child.stop, 5.0) == 0
        assert await ended(socket) and await ended(stream)
    log = child.log.read_text()
    assert log.count('"path":"/ws"') == 2 and log.count('"path":"/events"') == 1
    assert not any(part in log for token in tokens for part in ("eyJ", token.split(".")[2]))
    assert "Traceback" not in log


def up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.TransportError:
        return False
