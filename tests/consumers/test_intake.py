"""A message has effect once, in order per key, and what fails holds up nobody but its own key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from consumers.intake import Handler, Intake
from consumers.message import Message
from consumers.producer import Publisher
from consumers.topics import CHAIN_RESULTS, PROVIDER_RESULTS
from domain.order_events import order_stream
from ledger.ledger import Ledger
from tests.consumers.parking import parked, replay
from tests.consumers.steps import Steps
from tests.consumers.topic_reading import by_key, raw_producer, read_topics
from tests.waiting import eventually
from tests.world import Database

GROUP = "intake-under-test"


@pytest.fixture
def steps(ledger: Ledger) -> Steps:
    return Steps(ledger)


@asynccontextmanager
async def taking_in(
    database: Database, kafka: str, prefix: str, handler: Handler, *, hints: bool = False
) -> AsyncIterator[Intake]:
    topics = {CHAIN_RESULTS: handler, PROVIDER_RESULTS: handler}
    intake = Intake([kafka], prefix, GROUP, topics, database.url, hints=hints)
    running = asyncio.create_task(intake.run())
    try:
        yield intake
    finally:
        intake.stop()
        await asyncio.wait_for(running, 15)


@asynccontextmanager
async def publishing(kafka: str, prefix: str) -> AsyncIterator[Callable[..., Any]]:
    """`publish(key, step)`, its id made of both."""
    publisher = Publisher([kafka], prefix)

    async def publish(key: str, step: str, topic: str = CHAIN_RESULTS) -> None:
        await publisher.publish(topic, key, {"step": step}, message_id=f"{key}:{step}")

    try:
        yield publish
    finally:
        await publisher.close()


async def soon(question: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(eventually, question, 60.0)


def recorded(database: Database, key: str) -> list[str]:
    """The steps of an order, as the ledger has them."""
    with psycopg.connect(database.url) as connection:
        rows = connection.execute(
            "SELECT event->'data'->>'step' FROM mega_generations"
            " WHERE originator_id = %s ORDER BY originator_version",
            (order_stream(key),),
        ).fetchall()
    return [step for (step,) in rows]


async def waiting(database: Database) -> list[dict[str, Any]]:
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as connection:
        return await parked(connection)


def unread(kafka: str, prefix: str, *, rewind: bool = False) -> int:
    """Messages that the group has not committed; `rewind` puts it back to the beginning first."""
    consumer = KafkaConsumer(
        bootstrap_servers=kafka,
        group_id=prefix + GROUP,
        enable_auto_commit=False,
        metrics_enabled=False,
    )
    try:
        places = [
            TopicPartition(prefix + topic, part)
            for topic in (CHAIN_RESULTS, PROVIDER_RESULTS)
            for part in consumer.partitions_for_topic(prefix + topic) or ()
        ]
        consumer.assign(places)
        if rewind:
            consumer.commit({place: OffsetAndMetadata(0, "", -1) for place in places})
        ends = consumer.end_offsets(places)
        return sum(ends[place] - (consumer.committed(place) or 0) for place in places)
    finally:
        consumer.close(autocommit=False)


async def test_messages_take_effect_in_the_order_of_their_key(
    database: Database, kafka: str, topic_prefix: str, steps: Steps
) -> None:
    wanted = [f"step {number}" for number in range(10)]
    async with (
        publishing(kafka, topic_prefix) as publish,
        taking_in(database, kafka, topic_prefix, steps.take),
    ):
        for step in wanted:
            for key in ("a", "b", "c", "d"):
                await publish(key, step)
        await soon(lambda: all(recorded(database, key) == wanted for key in "abcd"))
        await soon(lambda: unread(kafka, topic_prefix) == 0)


async def test_a_message_published_twice_takes_effect_once(
    database: Database, kafka: str, topic_prefix: str, steps: Steps
) -> None:
    async with (
        publishing(kafka, topic_prefix) as publish,
        taking_in(database, kafka, topic_prefix, steps.take),
    ):
        for step in ("one", "one", "two", "one", "two"):
            await publish("a", step)
        await soon(lambda: len(steps.calls) == 5)
        await soon(lambda: unread(kafka, topic_prefix) == 0)
    assert recorded(database, "a") == ["one", "two"]


async def test_rewound_offsets_take_effect_once(
    database: Database, kafka: str, topic_prefix: str, steps: Steps
) -> None:
    async with publishing(kafka, topic_prefix) as publish:
        for step in ("one", "two", "three"):
            await publish("a", step)
            await publish("b", step, topic=PROVIDER_RESULTS)
    for rewind in (False, True):
        assert unread(kafka, topic_prefix, rewind=rewind) == 6
        async with taking_in(database, kafka, topic_prefix, steps.take):
            await soon(lambda: unread(kafka, topic_prefix) == 0)
    assert len(steps.calls) == 12
    assert recorded(database, "a") == recorded(database, "b") == ["one", "two", "three"]


async def test_a_reader_that_dies_before_its_commit_leaves_the_message_to_the_next(
    database: Database, kafka: str, topic_prefix: str, steps: Steps
) -> None:
    async def take_and_die(message: Message) -> None:
        await steps.take(message)
        raise asyncio.CancelledError

    async with publishing(kafka, topic_prefix) as publish:
        await publish("a", "one")
    first = Intake([kafka], topic_prefix, GROUP, {CHAIN_RESULTS: take_and_die}, database.url)
    with pytest.raises(asyncio.CancelledError):
        await first.run()
    assert unread(kafka, topic_prefix) == 1
    async with taking_in(database, kafka, topic_prefix, steps.take):
        await soon(lambda: unread(kafka, topic_prefix) == 0)
    assert (steps.calls, recorded(database, "a")) == (["one", "one"], ["one"])


async def test_what_passes_by_itself_is_waited_for(
    database: Database, kafka: str, topic_prefix: str, steps: Steps
) -> None:
    steps.outages["two"] = 3
    async with (
        publishing(kafka, topic_prefix) as publish,
        taking_in(database, kafka, topic_prefix, steps.take),
    ):
        for step in ("one", "two", "three"):
            await publish("a", step)
        await soon(lambda: recorded(database, "a") == ["one", "two", "three"])
    assert steps.calls.count("two") == 4
    assert await waiting(database) == []


async def test_a_failing_message_holds_up_its_key_alone_and_a_replay_keeps_the_order(
    database: Database, kafka: str, topic_prefix: str, steps: Steps
) -> None:
    steps.broken.add("two")
    async with (
        publishing(kafka, topic_prefix) as publish,
        taking_in(database, kafka, topic_prefix, steps.take),
    ):
        for step in ("one", "two", "three"):
            await publish("a", step)
            await publish("b", f"other {step}")
        await soon(lambda: len(recorded(database, "b")) == 3)
        await soon(lambda: unread(kafka, topic_prefix) == 0)
        found = [(each["stream"], each["error"]) for each in await waiting(database)]
        assert found == [("a", "KeyError: 'nobody thought of two'"), ("a", None)]
        assert recorded(database, "a") == ["one"]

        await ask_again(database, "a")
        await soon(lambda: steps.calls.count("two") == 2)
        await soon(lambda: notice_count(kafka, topic_prefix) == 2)
        assert recorded(database, "a") == ["one"]

        steps.broken.clear()
        await ask_again(database, "a")
        await publish("a", "four")
        await soon(lambda: recorded(database, "a") == ["one", "two", "three", "four"])
    assert await waiting(database) == []
    notice = by_key(read_topics(kafka, topic_prefix))[f"{topic_prefix}mega.parked", "a"][0].value
    assert notice["reader"] == GROUP
    assert notice["origin"].startswith("chain.results/")
    assert "nobody thought of two" in notice["error"]


async def test_a_hint_that_fails_holds_up_no_other(
    database: Database, kafka: str, topic_prefix: str, steps: Steps
) -> None:
    steps.broken.add("two")
    async with (
        publishing(kafka, topic_prefix) as publish,
        taking_in(database, kafka, topic_prefix, steps.take, hints=True),
    ):
        for step in ("one", "two", "three"):
            await publish("a", step)
        await soon(lambda: recorded(database, "a") == ["one", "three"])
        await soon(lambda: unread(kafka, topic_prefix) == 0)
        assert [each["stream"] for each in await waiting(database)] == ["a"]

        steps.broken.clear()
        await ask_again(database, "a")
        await soon(lambda: recorded(database, "a") == ["one", "three", "two"])
    assert await waiting(database) == []


UNREADABLE = {
    "not JSON": b"{",
    "not an object": b"[1, 2]",
    "nothing": None,
    "not UTF-8": b'{"step": "\xff"}',
    "too deep": b"[" * 100_000,
    "without a step": b"{}",
    "a step no database takes": b'{"step": "\\u0000"}',
}


async def test_rubbish_is_parked_and_the_others_flow(
    database: Database, kafka: str, topic_prefix: str, steps: Steps
) -> None:
    async with (
        publishing(kafka, topic_prefix) as publish,
        taking_in(database, kafka, topic_prefix, steps.take),
    ):
        await publish("a", "one")
        with raw_producer(kafka) as producer:
            for name, value in UNREADABLE.items():
                producer.send(f"{topic_prefix}chain.results", key=name.encode(), value=value)
            producer.send(f"{topic_prefix}chain.results", key=b"\xfe\x00", value=b'{"step": "x"}')
            producer.send(f"{topic_prefix}chain.results", value=b'{"step": "no key"}')
            producer.send(
                f"{topic_prefix}chain.results",
                key=b"strange id",
                value=b'{"step": "x"}',
                headers=[("ce_id", b"\xff"), ("ce_id", b"\xfe")],
            )
        await publish("a", "two")
        await soon(lambda: recorded(database, "a") == ["one", "two"])
        await soon(lambda: unread(kafka, topic_prefix) == 0)
    keys = {each["stream"] for each in await waiting(database)}
    assert keys == {*UNREADABLE, "\\376\\000", "strange id"}


async def test_two_readers_share_the_work_and_nothing_happens_twice(
    database: Database, kafka: str, topic_prefix: str, steps: Steps
) -> None:
    async with (
        publishing(kafka, topic_prefix) as publish,
        taking_in(database, kafka, topic_prefix, steps.take),
    ):
        keys = [f"k{number}" for number in range(12)]
        for key in keys:
            await publish(key, "one")
        async with taking_in(database, kafka, topic_prefix, steps.take):
            for key in keys:
                await publish(key, "two")
            await soon(lambda: all(recorded(database, key) == ["one", "two"] for key in keys))
        for key in keys:
            await publish(key, "three")
        await soon(lambda: all(len(recorded(database, key)) == 3 for key in keys))


async def ask_again(database: Database, key: str) -> None:
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as connection:
        assert await replay(connection, key) == 1


def notice_count(kafka: str, prefix: str) -> int:
    return sum(message.topic == f"{prefix}mega.parked" for message in read_topics(kafka, prefix))
