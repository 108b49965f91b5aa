"""Messages to Kafka: the connection that the relay and the reactions share, and one `publish`.

kafka-python blocks, so every call of it happens in a thread of its own (spec `invariants.md`,
hazards 2 and 6). A message's id derives from its cause: published twice, it takes effect once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError

from consumers.gateways.ports import TryAgain, WillNotWork
from consumers.topics import Outgoing, create_missing, message

T = TypeVar("T")

CONNECT_MS = 5_000
ACK_MS = 5_000
JOIN_S = 5.0
BATCH_BYTES = 256 * 1024
MESSAGE_BYTES_MAX = 900_000


def connect(bootstrap: Sequence[str], *, delivery_ms: int = ACK_MS) -> KafkaProducer:
    """A producer whose acknowledged messages are on every in-sync replica, in the order sent."""
    return KafkaProducer(
        bootstrap_servers=list(bootstrap),
        acks="all",
        enable_idempotence=True,
        delivery_timeout_ms=delivery_ms,
        request_timeout_ms=min(delivery_ms, ACK_MS),
        max_block_ms=CONNECT_MS,
        bootstrap_timeout_ms=CONNECT_MS,
        reconnect_backoff_max_ms=1_000,
        batch_size=BATCH_BYTES,
        max_request_size=MESSAGE_BYTES_MAX,
        metrics_enabled=False,
    )


def send(producer: KafkaProducer, outgoing: Outgoing) -> Any:
    """Hands a message over; the future it returns is the acknowledgement."""
    return producer.send(
        outgoing.topic, value=outgoing.value, key=outgoing.key, headers=outgoing.headers
    )


def abandon(producer: KafkaProducer) -> None:
    """Ends a producer at once and fails what it has not delivered.

    The sender is told first: in kafka-python 3.0.12 `close` raises, and leaves its thread running,
    while something is undelivered.
    """
    producer._sender.force_close()
    producer._sender.wakeup()
    producer._sender.join(JOIN_S)
    producer.close(timeout=0)


class Publisher:
    """Publishes for the reactions of a process. It connects when the first message is there."""

    def __init__(self, bootstrap: Sequence[str], prefix: str) -> None:
        self._bootstrap, self._prefix = bootstrap, prefix
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="publisher")
        self._connection: asyncio.Future[KafkaProducer] | None = None

    async def publish(
        self, topic: str, key: str, value: Mapping[str, Any], *, message_id: str
    ) -> None:
        """Returns once the message is acknowledged.

        `topic` is without prefix, `key` the stream that waits, `value` becomes JSON. Raises
        TryAgain when Kafka does not acknowledge, WillNotWork for a message that is too large.
        """
        outgoing = message(self._prefix, topic, key, value, message_id=message_id)
        connection = self._connected()
        try:
            producer = await asyncio.shield(connection)
            await self._deliver(producer, outgoing)
        except MessageSizeTooLargeError as large:
            raise WillNotWork(f"the message {message_id} is too large") from large
        except KafkaError as down:
            await self._drop(connection)
            raise TryAgain(f"Kafka does not take messages: {type(down).__name__}") from down

    async def close(self) -> None:
        """Ends the connection; what is not acknowledged by now fails."""
        if self._connection is not None:
            await self._drop(self._connection)
        self._thread.shutdown()

    def _connected(self) -> asyncio.Future[KafkaProducer]:
        """One attempt to connect serves all who wait for it."""
        if self._connection is None:
            self._connection = self._in_thread(self._connect)
        return self._connection

    def _connect(self) -> KafkaProducer:
        create_missing(self._bootstrap, self._prefix)
        return connect(self._bootstrap)

    async def _deliver(self, producer: KafkaProducer, outgoing: Outgoing) -> None:
        loop = asyncio.get_running_loop()
        acknowledged: asyncio.Future[None] = loop.create_future()

        def settle(error: BaseException | None) -> None:
            loop.call_soon_threadsafe(_settle, acknowledged, error)

        sent = await self._in_thread(send, producer, outgoing)
        sent.add_callback(lambda _: settle(None))
        sent.add_errback(settle)
        await acknowledged

    async def _drop(self, connection: asyncio.Future[KafkaProducer]) -> None:
        """The next message connects anew: a producer that failed once may be fenced for good."""
        if connection is not self._connection:
            return
        self._connection = None
        if connection.done() and connection.exception() is None:
            await self._in_thread(abandon, connection.result())

    def _in_thread(self, call: Callable[..., T], *values: Any) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, call, *values)


def _settle(acknowledged: asyncio.Future[None], error: BaseException | None) -> None:
    if acknowledged.done():  # cancelled: nobody waits any more
        return
    if error is None:
        acknowledged.set_result(None)
    else:
        acknowledged.set_exception(error)
