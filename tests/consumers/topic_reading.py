"""Topics as anybody outside sees them: read from the beginning, with a reader of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition


@dataclass(frozen=True)
class Read:
    """A message; `topic` with its prefix, headers as text."""

    topic: str
    partition: int
    offset: int
    key: str
    headers: dict[str, str]
    raw: bytes

    @property
    def id(self) -> str:
        return self.headers["ce_id"]

    @property
    def value(self) -> Any:
        return msgspec.json.decode(self.raw)


@contextmanager
def raw_producer(kafka: str) -> Iterator[KafkaProducer]:
    producer = KafkaProducer(bootstrap_servers=kafka, metrics_enabled=False)
    try:
        yield producer
    finally:
        producer.close()


def read_topics(
    kafka: str,
    prefix: str,
    until: Callable[[list[Read]], bool] | None = None,
    within_s: float = 30.0,
) -> list[Read]:
    """All messages of the topics with `prefix`, to their ends, or until `until` is satisfied."""
    consumer = KafkaConsumer(bootstrap_servers=kafka, metrics_enabled=False)
    try:
        names = [name for name in consumer.topics() if name.startswith(prefix)]
        places = [
            TopicPartition(name, part)
            for name in names
            for part in consumer.partitions_for_topic(name) or ()
        ]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        found: list[Read] = []
        deadline = monotonic() + within_s
        ends = consumer.end_offsets(places)
        while True:
            for records in consumer.poll(timeout_ms=100).values():
                found += [_read(record) for record in records]
            at_end = all(consumer.position(place) >= ends[place] for place in places)
            if until(found) if until else at_end:
                return found
            assert monotonic() < deadline, f"{len(found)} messages after {within_s} s"
    finally:
        consumer.close(autocommit=False)


def by_key(messages: list[Read]) -> dict[tuple[str, str], list[Read]]:
    """Messages of each (topic, key), in the order of the topic."""
    lanes: defaultdict[tuple[str, str], list[Read]] = defaultdict(list)
    for message in messages:
        lanes[message.topic, message.key].append(message)
    return dict(lanes)


def first_ids(messages: list[Read]) -> list[str]:
    """Ids in the order of their first appearance."""
    return list(dict.fromkeys(message.id for message in messages))


def _read(record: Any) -> Read:
    headers = {name: text.decode() for name, text in record.headers}
    key = (record.key or b"").decode()
    return Read(record.topic, record.partition, record.offset, key, headers, record.value or b"")
