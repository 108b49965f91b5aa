"""What waits for an operator: parked events and messages, open cases; over HTTP and in `mega`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from api.problems import ProjectionBehind
from domain.mint_view import spoken_time
from ledger.audit import Rows
from ledger.ledger import Ledger
from ledger.statements import named_statements
from projections.batch import LeadLost
from projections.catalog import all_projections
from projections.parked import replay
from projections.projection import Projection
from projections.refresh import refresh
from projections.tables import LIVE, connect

SQL = named_statements(Path(__file__).with_name("admin.sql"))


async def recoveries(
    rows: Rows, *, after: int = 0, limit: int, state: str | None = None, kind: str | None = None
) -> list[tuple[int, dict[str, Any]]]:
    """Cases with the position of each, in ledger order; all, or those of a state or a kind."""
    asked = {"after": after, "limit": limit, "state": state, "kind": kind}
    found = await rows(SQL["recoveries"], asked)
    return [(position, _recovery(*case)) for position, *case in found]


async def recovery(rows: Rows, case_id: str) -> dict[str, Any] | None:
    """One case; None: there is no such."""
    found = await rows(SQL["recovery"], {"case": case_id})
    return _recovery(*found[0]) if found else None


async def reconciliations(rows: Rows) -> list[dict[str, Any]]:
    """The last round of every comparison of the ledger with the outside."""
    names = ("checked", "corrected", "reviews", "failure")
    return [
        {"name": name, "finished_at": at and spoken_time(at), **dict(zip(names, told, strict=True))}
        for name, at, *told in await rows(SQL["reconciliations"])
    ]


async def parked(rows: Rows, *, after: int = 0, limit: int) -> list[tuple[int, dict[str, Any]]]:
    """What is parked anywhere, with the place of each, oldest first."""
    found = await rows(SQL["parked"], {"after": after, "limit": limit})
    return [(place, _parked(*what)) for place, *what in found]


async def replay_all(rows: Rows, url: str, ledger: Ledger, stream: str | None) -> dict[str, Any]:
    """Tries what is parked of a stream (None: everything) again.

    Projections are tried here and now; `events` and `messages` by who parked them, soon. Raises
    ProjectionBehind while a projection is being rebuilt.
    """
    asked = {"stream": stream}
    named = {name for (name,) in await rows(SQL["projections_parked"], asked)}
    tried = [await _again(url, ledger, one) for one in all_projections() if one.name in named]
    events = await rows(SQL["replay_events"], asked)
    messages = await rows(SQL["replay_messages"], asked)
    counts = {"events": len(events), "messages": len(messages)}
    return {**asked, "projections": tried, **counts}


async def refresh_row(
    url: str, ledger: Ledger, projection: Projection[Any], key: str, streams: Sequence[str]
) -> int:
    """As `projections.refresh`, of the live rows. Raises ProjectionBehind while they are made."""
    try:
        async with await connect(url, LIVE) as connection:
            return await refresh(connection, ledger, projection, key, streams)
    except (LeadLost, psycopg.errors.UndefinedTable):
        raise ProjectionBehind("(it is being rebuilt)") from None


async def _again(url: str, ledger: Ledger, projection: Projection[Any]) -> dict[str, Any]:
    async with await connect(url, LIVE) as connection:
        try:
            done = await replay(connection, ledger, projection)
        except LeadLost:
            raise ProjectionBehind("(it is being rebuilt)") from None
    return {"projection": projection.name, "tried": done.tried, "parked": done.parked}


def _parked(
    reader: str, origin: str, stream: str, error: str | None, again: bool, at: datetime
) -> dict[str, Any]:
    """`error` null: it only waits for one before it. `replay`: it was asked for again."""
    place = {"reader": reader, "origin": origin, "stream": stream}
    return {**place, "error": error, "replay": again, "parked_at": spoken_time(at)}


def _recovery(
    case_id: str,
    kind: str,
    stream: str,
    pass_id: str,
    opened_at: datetime,
    status: str,
    attempts: int,
    next_try_at: datetime | None,
    facts: Any,
) -> dict[str, Any]:
    """`next_try_at` null: nothing is tried by itself, or at once."""
    case = {"id": case_id, "kind": kind, "stream": stream, "pass_id": pass_id}
    next_try = spoken_time(next_try_at) if next_try_at else None
    waits = {"state": status, "attempts": attempts, "next_try_at": next_try}
    return {**case, "opened_at": spoken_time(opened_at), **waits, "facts": facts}
