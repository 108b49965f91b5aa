"""Live events: each once and in order, whoever comes and goes, however slowly they read (I-45)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from api.live.messages import Message
from api.live.subscription import QUEUE_MAX, Place, Subscription
from api.principal import Principal
from commands.passes import Identify
from projections.feed import RESUMABLE
from tests.api.listening import (
    TRANSPORTS,
    Envelope,
    Refusal,
    Socket,
    Transport,
    ended,
    feed_of,
    granted,
    heard,
    ids,
    listening,
    small_socket,
)
from tests.api.living import Caller, Living, living, served
from tests.world import TestWorld

visits = some.lists(
    some.tuples(some.sampled_from(TRANSPORTS), some.integers(0, 9)), min_size=1, max_size=5
)


@pytest.fixture(scope="module")
async def url(here: Living) -> AsyncIterator[str]:
    async with served(here.app) as base:
        yield base


async def write(here: Living, passes: list[str], rounds: int) -> None:
    """Everybody's credits change, a few times each round."""
    for _ in range(rounds):
        for pass_id in passes:
            await granted(here.parts.ledger, pass_id, 3)


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(stays=visits)
async def test_whoever_comes_back_hears_exactly_what_is_missing(
    here: Living, url: str, stays: list[tuple[Transport, int]]
) -> None:
    """While it is being written, over both transports, and nothing of another pass."""
    ada, bob = await here.caller(), await here.caller()
    start = last = await here.position()
    writing = asyncio.create_task(write(here, [ada.pass_id, bob.pass_id], 12))
    found: list[Envelope] = []
    for transport, count in [*stays, ("ws", 36)]:
        wanted = min(count, 36 - len(found))
        async with listening(transport, url, ada.headers, last_event_id=str(last)) as listener:
            found += await heard(listener, wanted)
        last = int(found[-1]["id"]) if found else last
    await writing
    assert ids(found) == await feed_of(here, [ada.pass_id], start)
    assert {envelope["pass_id"] for envelope in found} == {ada.pass_id}
    assert [envelope["data"]["balance"] for envelope in found] == list(range(1, 37))


async def test_both_transports_say_the_same_under_the_same_ids(
    here: Living, url: str, ada: Caller
) -> None:
    start = str(await here.position())
    async with (
        listening("ws", url, {**ada.headers, "Last-Event-ID": start}) as socket,
        listening("sse", url, {**ada.headers, "Last-Event-ID": start}) as stream,
    ):
        order = await ada.order()
        await here.pay(order["order_id"], ada.wallet)
        await here.draw(order["character_id"])
        over_socket, over_stream = await heard(socket, 2), await heard(stream, 2)
    assert over_socket == over_stream
    assert [each["data"]["mint_ui_state"] for each in over_socket] == ["generating", "done"]
    assert {each["type"] for each in over_socket} == {"mint:state_changed"}
    assert over_socket[0].keys() == {"id", "type", "time", "pass_id", "data"}


async def test_the_header_counts_more_than_the_query(here: Living, url: str, ada: Caller) -> None:
    start = await here.position()
    await granted(here.parts.ledger, ada.pass_id, 3)
    _, second, third = await feed_of(here, [ada.pass_id], start)
    newer = {**ada.headers, "Last-Event-ID": second}
    for transport in TRANSPORTS:
        async with listening(transport, url, newer, last_event_id=str(start)) as listener:
            assert ids(await heard(listener, 1)) == [third]


async def test_a_place_that_the_feed_has_yet_to_reach_is_waited_for(here: Living) -> None:
    """Such as the position that a command was answered with."""
    hub, who = here.parts.live, Principal("pass:user:ada", ("pass:user:ada",), frozenset(), "", 0)
    at, tally = hub.position, here.parts.meters.live.tally("ws")
    one = Subscription(hub, who, Place(at, at + 2), tally, cut=lambda: None)
    for position in range(at + 1, at + 5):
        one.offer(Message(position, "{}"))
    told = one.told()
    assert [(await anext(told)).position for _ in range(2)] == [at + 3, at + 4]


async def test_everybody_who_joins_while_it_is_written_hears_all_of_it(
    here: Living, url: str, ada: Caller
) -> None:
    start = await here.position()
    writing = asyncio.create_task(write(here, [ada.pass_id], 25))

    async def joined(number: int) -> list[str]:
        await feed_of(here, [ada.pass_id])  # later, the higher the number
        transport = TRANSPORTS[number % 2]
        async with listening(transport, url, ada.headers, last_event_id=str(start)) as listener:
            return ids(await heard(listener, 75))

    found = await asyncio.gather(*[joined(number) for number in range(8)])
    await writing
    expected = await feed_of(here, [ada.pass_id], start)
    assert len(expected) == 75 and all(each == expected for each in found)


async def test_a_slow_reader_delays_nobody_and_misses_nothing(
    here: Living, url: str, ada: Caller
) -> None:
    """It reads nothing until the others have heard everything, far more than its queue holds."""
    start, count = str(await here.position()), 12 * QUEUE_MAX
    async with (
        small_socket(url) as small,
        listening("ws", url, ada.headers, sock=small) as slow,
        listening("ws", url, ada.headers) as socket,
        listening("sse", url, ada.headers) as stream,
    ):
        before = await metric(here, "mega_live_catch_ups_total", "ws")
        hearing = [asyncio.create_task(heard(each, count)) for each in (socket, stream)]
        for _ in range(12):
            await granted(here.parts.ledger, ada.pass_id, QUEUE_MAX)
        others = await asyncio.gather(*hearing)
        assert await metric(here, "mega_live_catch_ups_total", "ws") > before
        late = await heard(slow, count)
    assert [ids(each) for each in others] == [ids(late)] * 2
    assert ids(late) == await feed_of(here, [ada.pass_id], int(start))


