"""Every event of the ledger is on its topic, in the order of its stream, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from consumers.relay import Relay
from ledger.ledger import Ledger
from tests.consumers.filling import (
    assert_topics_equal_the_ledger,
    cursor,
    fill,
    head,
    metadata,
)
from tests.consumers.parking import parked, replay
from tests.consumers.topic_reading import Read, by_key, first_ids, read_topics
from tests.waiting import eventually
from tests.world import Child, Database, TestWorld

Spawn = Callable[..., Child]


async def soon(question: Callable[[], Any], within_s: float = 60.0) -> Any:
    """`eventually`, while this test's own event loop goes on."""
    return await asyncio.to_thread(eventually, question, within_s)


@asynccontextmanager
async def relaying(
    database: Database, ledger: Ledger, kafka: str, prefix: str
) -> AsyncIterator[Relay]:
    relay = Relay(database.url, ledger, [kafka], prefix)
    running = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        relay.stop()
        await asyncio.wait_for(running, 15)


def caught_up(database: Database) -> Callable[[], bool]:
    return lambda: cursor(database) == head(database)


async def test_topics_show_the_ledger_and_nothing_of_claims(
    database: Database, ledger: Ledger, kafka: str, topic_prefix: str
) -> None:
    async with relaying(database, ledger, kafka, topic_prefix):
        await fill(ledger, [f"{n}" for n in range(20)])
        await soon(caught_up(database))
    messages = assert_topics_equal_the_ledger(kafka, topic_prefix, database)
    assert len(messages) == len({message.id for message in messages}) == 20 * 9
    assert not [message for message in messages if message.key.startswith("claim:")]


async def test_a_stream_stays_in_one_partition_and_streams_spread(
    database: Database, ledger: Ledger, kafka: str, topic_prefix: str
) -> None:
    await fill(ledger, [f"{n}" for n in range(30)])
    async with relaying(database, ledger, kafka, topic_prefix):
        await soon(caught_up(database))
    lanes = by_key(read_topics(kafka, topic_prefix))
    assert all(len({message.partition for message in lane}) == 1 for lane in lanes.values())
    assert {message.partition for lane in lanes.values() for message in lane} == {0, 1, 2}


async def test_with_kafka_stopped_appends_go_on_and_all_arrives_later(
    world: TestWorld, database: Database, ledger: Ledger, kafka: str, topic_prefix: str
) -> None:
    async with relaying(database, ledger, kafka, topic_prefix):
        await fill(ledger, [f"before {n}" for n in range(10)])
        await soon(caught_up(database))
        await asyncio.to_thread(lambda: world.run(world.keeper("kafka").stop()))
        try:
            await fill(ledger, [f"during {n}" for n in range(10)])
            await fill(ledger, [f"later {n}" for n in range(10)])
            assert cursor(database) < head(database)
        finally:
            await asyncio.to_thread(lambda: world.run(world.keeper("kafka").start()))
        await soon(caught_up(database))
    assert_topics_equal_the_ledger(kafka, topic_prefix, database)


async def test_a_relay_that_starts_without_kafka_begins_when_it_is_there(
    world: TestWorld, database: Database, ledger: Ledger, kafka: str, topic_prefix: str
) -> None:
    await asyncio.to_thread(lambda: world.run(world.keeper("kafka").stop()))
    restarted = False
    try:
        async with relaying(database, ledger, kafka, topic_prefix):
            await fill(ledger, ["early"])
            await asyncio.to_thread(lambda: world.run(world.keeper("kafka").start()))
            restarted = True
            await soon(caught_up(database))
    finally:
        if not restarted:
            await asyncio.to_thread(lambda: world.run(world.keeper("kafka").start()))
    assert_topics_equal_the_ledger(kafka, topic_prefix, database)


async def test_a_relay_stops_soon_while_kafka_is_away(
    world: TestWorld, database: Database, ledger: Ledger, kafka: str, topic_prefix: str
) -> None:
    relay = Relay(database.url, ledger, [kafka], topic_prefix)
    running = asyncio.create_task(relay.run())
    await soon(lambda: relay.leads)
    await asyncio.to_thread(lambda: world.run(world.keeper("kafka").stop()))
    try:
        await fill(ledger, ["unsent"])
        relay.stop()
        await asyncio.wait_for(running, 15)
    finally:
        await asyncio.to_thread(lambda: world.run(world.keeper("kafka").start()))


async def test_a_relay_killed_in_the_middle_loses_and_disorders_nothing(
    database: Database, ledger: Ledger, kafka: str, topic_prefix: str, spawn: Spawn
) -> None:
    await fill(ledger, [f"{n}" for n in range(400)], length=15)
    env = {
        "DATABASE_URL": database.url,
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "MEGA_TOPIC_PREFIX": topic_prefix,
    }
    for stage in (1, 3_000, 7_000):
        relay = spawn("tests.consumers.relay_alone", env=env)
        await soon(lambda least=stage: cursor(database) >= least)
        relay.kill()
        assert cursor(database) < head(database)
    last = spawn("tests.consumers.relay_alone", env=env)
    await soon(caught_up(database))
    assert last.stop() == 0, last.log.read_text()
    assert_topics_equal_the_ledger(kafka, topic_prefix, database)


