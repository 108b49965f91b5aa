"""The archive: what a pass had made, newest first, found by kind, liking, time or words.

Its order is that of deliveries: what is delivered meanwhile comes before the first page, so that
paging repeats and skips nothing (I-18). Briefs are sealed in the view; a search opens them.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from unicodedata import normalize
from zoneinfo import ZoneInfo

from starlette.requests import Request

from api.asking import POSITION_MAX, cursor_of, moment, page_asked
from api.parts import Parts
from api.principal import Principal
from api.problems import Invalid
from commands.command import look
from commands.generations import SeeGeneration
from domain.generation import Generation
from domain.generation_events import CreationBegun
from ledger.statements import named_statements

SQL = named_statements(Path(__file__).with_name("archive.sql"))
KINDS = ("still", "video")
Q_MAX = 200
SCAN_PAGE = 500
SCANNED_MAX = 2_000
"""Briefs that one request looks through; its cursor goes on from there."""
ANCESTORS_MAX = 1_000
NAMES = ("generation_id", "pass_id", "kind", "output_url", "liked", "created_at", "parent_id")
MODES = {"still": "still", "video": "animation"}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """`since` and `until` are PostgreSQL's timestamps, the second excluded; `scan` is how many
    briefs are looked through."""

    limit: int
    before: int
    kind: str | None
    liked: bool | None
    since: str
    until: str
    q: str
    scan: int = SCANNED_MAX


def wanted(request: Request, zone: str) -> Wanted:
    """What the query asks for; a filter that is left empty, as forms send it, asks for nothing. A
    date means the whole day where the studio is (`zone`)."""
    said = {name: text for name, text in request.query_params.items() if text}
    kind, liked, q = said.get("kind"), said.get("liked"), said.get("q", "")
    if kind not in (None, *KINDS):
        raise Invalid(("query.kind", f"one of {', '.join(KINDS)}"))
    if liked not in (None, "true", "false"):
        raise Invalid(("query.liked", "true or false"))
    if len(q) > Q_MAX:
        raise Invalid(("query.q", f"at most {Q_MAX} characters"))
    limit, before = page_asked(request)
    return Wanted(
        limit=limit,
        before=before or POSITION_MAX,
        kind=kind,
        liked=None if liked is None else liked == "true",
        since=_edge(said.get("from"), "from", zone) or "-infinity",
        until=_edge(said.get("to"), "to", zone) or "infinity",
        q=_folded(q).strip(),
    )


async def page(parts: Parts, who: Principal, want: Wanted) -> dict[str, Any]:
    """`{items, next_cursor}`."""
    found: list[Row] = []
    scanned, reached, ended = 0, want.before, True
    async for row in _rows(parts, who, want):
        scanned, reached = scanned + 1, row["done_position"]
        if want.q in _folded(row["brief"]):
            found.append(row)
        if len(found) > want.limit or scanned >= want.scan:
            ended = False
            break
    if len(found) > want.limit:
        reached = found[want.limit - 1]["done_position"]
    items = [_item(row) for row in found[: want.limit]]
    return {"items": items, "next_cursor": None if ended else cursor_of(reached)}


async def recreation(parts: Parts, known: Generation) -> dict[str, Any]:
    """What the studio loads to make it again: the words it began with, its settings, its assets."""
    terms = known.terms
    assert terms is not None
    return {
        "mode": MODES[terms.mma_mode],
        "brief": (await _first(parts, terms)).brief,
        "style": terms.style,
        "settings": terms.settings,
        "assets": terms.assets,
    }


async def _first(parts: Parts, terms: CreationBegun) -> CreationBegun:
    """Of tweaks, what they go back to: feedback alone is no brief."""
    for _ in range(ANCESTORS_MAX):
        if terms.origin not in ("tweak", "regenerate") or terms.parent_id is None:
            break
        see = SeeGeneration(generation_id=terms.parent_id.removeprefix("generation:"))
        parent = see.generation(await look(parts.ledger, see)).terms
        assert parent is not None
        terms = parent
    return terms


async def _rows(parts: Parts, who: Principal, want: Wanted) -> AsyncIterator[Row]:
    """Newest first, their briefs open."""
    names = list(who.names)
    after, before = await _bounds(parts, names, want)
    size = min(SCAN_PAGE, want.scan) if want.q else want.limit + 1
    statement = SQL["page_of_kind" if want.kind else "page"]
    asked = {"kind": want.kind, "liked": want.liked, "since": want.since, "until": want.until}
    if want.liked:
        statement = SQL["page_of_liked"]
    while True:
        place = {"names": names, "after": after, "before": before, "limit": size}
        rows = await parts.reader.rows(statement, {**asked, **place})
        await parts.ledger.vault.load_keys({row[2] for row in rows})
        for row in rows:
            yield _opened(parts, row)
        if len(rows) < size:
            return
        before = rows[-1][0]


async def _bounds(parts: Parts, names: list[str], want: Wanted) -> tuple[int, int]:
    """Between which positions, both excluded, the wanted ones lie."""
    if (want.since, want.until) == ("-infinity", "infinity"):
        return 0, want.before
    asked = {"names": names, "since": want.since, "until": want.until}
    ((after, before),) = await parts.reader.rows(SQL["window"], asked)
    return after or 0, min(want.before, before or POSITION_MAX)


def _folded(text: str) -> str:
    """Without regard to case, nor to how an accent is written."""
    return normalize("NFC", text.casefold())


def _opened(parts: Parts, row: Sequence[Any]) -> Row:
    position, *facts, brief = row
    named = dict(zip(NAMES, facts, strict=True))
    text = parts.ledger.vault.reveal(named["pass_id"], brief)
    return {"done_position": position, **named, "brief": text}


def _item(row: Row) -> dict[str, Any]:
    told = ("generation_id", "kind", "output_url", "liked", "parent_id", "brief")
    created_at = row["created_at"].astimezone(UTC).isoformat()
    return {**{name: row[name] for name in told}, "created_at": created_at}


def _edge(said: str | None, name: str, zone: str) -> str | None:
    """The first moment that is in (`from`), or that is out again (`to`)."""
    if said is None:
        return None
    try:
        return _moment_of(said, name == "to", ZoneInfo(zone)).isoformat()
    except (ValueError, OverflowError):
        raise Invalid((f"query.{name}", "RFC 3339 with a zone, or a date")) from None


def _moment_of(said: str, ends: bool, zone: ZoneInfo) -> datetime:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", said):
        day = datetime.combine(date.fromisoformat(said), time(), zone)
        return day + timedelta(days=ends)
    then = moment(re.sub(r" (\d\d:\d\d)$", r"+\1", said))
    if then is None or then.time is None:
        raise ValueError(said)
    return then.time + timedelta(microseconds=ends)