async def test_one_who_reads_nothing_at_all_is_cut_off(here: Living, url: str, ada: Caller) -> None:
    hub, cut_offs = here.parts.live, await metric(here, "mega_live_cut_offs_total", "stalled")
    usual, hub.bounds = hub.bounds, replace(hub.bounds, stall_s=0.2)
    try:
        async with small_socket(url) as small:
            asked = f"GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ada.token}"
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(small, f"{asked}\r\n\r\n".encode())
            assert await loop.sock_recv(small, 12) == b"HTTP/1.1 200"
            async with asyncio.timeout(20):
                while await metric(here, "mega_live_connections", "sse"):
                    await granted(here.parts.ledger, ada.pass_id, 4 * QUEUE_MAX)
    finally:
        hub.bounds = usual
    assert await metric(here, "mega_live_cut_offs_total", "stalled") == cut_offs + 1


async def metric(here: Living, name: str, label: str) -> float:
    """The value of a metric with this label, 0 before there is one."""
    text = (await here.nobody().get("/metrics")).text
    lines = [line for line in text.splitlines() if line.startswith(f"{name}{{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines if f'"{label}"' in line)


@pytest.mark.parametrize("bad", ["abc", "0", "-1", "٣", "007", "9" * 18, "9" * 40])
async def test_an_id_that_leads_nowhere_starts_afresh(
    here: Living, url: str, ada: Caller, bad: str
) -> None:
    order = await ada.order()
    await granted(here.parts.ledger, ada.pass_id, 2)
    shown = await feed_of(here, [ada.pass_id])
    for transport in TRANSPORTS:
        async with listening(transport, url, ada.headers, last_event_id=bad) as listener:
            reset, snapshot = await heard(listener, 2)
            place = snapshot["id"]
        assert (reset["type"], reset["id"]) == ("reset", "0")
        assert snapshot["type"] == "snapshot" and int(place) >= int(shown[-1])
        (card,) = snapshot["data"]["characters"]
        assert (card["character_id"], card["mint_ui_state"]) == (order["character_id"], "new")
        assert snapshot["data"]["batches"] == []
        balance = snapshot["data"]["credits"][0]["balance"]
        await granted(here.parts.ledger, ada.pass_id, 1)
        async with listening(transport, url, ada.headers, last_event_id=place) as listener:
            (told,) = await heard(listener, 1)
        assert told["data"] == {"asset": "PFP", "balance": balance + 1, "delta": 1}


async def test_an_id_older_than_a_day_starts_afresh(world: TestWorld) -> None:
    with world.database() as database:
        async with living(world, database) as here, served(here.app) as url:
            ada = await here.caller()
            await granted(here.parts.ledger, ada.pass_id, 2)
            first, second = await feed_of(here, [ada.pass_id])
            for transport in TRANSPORTS:
                async with listening(transport, url, ada.headers, last_event_id=first) as listener:
                    assert ids(await heard(listener, 1)) == [second]
            await here.parts.clock.advance(RESUMABLE + timedelta(minutes=1))
            for transport in TRANSPORTS:
                async with listening(transport, url, ada.headers, last_event_id=second) as listener:
                    told = await heard(listener, 2)
                assert [each["type"] for each in told] == ["reset", "snapshot"]
                assert told[0]["data"] == {"reason": "too_old"}


async def test_a_pass_that_is_merged_starts_afresh_with_all_that_is_its_own(
    here: Living, url: str
) -> None:
    older, younger = await here.caller(), await here.caller()
    await granted(here.parts.ledger, older.pass_id, 1)
    async with listening("ws", url, younger.headers) as listener:
        joined: dict[str, Any] = {"identity": f"eip155:{younger.wallet}"}
        pass_ids = {"new_pass_id": younger.pass_id, "current": older.pass_id}
        await here.do(Identify(**joined, **pass_ids))
        reset, snapshot = await heard(listener, 2)
        assert (reset["data"], snapshot["pass_id"]) == ({"reason": "merged"}, older.pass_id)
        assert snapshot["data"]["credits"] == [{"asset": "PFP", "balance": 1}]
        await granted(here.parts.ledger, older.pass_id, 1)
        (told,) = await heard(listener, 1)
        assert (told["pass_id"], told["data"]["balance"]) == (older.pass_id, 2)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_pass_listens_with_a_bounded_number_of_connections(
    here: Living, url: str, ada: Caller, transport: Transport
) -> None:
    hub = here.parts.live
    usual, hub.bounds = hub.bounds, replace(hub.bounds, per_pass=1)
    try:
        async with listening("ws", url, ada.headers) as first:
            with pytest.raises(Refusal) as no:
                async with listening(transport, url, ada.headers):
                    pass
            assert (no.value.status, no.value.body["code"]) == (429, "RATE_LIMITED")
            async with listening(transport, url, (await here.caller()).headers):
                pass
            await granted(here.parts.ledger, ada.pass_id, 1)
            assert await heard(first, 1)
    finally:
        hub.bounds = usual


@pytest.mark.parametrize("said", ["x" * 5_000, "{}"])
async def test_a_client_that_floods_or_sends_big_frames_is_closed(
    here: Living, url: str, ada: Caller, said: str
) -> None:
    async with listening("ws", url, ada.headers) as listener:
        assert isinstance(listener, Socket)
        connection = listener.connection
        await granted(here.parts.ledger, ada.pass_id, 1)
        await connection.send("{}")
        assert await heard(listener, 1), "what it says is ignored"
        for _ in range(100):
            await connection.send(said)
        assert await ended(listener)
        assert connection.close_code == (1009 if len(said) > 4_096 else 1008)
