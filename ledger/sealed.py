"""Events as a read side sees them: typed, but with their secrets still sealed.

What a projection keeps would outlive the key of an erased pass if it saw a secret's text, so it
never does. One unreadable event must not stop all others, so it stands in its place as Unreadable.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from domain.event import Event
from ledger import codec
from ledger.codec import Recorded
from ledger.rows import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable(Event):
    """An event whose data do not have the fields of its topic; `why` names the first."""

    why: str


def stored_as(topics: Iterable[str]) -> list[str]:
    """These topics, and the old ones that are read as one of them today."""
    wanted = set(topics)
    return sorted(wanted | {old for old in codec.old_topics() if codec.newest(old) in wanted})


def sealed_page(rows: Sequence[Fields]) -> list[Recorded]:
    return [
        Recorded(
            position,
            stream,
            version,
            topic,
            at,
            _event(topic, data),
            msgspec.json.decode(metadata),
        )
        for position, stream, version, topic, at, data, metadata, _ in rows
    ]


def _event(topic: str, data: str) -> Event:
    try:
        return codec.decode_data(topic, data, _as_it_is)
    except (msgspec.ValidationError, KeyError, TypeError, ValueError) as wrong:
        return Unreadable(why=f"{topic} is unreadable: {wrong}")


def _as_it_is(sealed: str) -> str:
    return sealed
