"""How far the topics are: where each ends, and how much of the ledger the relay has to go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from kafka import KafkaConsumer, TopicPartition

from consumers.producer import CONNECT_MS
from consumers.topics import ALL_TOPICS
from ledger.statements import named_statements

SQL = named_statements(Path(__file__).with_suffix(".sql"))


@dataclass(frozen=True, slots=True)
class TopicStanding:
    """`name` has its prefix; `ends` is the next offset of each partition, empty: no such topic."""

    name: str
    ends: tuple[int, ...]

    @property
    def messages(self) -> int:
        return sum(self.ends)


@dataclass(frozen=True, slots=True)
class RelayStanding:
    """Ledger positions: the last published one and the newest; `waiting` counts parked events."""

    position: int
    head: int
    waiting: int

    @property
    def lag(self) -> int:
        return self.head - self.position


def topic_standings(bootstrap: Sequence[str], prefix: str) -> list[TopicStanding]:
    """Every topic of the product. Blocks; raises a KafkaError when no broker answers."""
    consumer = KafkaConsumer(
        bootstrap_servers=list(bootstrap), bootstrap_timeout_ms=CONNECT_MS, metrics_enabled=False
    )
    try:
        known = consumer.topics()
        found = []
        for name in (prefix + topic for topic in ALL_TOPICS):
            parts = sorted(consumer.partitions_for_topic(name) or ()) if name in known else []
            places = [TopicPartition(name, part) for part in parts]
            ends = consumer.end_offsets(places) if places else {}
            found.append(TopicStanding(name, tuple(ends[place] for place in places)))
        return found
    finally:
        consumer.close(autocommit=False)


def relay_standing(database_url: str) -> RelayStanding:
    with psycopg.connect(database_url) as connection:
        row = connection.execute(SQL["relay"]).fetchone()
    assert row is not None
    return RelayStanding(*row)
