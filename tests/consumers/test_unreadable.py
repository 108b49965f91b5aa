"""What cannot be decoded is parked at its place, and whatever stands around it is taken."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from consumers.intake import Intake
from consumers.message import KEY_BYTES_MAX, Message
from consumers.tally_rebuild import TallyRebuild
from consumers.topics import CHAIN_RESULTS
from projections.topic_catalog import topic_projections
from tests.consumers.parking import replay
from tests.consumers.raw_batches import ODD, batch, in_snappy, send_batch
from tests.consumers.topic_reading import read_topics
from tests.consumers.trading import Exchange, badge, soon, trade
from tests.world import Database

GROUP = "intake-under-test"


@pytest.fixture
def exchange(database: Database, kafka: str, topic_prefix: str) -> Exchange:
    return Exchange(database, kafka, topic_prefix)


def told(exchange: Exchange) -> set[tuple[str, str]]:
    """Reader and origin of every notice."""
    found = read_topics(exchange.kafka, f"{exchange.prefix}mega.parked")
    return {(each.value["reader"], each.value["origin"]) for each in found}


def kept(exchange: Exchange) -> list[Any]:
    """Place, key, value and error of what is parked, and whether it is asked for again."""
    with psycopg.connect(exchange.database.url) as connection:
        return connection.execute(
            "SELECT topic || '/' || part || '/' || place, key, value, error, replay"
            " FROM consumers.parked ORDER BY 1"
        ).fetchall()


async def ask_again(exchange: Exchange) -> int:
    url = exchange.database.url
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        return await replay(connection)


async def test_a_record_that_cannot_be_decoded_is_parked_and_those_around_it_count(
    exchange: Exchange,
) -> None:
    """First, between, last and alone; and it stays so however often it is read."""
    good = [(b"ada", trade(number), []) for number in range(3)]
    odd = [(b"odd", trade(f"odd {number}"), ODD) for number in range(3)]
    mixed = batch(odd[0], good[0], odd[1], good[1], odd[2])
    assert send_batch(exchange.kafka, f"{exchange.prefix}trades", 0, mixed) == 0
    send_batch(exchange.kafka, f"{exchange.prefix}trades", 0, batch(good[2]))
    send_batch(exchange.kafka, f"{exchange.prefix}trades", 1, batch(odd[0]))
    alone = batch((None, badge("odd"), ODD))
    send_batch(exchange.kafka, f"{exchange.prefix}badges", 2, alone)
    origins = ["badges/2/0", "trades/0/0", "trades/0/2", "trades/0/4", "trades/1/0"]
    async with exchange.counting(exchange.tally(), exchange.tally(1)):
        await soon(lambda: exchange.volume() == 3)
        await soon(lambda: {origin for _, origin in told(exchange)} == set(origins))
        parked = kept(exchange)
        assert [origin for origin, *_ in parked] == origins
        assert parked[1][1:3] == (b"odd", trade("odd 0"))
        assert {error.split(" can't")[0] for _, _, _, error, _ in parked} == {
            "Unreadable: UnicodeDecodeError: 'utf-8' codec"
        }
        exchange.tell("trades", [trade(3)], partition=1)
        exchange.tell("badges", [badge("b1")], partition=2)
        await soon(lambda: exchange.volume() == 4)
        await soon(lambda: len(exchange.rows("badges")["badges"]) == 1)

        assert await ask_again(exchange) == len(origins)
        await soon(lambda: kept(exchange) == parked)
    where = (exchange.database.url, [exchange.kafka], exchange.prefix)
    assert (await TallyRebuild(*where, topic_projections()[0]).run()).position == 8
    assert (exchange.volume(), kept(exchange)) == (4, parked)


async def test_a_batch_in_an_unknown_codec_is_parked_at_its_end_and_its_group_reads_on(
    exchange: Exchange,
) -> None:
    taken = []

    async def take(message: Message) -> None:
        taken.append(message.value["step"])

    topic = f"{exchange.prefix}{CHAIN_RESULTS}"
    good = [(b"a", b'{"step": %d}' % number, []) for number in range(4)]
    odd = (b"b", b'{"step": "odd"}', ODD)
    send_batch(exchange.kafka, topic, 0, batch(good[0], odd, good[1]))
    assert send_batch(exchange.kafka, topic, 0, in_snappy(batch(*good[:3]))) == 3
    send_batch(exchange.kafka, topic, 0, batch(*good[2:], (b"k" * 9_000, b"{", [])))
    for _ in range(2):
        intake = Intake(
            [exchange.kafka], exchange.prefix, GROUP, {CHAIN_RESULTS: take}, exchange.database.url
        )
        running = asyncio.create_task(intake.run())
        try:
            await soon(lambda: committed(exchange, topic) == 9)
        finally:
            intake.stop()
            await asyncio.wait_for(running, 15)
    assert taken == [0, 1, 2, 3]
    record, whole, long = kept(exchange)
    assert record[:3] == (f"{CHAIN_RESULTS}/0/1", b"b", odd[1])
    assert whole[:3] == (f"{CHAIN_RESULTS}/0/5", b"", None)
    assert whole[3].startswith("Unreadable: offsets 3 to 5: UnsupportedCodecError: ")
    assert (long[0], len(long[1])) == (f"{CHAIN_RESULTS}/0/8", KEY_BYTES_MAX)
    assert told(exchange) == {(GROUP, each[0]) for each in (record, whole, long)}


def committed(exchange: Exchange, topic: str) -> int | None:
    """How far the group is in partition 0; None while nobody can say."""
    consumer = KafkaConsumer(
        bootstrap_servers=exchange.kafka,
        group_id=exchange.prefix + GROUP,
        enable_auto_commit=False,
        metrics_enabled=False,
    )
    try:
        return consumer.committed(TopicPartition(topic, 0))
    except KafkaError:
        return None
    finally:
        consumer.close(autocommit=False)
