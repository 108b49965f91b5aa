"""Between the events of the `eventsourcing` library and rows of the ledger.

The library's ids may be UUIDs, its states any bytes, its streams numbered from 0 or from 1; the
ledger has prefixed texts, JSON and versions from 1. Each difference is undone on the way out.
Commands never pass here: what this module writes, only the recorder faces read.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from eventsourcing.persistence import Notification, ProgrammingError, StoredEvent

from ledger.rows import Row

BYTES: Final = "$bytes"
UUID_PREFIX: Final = "uuid:"
# Fields that the ledger reads by name (001_ledger.sql): the library's states may not speak to it.
RESERVED: Final = frozenset({BYTES, "mg_id", "pass_id", "step_no", "matcha_delta"})
FROM_ONE: Final = b'{"data":%b,"metadata":{}}'
FROM_ZERO: Final = b'{"data":%b,"metadata":{"first_version":0}}'


def stream_of(originator_id: UUID | str) -> str:
    if isinstance(originator_id, UUID):
        return f"{UUID_PREFIX}{originator_id}"
    if originator_id.startswith(UUID_PREFIX):
        raise ProgrammingError(f"{UUID_PREFIX} is kept for ids that are UUIDs")
    return originator_id


def originator_of(stream: str) -> UUID | str:
    if stream.startswith(UUID_PREFIX):
        return UUID(stream.removeprefix(UUID_PREFIX))
    return stream


def row_of(event: StoredEvent, from_zero: bool) -> Row:
    """A stream that the library numbers from 0 stands in the ledger one version higher."""
    form, shift = (FROM_ZERO, 1) if from_zero else (FROM_ONE, 0)
    return Row(
        stream_of(event.originator_id),
        event.originator_version + shift,
        event.topic,
        (form % _data(event.state)).decode(),
    )


def stored_event(row: Sequence[Any]) -> StoredEvent:
    stream, version, topic, state = row
    return StoredEvent(originator_of(stream), version, topic, _state(state))


def notification(row: Sequence[Any]) -> Notification:
    stream, version, topic, state, position = row
    return Notification(originator_of(stream), version, topic, _state(state), position)


def streams_begun_at_zero(events: Iterable[StoredEvent]) -> set[str]:
    return {stream_of(event.originator_id) for event in events if event.originator_version == 0}


def _data(state: bytes) -> bytes:
    """JSON objects as they are, so that SQL can see into them; anything else as base64."""
    try:
        value = msgspec.json.decode(state)
    except (msgspec.DecodeError, RecursionError):
        value = None
    if isinstance(value, dict) and not RESERVED & value.keys() and _same_in_jsonb(value):
        return state
    return msgspec.json.encode({BYTES: base64.b64encode(state).decode()})


def _same_in_jsonb(value: Any) -> bool:
    """jsonb has no U+0000 and writes some floats as integers; the rest keeps its value."""
    if isinstance(value, dict):
        return all(map(_same_in_jsonb, [*value, *value.values()]))
    if isinstance(value, list):
        return all(map(_same_in_jsonb, value))
    return not isinstance(value, float) and not (isinstance(value, str) and "\0" in value)


def _state(data: str | bytes) -> bytes:
    if isinstance(data, bytes):
        return data
    if data.startswith(f'{{"{BYTES}"'):
        return base64.b64decode(msgspec.json.decode(data)[BYTES])
    return data.encode()
