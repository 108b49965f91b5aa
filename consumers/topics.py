"""Which topic an event goes to, and what it looks like there: CloudEvents 1.0, binary mode.

Names and headers are fixed by spec `contract.md` §9. Streams without a topic (claims, idempotency
keys, messages taken in) stay in the ledger. Secret fields travel neither open nor sealed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import stamina
from cloudevents.core.bindings.kafka import to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from kafka.admin import KafkaAdminClient
from kafka.errors import TopicAlreadyExistsError

import commands.aggregates  # noqa: F401 — an event that is not imported is not known
from domain.event import Event, with_leaves
from ledger import codec

PARKED = "mega.parked"
CHAIN_RESULTS = "chain.results"
PROVIDER_RESULTS = "provider.results"

# The kind of a stream is what stands before its first colon.
TOPIC_OF_KIND: Mapping[str, str] = {
    "order": "mega.order",
    "batch": "mega.batch",
    "character": "mega.character",
    "upgrade": "mega.upgrade",
    "credit_account": "mega.credit",
    "generation": "mega.generation",
    "pass": "mega.pass",
    "app_config": "mega.config",
}
EVENT_TOPICS = tuple(TOPIC_OF_KIND.values())
SOURCE_TOPICS = ("trades", "badges")
ALL_TOPICS = (*EVENT_TOPICS, CHAIN_RESULTS, PROVIDER_RESULTS, *SOURCE_TOPICS, PARKED)
KEPT = {"retention.ms": "-1"}
# Whatever codec a publisher uses, the broker undoes: our readers know gzip only.
READABLE = {**KEPT, "compression.type": "uncompressed"}
TOPIC_CONFIGS = dict.fromkeys(EVENT_TOPICS, KEPT) | dict.fromkeys(SOURCE_TOPICS, READABLE)

LEDGER_SOURCE = "/mega/ledger"
CONSUMERS_SOURCE = "/mega/consumers"
ADMIN_PATIENCE_MS = 5_000
READY_MS = 10_000
_FORMAT = JSONFormat()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way: what kafka-python's `send` takes. `topic` has its prefix."""

    topic: str
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes


def topic_of(stream: str) -> str | None:
    """The topic of a stream's events, without prefix; None: they never leave the ledger."""
    return TOPIC_OF_KIND.get(stream.split(":", 1)[0])


def published(event: Event) -> dict[str, Any]:
    """An event's data as the world may see it: every field but the secret ones; null in the
    place of a secret within."""
    data: dict[str, Any] = msgspec.to_builtins(event)
    for name in codec.secret_fields(event.TOPIC):
        del data[name]
    for name in codec.leaf_fields(event.TOPIC):
        data[name] = with_leaves(data[name], lambda _: None)
    return data


def event_message(
    prefix: str,
    *,
    position: int,
    stream: str,
    version: int,
    topic: str,
    recorded_at: datetime,
    data: str,
    metadata: str,
) -> Outgoing:
    """The message of one event, from its row; old versions are lifted to the newest first.

    Raises when the event cannot be decoded. It must be: whoever does not know an event does not
    know which of its fields are secret.
    """
    channel = topic_of(stream)
    assert channel is not None, stream
    event = codec.decode_data(topic, data, lambda sealed: sealed)
    facts = msgspec.json.decode(metadata)
    attributes = {
        "specversion": "1.0",
        "id": f"{stream}/{version}",
        "type": event.TOPIC,
        "source": LEDGER_SOURCE,
        "time": recorded_at.astimezone(UTC),
        "subject": stream,
        "datacontenttype": "application/json",
        "partitionkey": stream,
        "correlationid": facts["correlation_id"],
        "causationid": facts["causation_id"],
        "position": str(position),
    }
    return _outgoing(prefix + channel, attributes, published(event))


def message(
    prefix: str, topic: str, key: str, value: Mapping[str, Any], *, message_id: str
) -> Outgoing:
    """A message that is not an event: an outcome, or a notice of something parked."""
    attributes = {
        "specversion": "1.0",
        "id": message_id,
        "type": topic,
        "source": CONSUMERS_SOURCE,
        "subject": key,
        "datacontenttype": "application/json",
        "partitionkey": key,
    }
    return _outgoing(prefix + topic, attributes, value)


def _outgoing(topic: str, attributes: dict[str, Any], value: Mapping[str, Any]) -> Outgoing:
    binary = to_binary(CloudEvent(attributes, msgspec.json.encode(value)), _FORMAT)
    key = str(binary.key).encode()
    return Outgoing(topic, key, list(binary.headers.items()), binary.value)


@stamina.retry(on=TopicAlreadyExistsError, attempts=3)
def create_missing(bootstrap: Sequence[str], prefix: str, partitions: int = 3) -> list[str]:
    """Creates the topics that are not there and returns their names. Raises a KafkaError.

    Returns once all of them have leaders, whoever made them: a reader that comes sooner is given
    no partition.

    Replication is the broker's default. Event topics keep everything: they equal the ledger;
    so do those that projections are made from.
    """
    admin = KafkaAdminClient(
        bootstrap_servers=list(bootstrap),
        bootstrap_timeout_ms=ADMIN_PATIENCE_MS,
        request_timeout_ms=ADMIN_PATIENCE_MS,
    )
    try:
        known = set(admin.list_topics())
        missing = {
            prefix + topic: {
                "num_partitions": partitions,
                "configs": TOPIC_CONFIGS.get(topic, {}),
            }
            for topic in ALL_TOPICS
            if prefix + topic not in known
        }
        if missing:
            admin.create_topics(missing)
        admin.wait_for_topics([prefix + topic for topic in ALL_TOPICS], timeout_ms=READY_MS)
        return sorted(missing)
    finally:
        admin.close()
