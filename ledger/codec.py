"""Typed events to JSON and back, with secrets sealed and old versions lifted on the way in.

The form in the ledger is `{"data": {…the event's fields…}, "metadata": {…}}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec

from domain.event import Event, event_types, secret, with_leaves

Text = Callable[[str], str]
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

_upcasters: dict[str, tuple[str, Upcaster]] = {}


class UnknownTopic(Exception):
    """The ledger has an event that this version of the program does not know."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event in its place. `id` is `<stream>/<version>`, the same wherever it is named."""

    position: int
    stream: str
    version: int
    topic: str
    recorded_at: datetime
    event: Event
    metadata: Mapping[str, Any]

    @property
    def id(self) -> str:
        return f"{self.stream}/{self.version}"


def upcast(old: str, *, to: str) -> Callable[[Upcaster], Upcaster]:
    """Registers how the data of topic `old` reads as topic `to`; chains are followed."""

    def register(lift: Upcaster) -> Upcaster:
        _upcasters[old] = (to, lift)
        return lift

    return register


def old_topics() -> frozenset[str]:
    """Topics that are read as another: nothing writes them any more, ledgers still have them."""
    return frozenset(_upcasters)


def newest(topic: str) -> str:
    """The topic that `topic` is read as today: itself, unless there is an upcaster."""
    while topic in _upcasters:
        topic, _ = _upcasters[topic]
    return topic


@cache
def secret_fields(topic: str) -> tuple[str, ...]:
    """The fields that are secret as a whole."""
    return _marked(topic, "secret")


@cache
def leaf_fields(topic: str) -> tuple[str, ...]:
    """The fields that have secret texts somewhere within."""
    return _marked(topic, "secret leaves")


def has_secrets(topic: str) -> bool:
    return bool(secret_fields(topic) or leaf_fields(topic))


def encode(event: Event, metadata: Mapping[str, Any], seal: Text) -> str:
    event = _mapped(event, seal)
    return msgspec.json.encode({"data": event, "metadata": metadata}).decode()


def decode_data(topic: str, data: str, reveal: Text) -> Event:
    """The event from its `data` alone."""
    if topic in _upcasters:
        topic, data = _lifted(topic, data)
    try:
        event: Event = _decoder(topic).decode(data)
    except KeyError:
        raise UnknownTopic(topic) from None
    return _mapped(event, reveal)


def _mapped(event: Event, text: Text) -> Event:
    """The event with `text` done to each of its secrets."""
    whole, within = secret_fields(event.TOPIC), leaf_fields(event.TOPIC)
    if not whole and not within:
        return event
    new = {name: text(getattr(event, name)) for name in whole}
    for name in within:
        new[name] = with_leaves(getattr(event, name), lambda leaf: secret(text(leaf)))
    return replace(event, **new)


def _marked(topic: str, mark: str) -> tuple[str, ...]:
    cls = event_types().get(topic)
    if cls is None:
        return ()
    hints = get_type_hints(cls, include_extras=True)
    return tuple(name for name, hint in hints.items() if _is_marked(hint, mark))


def _is_marked(hint: Any, mark: str) -> bool:
    return get_origin(hint) is Annotated and mark in get_args(hint)[1:]


@cache
def _decoder(topic: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(event_types()[topic])


def _lifted(topic: str, data: str) -> tuple[str, str]:
    fields = msgspec.json.decode(data)
    while topic in _upcasters:
        topic, lift = _upcasters[topic]
        fields = lift(fields)
    return topic, msgspec.json.encode(fields).decode()
