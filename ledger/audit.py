"""The ledger as an auditor reads it: any event, any stream at any time, never a secret.

Secret fields stay sealed: they read as `[sealed]`, whether or not their key still exists.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from ledger import codec
from ledger.codec import Recorded
from ledger.statements import named_statements

SQL = named_statements(Path(__file__).with_suffix(".sql"))
SCANNED_MAX = 20_000
SEALED: Final = "[sealed]"
NO_HASH = "00" * 32

Rows = Callable[[Any, Mapping[str, Any]], Awaitable[Sequence[Any]]]
"""Executes a statement with named values and gives its rows."""


async def of_stream(rows: Rows, stream: str, *, first: int, limit: int) -> list[dict[str, Any]]:
    """The events of a stream from a version on."""
    values = {"stream": stream, "first": first, "limit": limit}
    return [_spoken(row) for row in await rows(SQL["of_stream"], values)]


async def events(
    rows: Rows,
    *,
    first: int,
    limit: int,
    type: str | None = None,
    names: Sequence[str] | None = None,
) -> tuple[list[dict[str, Any]], int | None]:
    """Events from a position on, and the position to go on from (None: there is no more yet).

    Only `SCANNED_MAX` positions are looked at, so a rare type may yield an empty page that goes on.
    """
    head, _ = await head_of(rows)
    last = head if names else min(head, first + SCANNED_MAX - 1)
    asked = {"type": type, "names": list(names or ())}
    values = {"first": first, "last": last, "limit": limit, **asked}
    statement = SQL["of_pass" if names else "between"]
    found = [_spoken(row) for row in await rows(statement, values)]
    reached = found[-1]["position"] if len(found) == limit else last
    return found, reached + 1 if reached < head else None


async def history(
    rows: Rows, streams: Sequence[str], *, position: int | None = None, at: datetime | None = None
) -> list[Recorded]:
    """The events of these streams in ledger order, up to a position or a time if one is given."""
    values = {"streams": list(streams), "position": position, "at": at}
    return [
        Recorded(p, s, v, t, at, codec.decode_data(t, d, _sealed), msgspec.json.decode(m))
        for p, s, v, t, at, d, m in await rows(SQL["until"], values)
    ]


async def streams_of(rows: Rows, names: Sequence[str], kinds: Sequence[str]) -> list[str]:
    """The streams of some kinds (`order`, …) that belong to a pass of these names."""
    values = {"names": list(names), "kinds": list(kinds)}
    return [stream for (stream,) in await rows(SQL["streams_of"], values)]


async def head_of(rows: Rows) -> tuple[int, str]:
    """The last position and its hash in hexadecimal; (0, zeros) for an empty ledger."""
    found = await rows(SQL["head"], {})
    return (found[0][0], found[0][1]) if found else (0, NO_HASH)


def _spoken(row: Sequence[Any]) -> dict[str, Any]:
    position, stream, version, topic, at, data, correlation_id, causation_id = row
    return {
        "id": f"{stream}/{version}",
        "position": position,
        "stream": stream,
        "version": version,
        "type": topic,
        "time": spoken_time(at),
        "data": _masked(msgspec.json.decode(data or "null")),
        "correlation_id": correlation_id,
        "causation_id": causation_id,
    }


def spoken_time(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _masked(data: Any) -> Any:
    if not isinstance(data, dict):
        return data
    return {name: _sealed(v) if isinstance(v, str) else v for name, v in data.items()}


def _sealed(text: str) -> str:
    return SEALED if text.startswith("sealed:v1:") else text
