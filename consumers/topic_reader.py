"""A topic from given offsets on: all its partitions, by one reader without a group.

Partitions are assigned by hand, because a reader that the database elects needs no group, and
joining one takes seconds. kafka-python blocks, so it lives in a thread of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import structlog
from kafka import KafkaConsumer, TopicPartition

from consumers.decoding import pass_unreadable
from consumers.producer import CONNECT_MS
from consumers.topics import create_missing

POLL_MS = 200
PAGE = 25_000
FETCH_BYTES = 8 * 1024 * 1024
METADATA_MS = 5_000
ANSWER_MS = 5_000
CLOSE_MS = 2_000

T = TypeVar("T")
log = structlog.get_logger()


class Read(NamedTuple):
    """What a poll found. By partition: records, the offset after them, and its end at the moment.

    `grown`: the topic has partitions that are not read yet.
    """

    records: Mapping[int, Sequence[Any]]
    nexts: Mapping[int, int]
    ends: Mapping[int, int]
    grown: bool


class TopicReader:
    """Made by `reading`. Every method may raise a KafkaError."""

    def __init__(self, topic: str, thread: ThreadPoolExecutor, consumer: KafkaConsumer) -> None:
        self._topic, self._thread, self._consumer = topic, thread, consumer

    async def ends(self) -> dict[int, int]:
        """The next offset of every partition that the topic has."""
        return await _within(self._thread, self._ends)

    async def start(self, nexts: Mapping[int, int]) -> dict[int, int]:
        """Reads on at these offsets; a partition that no longer has its one, at its beginning.

        Returns where it begins.
        """
        return await _within(self._thread, self._start, nexts)

    async def poll(self) -> Read:
        """The next records, at most PAGE of them; none after POLL_MS without any."""
        return await _within(self._thread, self._poll)

    def _ends(self) -> dict[int, int]:
        places = self._places(self._consumer.partitions_for_topic(self._topic))
        return {
            tp.partition: end for tp, end in self._consumer.end_offsets(places, ANSWER_MS).items()
        }

    def _start(self, nexts: Mapping[int, int]) -> dict[int, int]:
        places = self._places(nexts)
        self._consumer.assign(places)
        firsts = self._consumer.beginning_offsets(places, ANSWER_MS)
        ends = self._consumer.end_offsets(places, ANSWER_MS)
        starts = {}
        for place in places:
            wanted = nexts[place.partition]
            start = wanted if firsts[place] <= wanted <= ends[place] else firsts[place]
            if start != wanted:
                log.warning("topic_moved", place=str(place), wanted=wanted, start=start)
            self._consumer.seek(place, start)
            starts[place.partition] = start
        return starts

    def _poll(self) -> Read:
        found = self._consumer.poll(timeout_ms=POLL_MS)
        places = self._consumer.assignment()
        nexts = {tp.partition: self._consumer.position(tp, timeout_ms=POLL_MS) for tp in places}
        ends = {tp.partition: self._consumer.highwater(tp) for tp in places}
        return Read(
            {tp.partition: records for tp, records in found.items()},
            {part: place for part, place in nexts.items() if place is not None},
            {part: place for part, place in ends.items() if place is not None},
            len(self._consumer.partitions_for_topic(self._topic)) > len(places),
        )

    def _places(self, parts: Iterable[int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, part) for part in parts]


@asynccontextmanager
async def reading(bootstrap: Sequence[str], prefix: str, topic: str) -> AsyncIterator[TopicReader]:
    """A reader of `topic` (without prefix), which is created if it is not there.

    It reads nothing before `start`. Raises a KafkaError when no broker answers.
    """
    with ThreadPoolExecutor(1, thread_name_prefix=f"reader-{topic}") as thread:
        consumer = await _within(thread, _connect, bootstrap, prefix)
        try:
            yield TopicReader(prefix + topic, thread, consumer)
        finally:
            await _within(thread, consumer.close, False, CLOSE_MS)


def _connect(bootstrap: Sequence[str], prefix: str) -> KafkaConsumer:
    create_missing(bootstrap, prefix)
    return pass_unreadable(
        KafkaConsumer(
            bootstrap_servers=list(bootstrap),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            max_poll_records=PAGE,
            max_partition_fetch_bytes=FETCH_BYTES,
            bootstrap_timeout_ms=CONNECT_MS,
            metadata_max_age_ms=METADATA_MS,
            reconnect_backoff_max_ms=1_000,
            metrics_enabled=False,
        )
    )


def _within(thread: ThreadPoolExecutor, call: Callable[..., T], *values: Any) -> asyncio.Future[T]:
    return asyncio.get_running_loop().run_in_executor(thread, call, *values)
