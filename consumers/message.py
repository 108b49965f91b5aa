"""A message as a handler sees it, and as it lies on a topic before anybody has understood it."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson
import psycopg
from pydantic import ValidationError

ERROR_LENGTH_MAX = 500
# Of a longer key the beginning is kept: it names the message to people, an index holds no more.
KEY_BYTES_MAX = 1_000
# The header of a record that could not be decoded: why.
UNREADABLE = "kafka_unreadable"

Headers = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Message:
    """`topic` is without prefix; `id` is the same however often the message is published."""

    topic: str
    partition: int
    offset: int
    key: str
    id: str
    value: dict[str, Any]


Handler = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Incoming:
    """The bytes of a message and where they came from; `topic` is without prefix.

    Of its key at most KEY_BYTES_MAX.
    """

    topic: str
    part: int
    place: int
    key: bytes
    headers: tuple[tuple[str, bytes], ...]
    value: bytes | None

    @property
    def origin(self) -> str:
        return f"{self.topic}/{self.part}/{self.place}"

    @property
    def id(self) -> str:
        """What its publisher calls it, else its place. Raises ValueError for one not in UTF-8."""
        return dict(self.headers).get("ce_id", self.origin.encode()).decode()

    def read(self) -> Message:
        """Raises ValueError when the key is not text or the value is not a JSON object.

        Of a record that could not be decoded, Unreadable, which is one.
        """
        if (undecoded := unreadable(self.headers)) is not None:
            raise undecoded
        if self.value is None:
            raise ValueError("the message has no value")
        value = orjson.loads(self.value)
        if not isinstance(value, dict):
            raise ValueError(f"the value is a JSON {type(value).__name__}, not an object")
        return Message(self.topic, self.part, self.place, self.key.decode(), self.id, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Tells on mega.parked that something waits. `origin`: an event's id, or topic/part/offset.

    `reader` is who could not go on: `relay`, or the group of an intake.
    """

    origin: str
    reader: str
    key: str
    error: str

    @property
    def id(self) -> str:
        return f"parked/{self.reader}/{self.origin}"

    @property
    def subject(self) -> str:
        """As whose it is published: of a message without a key, its place."""
        return self.key or self.origin


def described(error: Exception) -> str:
    """An error as it may be kept and published: its kind and reason, without the input."""
    reason = str(error)
    if isinstance(error, ValidationError):
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        reason = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in faults)
    elif isinstance(error, psycopg.Error):
        reason = error.diag.message_primary or "no reason given"
    text = f"{type(error).__name__}: {reason}"[:ERROR_LENGTH_MAX]
    return text.replace("\x00", "\\x00")


class Unreadable(ValueError):
    """The record could not be decoded."""


def unreadable(headers: Headers) -> Unreadable | None:
    """Why the record of these headers could not be decoded; None: it could."""
    for name, why in headers:
        if name == UNREADABLE:
            return Unreadable((why or b"").decode(errors="replace"))
    return None


def pack_headers(headers: tuple[tuple[str, bytes], ...]) -> bytes:
    return msgspec.json.encode([[name, base64.b64encode(text).decode()] for name, text in headers])


def unpack_headers(packed: bytes) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, base64.b64decode(text)) for name, text in msgspec.json.decode(packed))
