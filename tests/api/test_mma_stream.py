"""What a generation tells while it is made: whole, in order, from any place, until its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import pytest

from api.live.threads import lines_of
from commands.passes import Identify
from tests.api.artists import Artist, artist, studio
from tests.api.listening import heard, listening
from tests.api.living import Living, served
from tests.world import TestWorld

PATIENCE_S = 20.0


@dataclass(frozen=True)
class Line:
    id: str
    kind: str
    data: dict[str, Any]


@pytest.fixture(scope="module")
async def here(world: TestWorld) -> AsyncIterator[Living]:
    with world.database() as database:
        async with studio(world, database) as made:
            yield made


@pytest.fixture(scope="module")
async def url(here: Living) -> AsyncIterator[str]:
    async with served(here.app) as base:
        yield base


@pytest.fixture
async def ada(here: Living) -> Artist:
    return await artist(here, 20)


@asynccontextmanager
async def stream(
    url: str, id_: str, headers: dict[str, str], **query: str
) -> AsyncIterator[httpx.Response]:
    async with (
        httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as client,
        client.stream("GET", f"/mma/stream/{id_}", headers=headers, params=query) as response,
    ):
        yield response


async def lines(response: httpx.Response, most: int = 1_000) -> list[Line]:
    """What is told until the server ends it, or until there are so many."""
    found: list[Line] = []
    said: dict[str, str] = {}
    async with asyncio.timeout(PATIENCE_S):
        async for line in response.aiter_lines():
            name, _, value = line.partition(": ")
            if name in ("event", "id", "data"):
                said[name] = value
            elif not line and said:
                found.append(Line(said["id"], said["event"], orjson.loads(said["data"])))
                said = {}
                if len(found) == most:
                    break
    return found


async def all_of(url: str, id_: str, ada: Artist, **query: str) -> list[Line]:
    async with stream(url, id_, ada.caller.headers, **query) as response:
        assert response.status_code == 200
        return await lines(response)


async def test_it_tells_all_from_the_first_line_and_ends_with_the_picture(
    ada: Artist, here: Living, url: str
) -> None:
    id_ = await ada.begun()
    async with stream(url, id_, ada.caller.headers) as response:
        (first,) = await lines(response, 1)
        assert (first.kind, first.data["status"]) == ("status", "queued")
    listening_ = asyncio.create_task(all_of(url, id_, ada))
    await ada.tell(id_, "Finding the right words for it.")
    await ada.delivered(id_)
    told = await listening_
    assert [line.kind for line in told].count("done") == 1 and told[-1].kind == "done"
    assert told[-1].data["output_url"].startswith("http://assets.test/")
    texts = [line.data["text"] for line in told if line.kind == "message"]
    assert texts == list((await ada.generation(id_)).messages)
    assert [line.data["status"] for line in told if line.kind == "status"] == [
        "queued",
        "prompting",
        "generating",
    ]
    assert {line.data["generation_id"] for line in told} == {id_}
    assert await all_of(url, id_, ada) == told


async def test_whoever_comes_back_hears_exactly_what_is_missing(ada: Artist, url: str) -> None:
    """From every place, by header and by query; after the end there is nothing to come for."""
    id_ = await ada.still()
    told = await all_of(url, id_, ada)
    for place, line in enumerate(told[:-1]):
        assert await all_of(url, id_, ada, last_event_id=line.id) == told[place + 1 :]
        again = {**ada.caller.headers, "Last-Event-ID": line.id}
        async with stream(url, id_, again, last_event_id=told[0].id) as response:
            assert await lines(response) == told[place + 1 :]
    async with stream(url, id_, {**ada.caller.headers, "Last-Event-ID": told[-1].id}) as response:
        assert response.status_code == 204
    assert await all_of(url, id_, ada, last_event_id="nonsense") == told


async def test_a_line_cut_while_it_is_written_loses_and_repeats_nothing(
    ada: Artist, url: str
) -> None:
    id_ = await ada.begun()
    writing = asyncio.create_task(write(ada, id_, 30))
    found: list[Line] = []
    while not found or found[-1].kind != "done":
        query = {"last_event_id": found[-1].id} if found else {}
        async with stream(url, id_, ada.caller.headers, **query) as response:
            found += await lines(response, 4)
    await writing
    history = await ada.here.parts.ledger.history([f"generation:{id_}"])
    assert [line.id for line in found] == [str(each.position) for each in lines_of(history)]


async def write(ada: Artist, id_: str, count: int) -> None:
    for number in range(count):
        await ada.tell(id_, f"Line {number}.")
    await ada.delivered(id_)


@pytest.mark.parametrize("end", ["fail", "cancel"])
async def test_a_failed_or_cancelled_one_ends_too(ada: Artist, url: str, end: str) -> None:
    id_ = await ada.begun()
    listening_ = asyncio.create_task(all_of(url, id_, ada))
    if end == "fail":
        await ada.fail(id_)
    else:
        await ada.post(f"/mma/generations/{id_}/cancel")
    last = (await listening_)[-1]
    code = {"fail": "PROVIDER_FAILED", "cancel": "CANCELLED"}[end]
    assert (last.kind, last.data["code"]) == ("failed", code)


async def test_many_follow_the_same_one(ada: Artist, url: str) -> None:
    """More than may listen to all that their pass is told."""
    id_ = await ada.begun()
    many = [asyncio.create_task(all_of(url, id_, ada)) for _ in range(30)]
    await ada.delivered(id_)
    found = await asyncio.gather(*many)
    assert all(told == found[0] and told[-1].kind == "done" for told in found)


async def test_who_is_let_in(ada: Artist, here: Living, url: str) -> None:
    id_ = await ada.still()
    bob = await artist(here)
    async with stream(url, id_, {}) as response:
        assert response.status_code == 401
    async with stream(url, id_, bob.caller.headers) as response:
        assert response.status_code == 404
    token = (await ada.post("/auth/socket-token")).json()["token"]
    for status in (200, 401):  # it is good once
        async with stream(url, id_, {}, token=token) as response:
            assert response.status_code == status


async def test_the_events_of_a_pass_tell_the_same_under_the_same_ids(
    ada: Artist, here: Living, url: str
) -> None:
    start = str(await here.position())
    id_ = await ada.still()
    told = await all_of(url, id_, ada)
    async with listening("sse", url, ada.caller.headers, last_event_id=start) as listener:
        said: list[Line] = []
        while len(said) < len(told):
            (envelope,) = await heard(listener, 1)
            if envelope["type"] == "generation:message":
                said.append(Line(envelope["id"], envelope["data"]["kind"], envelope["data"]))
    assert said == told


async def test_no_text_lies_open_in_the_feed_and_none_outlives_its_key(
    ada: Artist, here: Living, url: str
) -> None:
    id_ = await ada.begun()
    await ada.tell(id_, "A secret of Ada's.")
    await here.shown()
    rows = await here.parts.reader.rows("SELECT data::text FROM views.feed")
    assert not [data for (data,) in rows if "secret of Ada" in data]
    await here.parts.ledger.vault.erase(ada.caller.pass_id)
    async with stream(url, id_, ada.caller.headers) as response:
        texts = [line.data.get("text") for line in await lines(response, 3)]
    assert "[erased]" in texts


async def test_after_a_merge_it_is_followed_under_the_new_name(
    ada: Artist, here: Living, url: str
) -> None:
    bob = await artist(here, 2)
    id_ = await bob.begun()
    listening_ = asyncio.create_task(all_of(url, id_, bob))
    identity = f"eip155:{bob.caller.wallet}"
    await here.do(
        Identify(identity=identity, new_pass_id=bob.caller.pass_id, current=ada.caller.pass_id)
    )
    await ada.delivered(id_)
    told = await listening_
    assert told[-1].kind == "done" and told == await all_of(url, id_, ada)
