"""What topics say is counted once, whoever reads it, and read again from them when it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from consumers.tally_rebuild import TallyRebuild
from projections.rebuild import RebuildRunning
from projections.topic_catalog import topic_projections
from tests.consumers.parking import replay
from tests.consumers.trading import Exchange, badge, soon, trade
from tests.world import Child, Database

Spawn = Callable[..., Child]


@pytest.fixture
def exchange(database: Database, kafka: str, topic_prefix: str) -> Exchange:
    return Exchange(database, kafka, topic_prefix)


def rebuild(exchange: Exchange, number: int = 0, **options: Any) -> TallyRebuild:
    where = (exchange.database.url, [exchange.kafka], exchange.prefix)
    return TallyRebuild(*where, topic_projections()[number], **options)


async def ask_again(exchange: Exchange) -> int:
    url = exchange.database.url
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        return await replay(connection)


async def test_what_cannot_count_is_parked_and_told_and_holds_up_nobody(
    exchange: Exchange,
) -> None:
    """Also across partitions, where the topic itself does not say what was first."""
    first, equal, other = trade(1, "10.5"), trade(1, "10.50"), trade(1, "9")
    told = [first, b"{", trade(2), other, equal, None, trade(3, "-3")]
    exchange.tell("trades", told, partition=0)
    exchange.tell("trades", [trade(4)], partition=2)
    exchange.tell("badges", [badge("b1"), badge("b2"), badge("b1", user="eve")], partition=1)
    exchange.tell("badges", [badge("b2", "revoked"), badge("b3")], partition=1)
    async with exchange.counting(exchange.tally(), exchange.tally(1)):
        await soon(lambda: str(exchange.volume()) == "9.5000000000")
        await soon(lambda: len(exchange.rows("badges")["badges"]) == 3)
        exchange.tell("trades", [trade(4, "8")], partition=0)
        exchange.tell("trades", [trade(2, "9")], partition=2)
        origins = {
            "badges/1/2",
            "trades/0/1",
            "trades/0/3",
            "trades/0/5",
            "trades/0/7",
            "trades/2/1",
        }
        await soon(lambda: exchange.notices() == origins)
        waiting = await exchange.parked()
        assert {each["origin"] for each in waiting} == origins
        assert {each["error"].split(":")[0] for each in waiting} == {"Contradicted", "DecodeError"}
        before = exchange.rows()

        exchange.run("DROP TABLE views.trading_volume")
        exchange.run("DROP TABLE views.badges")
        await soon(lambda: exchange.rows() == before)
        exchange.run("DROP SCHEMA views CASCADE")
        await soon(lambda: exchange.rows() == before)

        assert await ask_again(exchange) == len(origins)
        await soon(lambda: asked_again(exchange) == 0)
        assert await exchange.parked() == waiting
    assert exchange.rows() == before
    assert exchange.notices() == origins


def asked_again(exchange: Exchange) -> int:
    with psycopg.connect(exchange.database.url) as connection:
        row = connection.execute("SELECT count(*) FROM consumers.parked WHERE replay").fetchone()
    return row[0] if row else 0


async def test_what_a_newer_program_can_read_counts_once_it_is_replayed(
    exchange: Exchange,
) -> None:
    """As if the program that parked it had not known how: also for a rebuild under way."""
    exchange.tell("trades", [trade(1), trade(2), trade(3)], partition=0)
    exchange.run(
        "INSERT INTO consumers.parked (reader, topic, part, place, key, headers, value, error)"
        " VALUES ('mega-trades', 'trades', 0, 1, 'ada',"
        "         '[[\"kafka_timestamp\",\"MQ==\"]]', NULL, 'ValueError: odd')"
    )
    async with exchange.counting(exchange.tally()):
        await soon(lambda: exchange.volume() == 2)
        assert (await rebuild(exchange).run()).position == 3
        assert exchange.volume() == 2

        replayed = "DELETE FROM consumers.parked"
        await rebuild(exchange, progress=lambda done, total: exchange.run(replayed)).run()
        assert exchange.volume() == 3
        exchange.tell("trades", [trade(4)])
        await soon(lambda: exchange.volume() == 4)


async def test_a_killed_reader_hands_over_at_once_and_nothing_counts_twice(
    exchange: Exchange, spawn: Spawn
) -> None:
    env = {
        "DATABASE_URL": exchange.database.url,
        "KAFKA_BOOTSTRAP_SERVERS": exchange.kafka,
        "MEGA_TOPIC_PREFIX": exchange.prefix,
    }
    exchange.tell("trades", [trade(0)])
    first = spawn("tests.consumers.tally_alone", env=env)
    await soon(lambda: exchange.volume() == 1)
    second = exchange.tally()
    async with exchange.counting(second):
        exchange.tell("trades", [trade(n) for n in range(1, 1_000)])
        assert not second.leads
        first.kill()
        exchange.tell("trades", [trade(n) for n in range(500, 1_500)])
        await soon(lambda: exchange.volume() == 1_500)
        assert second.leads


async def test_a_reader_whose_connection_ends_reads_on_where_its_rows_are(
    exchange: Exchange,
) -> None:
    tallies = [exchange.tally(), exchange.tally()]
    async with exchange.counting(*tallies):
        for round_ in range(2):
            exchange.tell("trades", [trade(f"{round_}/{n}") for n in range(200)])
            await soon(lambda round_=round_: exchange.volume() == (round_ + 1) * 200)
            assert sum(each.leads for each in tallies) == 1
            exchange.run(
                "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE locktype = 'advisory' AND granted AND datname = current_database()"
            )
        exchange.tell("trades", [trade("last")])
        await soon(lambda: exchange.volume() == 401)


async def test_a_rebuild_beside_new_messages_is_equal_and_never_shows_less(
    exchange: Exchange,
) -> None:
    exchange.tell("trades", [trade(n) for n in range(500)])
    async with exchange.counting(exchange.tally()):
        await soon(lambda: exchange.volume() == 500)
        shown = [exchange.volume()]

        async def arriving() -> None:
            for start in range(500, 1_000, 100):
                more = [trade(n) for n in range(start, start + 100)]
                await asyncio.to_thread(exchange.tell, "trades", [*more, trade(start, "2")])
                shown.append(await asyncio.to_thread(exchange.volume))

        coming = asyncio.create_task(arriving())
        while not coming.done():
            assert (await rebuild(exchange).run()).done
            shown.append(exchange.volume())
        await coming
        await soon(lambda: exchange.volume() == 1_000)
        await soon(lambda: len(exchange.notices()) == 5)
        assert len(await exchange.parked()) == 5
    assert shown == sorted(shown)


async def test_a_rebuild_without_a_reader_goes_to_the_end_and_is_one_at_a_time(
    exchange: Exchange,
) -> None:
    exchange.tell("badges", [badge("b1"), badge("b2"), badge("b1", "revoked"), b"{"])
    told: list[tuple[int, int]] = []
    done = await rebuild(exchange, 1, progress=lambda *far: told.append(far)).run()
    assert (done.name, done.position, done.done) == ("badges", 4, True)
    assert told[-1] == (4, 4)
    with psycopg.connect(exchange.database.url, autocommit=True) as connection:
        held = connection.execute("SELECT badge_id FROM views.badges WHERE NOT revoked").fetchall()
        assert held == [("b2",)]
        connection.execute("SELECT pg_advisory_lock(hashtextextended('rebuild badges', 0))")
        with pytest.raises(RebuildRunning):
            await rebuild(exchange, 1).run()
        connection.execute("SELECT pg_advisory_unlock_all()")

        connection.execute("SELECT pg_advisory_lock(hashtextextended('projection badges', 0))")
        exchange.tell("badges", [badge("b3")])
        assert (await rebuild(exchange, 1).run()).position == 4, "further than who leads"
    cancelled = asyncio.Event()
    cancelled.set()
    assert not (await rebuild(exchange, 1, cancelled=cancelled).run()).done


async def test_rows_of_an_older_program_are_read_anew(exchange: Exchange) -> None:
    exchange.tell("trades", [trade(1), trade(2)])
    assert (await rebuild(exchange).run()).done
    before = exchange.rows("trades", "trading_volume")
    exchange.run("UPDATE views.offsets SET version = 0; UPDATE views.trading_volume SET trades = 7")
    async with exchange.counting(exchange.tally()):
        await soon(lambda: exchange.rows("trades", "trading_volume") == before)


async def test_a_topic_may_grow_and_may_have_lost_its_beginning(exchange: Exchange) -> None:
    exchange.tell("trades", [trade(n) for n in range(5)], partition=0)
    topic = f"{exchange.prefix}trades"
    admin = KafkaAdminClient(bootstrap_servers=[exchange.kafka])
    try:
        admin.delete_records({TopicPartition(topic, 0): 2})
        async with exchange.counting(exchange.tally()):
            await soon(lambda: exchange.volume() == 3)
            admin.create_partitions({topic: 4})
            admin.wait_for_topics([topic])
            exchange.tell("trades", [trade("new")], partition=3)
            await soon(lambda: exchange.volume() == 4)
    finally:
        admin.close()
    assert (await rebuild(exchange).run()).position == 6
    assert exchange.volume() == 4
