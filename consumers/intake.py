"""Kafka in: messages to handlers, in order per key, with offsets committed only after the effect.

A handler's command records the message's id in the append of its effect, so a message that comes
twice (a rewound offset, a crash before the commit, a second publication) has effect once. What
cannot be read, or fails for good, is parked with its error; later messages of its key wait behind
it until it is replayed, all others flow. Of hints, which only say where to look, none
waits for another: a forged one may not hold up a true one. Spec `invariants.md` I-25 and I-28.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import stamina
import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import CommitFailedError, KafkaError
from kafka.structs import OffsetAndMetadata
from psycopg import AsyncConnection

from commands.command import TooBusy
from consumers.decoding import pass_unreadable
from consumers.gateways.ports import TryAgain
from consumers.lifetime import until_stopped
from consumers.message import (
    KEY_BYTES_MAX,
    Handler,
    Incoming,
    Message,
    Notice,
    described,
    pack_headers,
    unpack_headers,
)
from consumers.producer import CONNECT_MS, Publisher
from consumers.topics import PARKED, create_missing
from ledger.errors import LedgerUnavailable
from ledger.statements import named_statements

__all__ = ["Handler", "Intake", "Message"]

SQL = named_statements(Path(__file__).with_suffix(".sql"))
POLL_MS = 200
BATCH = 200
GRACE_S = 5.0
CLOSE_MS = 2_000
METADATA_MS = 5_000
RETRY_MAX_S = 5.0

T = TypeVar("T")
Lane = list[Incoming]
log = structlog.get_logger()


class Intake:
    """One reader of a group. `topics` names them without prefix, each with its handler; of `hints`
    the order means nothing. The messages of one that dies go to another after `session_s`."""

    def __init__(
        self,
        bootstrap: Sequence[str],
        prefix: str,
        group: str,
        topics: Mapping[str, Handler],
        database_url: str,
        *,
        hints: bool = False,
        session_s: float = 6.0,
    ) -> None:
        self._hints, self._session_s = hints, session_s
        self._bootstrap, self._prefix, self._url = bootstrap, prefix, database_url
        self._group, self._handlers = group, topics
        self._publisher = Publisher(bootstrap, prefix)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"intake-{group}")
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Ends `run` after the messages in hand; a handler that hangs is given up."""
        self._stop.set()

    async def run(self) -> None:
        try:
            await until_stopped(self._work(), self._stop, grace_s=GRACE_S)
        finally:
            await self._publisher.close()
            self._thread.shutdown()

    async def _work(self) -> None:
        again = (KafkaError, psycopg.OperationalError, TryAgain)
        async for attempt in stamina.retry_context(
            on=again, attempts=None, timeout=None, wait_max=RETRY_MAX_S
        ):
            with attempt:
                await self._read()

    async def _read(self) -> None:
        consumer = await self._in_thread(self._connect)
        try:
            async with await AsyncConnection.connect(self._url, autocommit=True) as connection:
                while not self._stop.is_set():
                    await self._step(consumer, connection)
        finally:
            await self._in_thread(consumer.close, False, CLOSE_MS)

    async def _step(self, consumer: KafkaConsumer, connection: AsyncConnection) -> None:
        polled, owned = await self._in_thread(_poll, consumer)
        await self._replay(connection, {(tp.topic, tp.partition) for tp in owned})
        if not polled:
            return
        await self._take(connection, polled)
        done = {
            tp: OffsetAndMetadata(records[-1].offset + 1, "", -1) for tp, records in polled.items()
        }
        try:
            await self._in_thread(consumer.commit, done)
        except CommitFailedError:  # the group was shared out anew: the new owner reads them again
            log.info("intake_commit_late", group=self._group)

    # Live messages.

    async def _take(self, connection: AsyncConnection, polled: Mapping[Any, Any]) -> None:
        lanes: defaultdict[tuple[str, bytes], Lane] = defaultdict(list)
        for records in polled.values():
            for record in records:
                incoming = _incoming(record, self._prefix)
                lanes[incoming.topic, incoming.key].append(incoming)
        waiting = set() if self._hints else await self._waiting(connection)
        flowing = [lane for key, lane in lanes.items() if key not in waiting]
        for key in waiting & lanes.keys():
            await self._park(connection, lanes[key], None)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._flow(connection, lane)) for lane in flowing]
        for task in tasks:  # one that was cancelled ends here, before its offset is committed
            task.result()

    async def _waiting(self, connection: AsyncConnection) -> set[tuple[str, bytes]]:
        rows = await connection.execute(SQL["waiting"], {"reader": self._group})
        return {(topic, bytes(key)) for topic, key in await rows.fetchall()}

    async def _flow(self, connection: AsyncConnection, lane: Lane) -> None:
        """Takes a lane in; what fails is parked, and what must wait for it."""
        for number, incoming in enumerate(lane):
            error = await self._handle(incoming)
            if error is None:
                continue
            if not self._hints:
                await self._park(connection, lane[number:], error)
                return
            await self._park(connection, [incoming], error)

    async def _handle(self, incoming: Incoming) -> str | None:
        """None once the message has had its effect, else why it never will."""
        try:
            message = incoming.read()
            handler = self._handlers[incoming.topic]
            async for attempt in stamina.retry_context(on=_wait, attempts=None, timeout=None):
                with attempt:
                    await handler(message)
        except Exception as poison:  # noqa: BLE001 — parked with its error, and counted, below
            return described(poison)
        return None

    async def _park(self, connection: AsyncConnection, lane: Lane, error: str | None) -> None:
        """Keeps the messages, and tells about the first on mega.parked when it is the cause."""
        for number, incoming in enumerate(lane):
            values = {
                "reader": self._group,
                "topic": incoming.topic,
                "part": incoming.part,
                "place": incoming.place,
                "key": incoming.key,
                "headers": pack_headers(incoming.headers),
                "value": incoming.value,
                "error": error if number == 0 else None,
            }
            await connection.execute(SQL["park"], values)
        if error is not None:
            await self._give_notice(lane[0], error)

    async def _give_notice(self, incoming: Incoming, error: str) -> None:
        log.warning("message_parked", origin=incoming.origin, group=self._group, error=error)
        key = incoming.key.decode(errors="replace")
        notice = Notice(origin=incoming.origin, reader=self._group, key=key, error=error)
        await self._publisher.publish(PARKED, notice.subject, asdict(notice), message_id=notice.id)

    # Parked messages.

    async def _replay(self, connection: AsyncConnection, owned: set[tuple[str, int]]) -> None:
        """Takes in what is due of the partitions that this reader owns, so that order holds."""
        values = {"reader": self._group, "limit": BATCH}
        due = SQL["due_hints" if self._hints else "due"]
        rows = await (await connection.execute(due, values)).fetchall()
        lanes: defaultdict[tuple[str, bytes], list[tuple[Incoming, bool]]] = defaultdict(list)
        for topic, part, place, key, headers, value, due in rows:
            if (self._prefix + topic, part) in owned:
                kept = unpack_headers(bytes(headers))
                body = None if value is None else bytes(value)
                incoming = Incoming(topic, part, place, bytes(key), kept, body)
                lanes[topic, incoming.key].append((incoming, due))
        for lane in lanes.values():
            await self._replay_lane(connection, lane)

    async def _replay_lane(
        self, connection: AsyncConnection, lane: Sequence[tuple[Incoming, bool]]
    ) -> None:
        for incoming, due in lane:
            if not due:
                return
            error = await self._handle(incoming)
            place = {"topic": incoming.topic, "part": incoming.part, "place": incoming.place}
            values = {"reader": self._group, **place, "error": error}
            statement = SQL["through"] if error is None else SQL["failed_again"]
            await connection.execute(statement, values)
            if error is not None:
                await self._give_notice(incoming, error)
                if not self._hints:
                    return
                continue
            log.info("message_replayed", origin=incoming.origin, group=self._group)

    # The thread in which kafka-python lives.

    def _connect(self) -> KafkaConsumer:
        create_missing(self._bootstrap, self._prefix)
        topics = [self._prefix + topic for topic in self._handlers]
        consumer = pass_unreadable(
            KafkaConsumer(
                bootstrap_servers=list(self._bootstrap),
                group_id=self._prefix + self._group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                allow_auto_create_topics=False,
                session_timeout_ms=int(self._session_s * 1000),
                heartbeat_interval_ms=500,
                max_poll_records=BATCH,
                bootstrap_timeout_ms=CONNECT_MS,
                metadata_max_age_ms=METADATA_MS,
                reconnect_backoff_max_ms=1_000,
                metrics_enabled=False,
            )
        )
        # Joining before the partitions are known shares out none of them (kafka-python 3.0.12).
        for topic in topics:
            consumer.partitions_for_topic(topic)
        consumer.subscribe(topics)
        return consumer

    def _in_thread(self, call: Callable[..., T], *values: Any) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, call, *values)


def _poll(consumer: KafkaConsumer) -> tuple[dict[TopicPartition, list[Any]], set[TopicPartition]]:
    return consumer.poll(timeout_ms=POLL_MS), consumer.assignment()


def _incoming(record: Any, prefix: str) -> Incoming:
    topic = record.topic.removeprefix(prefix)
    headers = tuple((name, text or b"") for name, text in record.headers)
    key = (record.key or b"")[:KEY_BYTES_MAX]
    return Incoming(topic, record.partition, record.offset, key, headers, record.value)


def _wait(failed: Exception) -> bool | float:
    """Whether a handler is asked again: what passes by itself is waited for, however long."""
    if isinstance(failed, TryAgain):
        return failed.after_s
    return isinstance(failed, LedgerUnavailable | psycopg.OperationalError | TooBusy)
