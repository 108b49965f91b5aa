"""Between events and rows: what both faces of the ledger, async and sync, do alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
import psycopg

from domain.event import Event
from ledger import codec
from ledger.codec import Recorded
from ledger.errors import BalanceRefused, LedgerUnavailable, StreamConflict
from ledger.vault import Keyring

Fields = tuple[Any, ...]
BALANCE_GUARD = "mega_credits_cover_what_is_held"


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event at the version its writer expects to be free, with its metadata."""

    stream: str
    version: int
    event: Event
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """An event as it goes into the database: `event` is the JSON of data and metadata."""

    stream: str
    version: int
    topic: str
    event: str


@dataclass(frozen=True, slots=True)
class Stream:
    """The events of one stream in order, and the ledger position of the last (0: none)."""

    events: list[Event]
    position: int


def rows_of(events: Sequence[NewEvent], pass_id: str | None, keyring: Keyring) -> tuple[Row, ...]:
    """Encoded, with secrets sealed under the key of `pass_id`, which the keyring must hold."""
    return tuple(
        Row(
            new.stream,
            new.version,
            new.event.TOPIC,
            codec.encode(new.event, new.metadata, _sealer(new, pass_id, keyring)),
        )
        for new in events
    )


def _sealer(new: NewEvent, pass_id: str | None, keyring: Keyring) -> Callable[[str], str]:
    """Whoever reads finds the key by the pass of the row (`mg_pass_id`): it must be the same."""

    def seal(text: str) -> str:
        owner = owner_of(pass_id)
        if owner != (getattr(new.event, "pass_id", None) or new.metadata.get("pass_id")):
            raise ValueError(f"{new.event.TOPIC} has a secret of {owner}, whom it does not name")
        return keyring.seal(owner, text)

    return seal


def append_values(appends: Sequence[tuple[Row, ...]], ahead: timedelta) -> Fields:
    """The parallel arrays of `mega_append`."""
    flat = [(number, row) for number, rows in enumerate(appends) for row in rows]
    return (
        [number for number, _ in flat],
        [row.stream for _, row in flat],
        [row.version for _, row in flat],
        [row.topic for _, row in flat],
        [row.event for _, row in flat],
        ahead,
    )


def answers_of(rows: Sequence[Fields], appends: int) -> list[int | BaseException]:
    """What `mega_append` says of each append: the position of its last event, or a conflict."""
    answers: list[int | BaseException] = [LedgerUnavailable("no answer")] * appends
    for number, position, conflict in rows:
        answers[number] = position if conflict is None else StreamConflict(conflict)
    return answers


def lookup_values(rows: tuple[Row, ...]) -> Fields:
    """Asks whether this very append is recorded: its last event, by the command that led to it."""
    command_id = msgspec.json.decode(rows[-1].event)["metadata"].get("command_id")
    return (rows[-1].stream, rows[-1].version, command_id)


def stream_of(rows: Sequence[Fields], keyring: Keyring) -> Stream:
    events = [codec.decode_data(row[2], row[3], _reveal(keyring, row[4])) for row in rows]
    return Stream(events, rows[-1][5] if rows else 0)


def recorded_of(rows: Sequence[Fields], keyring: Keyring) -> list[Recorded]:
    return [
        Recorded(
            position,
            stream,
            version,
            topic,
            at,
            codec.decode_data(topic, data, _reveal(keyring, owner)),
            msgspec.json.decode(metadata),
        )
        for position, stream, version, topic, at, data, metadata, owner in rows
    ]


def translated(refused: psycopg.Error) -> Exception:
    if refused.diag.constraint_name == BALANCE_GUARD:
        return BalanceRefused(str(refused))
    return refused


def owner_of(pass_id: str | None) -> str:
    if pass_id is None:
        raise ValueError("a secret needs a pass under whose key it is sealed")
    return pass_id


def _reveal(keyring: Keyring, pass_id: str | None) -> Callable[[str], str]:
    return lambda text: keyring.reveal(pass_id or "", text)
