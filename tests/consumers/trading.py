"""Trades and badges on their topics, and what their projections make of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
import psycopg

from consumers.tally import Tally
from consumers.topics import create_missing
from projections.topic_catalog import topic_projections
from tests.consumers.parking import parked
from tests.consumers.topic_reading import raw_producer, read_topics
from tests.waiting import eventually
from tests.world import Database

GONE = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)
TABLES = ("trades", "trading_volume", "badges")


def trade(id_: Any, usd: str = "1", user: str = "ada") -> bytes:
    told = {"trade_id": str(id_), "platform": "okx", "user_id": user, "volume_usd": usd}
    return msgspec.json.encode({**told, "traded_at": "2026-03-01T12:00:00Z"})


def badge(id_: str, action: str = "awarded", user: str = "ada") -> bytes:
    return msgspec.json.encode(
        {"badge_id": id_, "user_id": user, "badge": f"{id_} badge", "action": action}
    )


@dataclass(frozen=True)
class Exchange:
    """Where trades come from, and the database that knows them; makes the topics."""

    database: Database
    kafka: str
    prefix: str

    def __post_init__(self) -> None:
        create_missing([self.kafka], self.prefix)

    def tell(self, topic: str, values: Iterable[bytes | None], **place: Any) -> None:
        """Publishes messages of one key, so that they stay in order."""
        with raw_producer(self.kafka) as producer:
            sent = [
                producer.send(self.prefix + topic, key=b"ada", value=each, **place)
                for each in values
            ]
            producer.flush()
            for each in sent:
                each.get(timeout=10)

    def tally(self, number: int = 0) -> Tally:
        """Of trading_volume; 1: of badges."""
        projection = topic_projections()[number]
        return Tally(self.database.url, [self.kafka], self.prefix, projection)

    @asynccontextmanager
    async def counting(self, *tallies: Tally) -> AsyncIterator[None]:
        """While all of them run; one that fails, fails the test."""
        running = [asyncio.create_task(each.run()) for each in tallies]
        try:
            yield
        finally:
            for each in tallies:
                each.stop()
            await asyncio.wait_for(asyncio.gather(*running), 15)

    def volume(self, user: str = "ada") -> Decimal:
        """What is shown now; 0 as long as there is no table."""
        asked = "SELECT volume_usd FROM views.trading_volume WHERE user_id = %s"
        with psycopg.connect(self.database.url) as connection:
            try:
                row = connection.execute(asked, (user,)).fetchone()
            except GONE:
                return Decimal(0)
        return row[0] if row else Decimal(0)

    def rows(self, *names: str) -> dict[str, list[Any]] | None:
        """Of these tables, of all by default; None while one of them is not there."""
        with psycopg.connect(self.database.url) as connection:
            try:
                return {
                    name: connection.execute(f"SELECT * FROM views.{name} ORDER BY 1, 2").fetchall()
                    for name in names or TABLES
                }
            except GONE:
                return None

    def run(self, statement: str) -> None:
        with psycopg.connect(self.database.superuser_url, autocommit=True) as owner:
            owner.execute(statement)

    async def parked(self) -> list[dict[str, Any]]:
        url = self.database.url
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            return await parked(connection)

    def notices(self) -> set[str]:
        """The origins of what was told on mega.parked, be it more than once."""
        told = f"{self.prefix}mega.parked"
        found = read_topics(self.kafka, self.prefix)
        return {each.value["origin"] for each in found if each.topic == told}


async def soon(question: Callable[[], Any]) -> Any:
    """`eventually`, while this test's own event loop goes on."""
    return await asyncio.to_thread(eventually, question, 30.0)