async def test_of_two_relays_one_leads_and_the_other_takes_over(
    database: Database, ledger: Ledger, kafka: str, topic_prefix: str
) -> None:
    async with (
        relaying(database, ledger, kafka, topic_prefix) as second,
        relaying(database, ledger, kafka, topic_prefix) as first,
    ):
        await soon(lambda: first.leads or second.leads)
        await fill(ledger, [f"{n}" for n in range(20)])
        await soon(caught_up(database))
        assert first.leads != second.leads
        leader, other = (first, second) if first.leads else (second, first)
        leader.stop()
        await soon(lambda: other.leads)
        await fill(ledger, [f"more {n}" for n in range(20)])
        await soon(caught_up(database))
    messages = assert_topics_equal_the_ledger(kafka, topic_prefix, database)
    assert len(messages) == len({message.id for message in messages})


async def test_a_leader_cut_off_from_the_database_starts_again(
    database: Database, ledger: Ledger, kafka: str, topic_prefix: str
) -> None:
    async with relaying(database, ledger, kafka, topic_prefix) as relay:
        await soon(lambda: relay.leads)
        await fill(ledger, ["a"])
        await soon(caught_up(database))
        cut_off_whoever_holds_an_advisory_lock(database)
        await fill(ledger, ["b"])
        await soon(caught_up(database))
    assert_topics_equal_the_ledger(kafka, topic_prefix, database)


async def test_an_unknown_event_holds_up_its_stream_alone_until_it_is_known(
    database: Database, ledger: Ledger, kafka: str, topic_prefix: str, spawn: Spawn
) -> None:
    async with relaying(database, ledger, kafka, topic_prefix):
        await fill(ledger, ["x", "y"], length=1)
        append_dream(database, "order:x", version=2)
        append_step(database, "order:x", version=3)
        append_step(database, "order:y", version=2)
        await soon(caught_up(database))
        waiting = await listed(database)
        assert [(each["origin"], each["error"] is None) for each in waiting] == [
            ("order:x/2", False),
            ("order:x/3", True),
        ]
        assert "UnknownTopic" in waiting[0]["error"]
    messages = read_topics(kafka, topic_prefix)
    lanes = by_key(messages)
    assert first_ids(lanes[f"{topic_prefix}mega.order", "order:x"]) == ["order:x/1"]
    assert first_ids(lanes[f"{topic_prefix}mega.order", "order:y"]) == ["order:y/1", "order:y/2"]
    notice = lanes[f"{topic_prefix}mega.parked", "order:x"][0].value
    assert (notice["origin"], notice["reader"]) == ("order:x/2", "relay")
    assert "UnknownTopic" in notice["error"]

    env = {
        "DATABASE_URL": database.url,
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "MEGA_TOPIC_PREFIX": topic_prefix,
    }
    newer = spawn("tests.consumers.relay_alone", "tests.consumers.dreams", env=env)
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as connection:
        assert await replay(connection, "order:x") == 1
    await soon(lambda: unpublished(database) == 0)
    append_step(database, "order:x", version=4)
    await soon(caught_up(database))
    assert newer.stop() == 0
    assert_topics_equal_the_ledger(kafka, topic_prefix, database)


async def test_a_replay_that_fails_again_keeps_the_stream_waiting(
    database: Database, ledger: Ledger, kafka: str, topic_prefix: str
) -> None:
    async with relaying(database, ledger, kafka, topic_prefix):
        append_dream(database, "order:x", version=1)
        append_step(database, "order:x", version=2)
        await soon(caught_up(database))
        async with await psycopg.AsyncConnection.connect(
            database.url, autocommit=True
        ) as connection:
            await replay(connection)
        await soon(lambda: notices(kafka, topic_prefix) == 2)
        assert [each["replay"] for each in await listed(database)] == [False, False]


def notices(kafka: str, prefix: str) -> int:
    def about_parked(message: Read) -> bool:
        return message.topic == f"{prefix}mega.parked"

    return len(list(filter(about_parked, read_topics(kafka, prefix))))


def unpublished(database: Database) -> int:
    with psycopg.connect(database.url) as connection:
        row = connection.execute("SELECT count(*) FROM consumers.unpublished").fetchone()
    assert row is not None
    return int(row[0])


async def listed(database: Database) -> list[dict[str, Any]]:
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as connection:
        return await parked(connection)


def append_dream(database: Database, stream: str, *, version: int) -> None:
    data = f'{{"order_id": "{stream[6:]}", "character_id": "c", "dream": "sheep"}}'
    append_raw(database, stream, version, "order_dreamt.v1", data)


def append_step(database: Database, stream: str, *, version: int) -> None:
    data = f'{{"order_id": "{stream[6:]}", "character_id": "c", "step": null}}'
    append_raw(database, stream, version, "wallet_step_shown.v1", data)


def append_raw(database: Database, stream: str, version: int, topic: str, data: str) -> None:
    """An append by the database's own function, as another version of the program would make."""
    facts = psycopg.types.json.Jsonb(metadata("pass:user:raw"))
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "SELECT mega_append(ARRAY[0], ARRAY[%s], ARRAY[%s]::bigint[], ARRAY[%s],"
            " ARRAY[jsonb_build_object('data', %s::jsonb, 'metadata', %s::jsonb)])",
            (stream, version, topic, data, facts),
        )


def cut_off_whoever_holds_an_advisory_lock(database: Database) -> None:
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks"
            " WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
