"""What GETs may also ask: `min_position`, `as_of`, `limit`, `cursor` (`contract.md` §1)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.deps import parts_of
from api.problems import Invalid
from api.speech import AS_OF, MIN_POSITION
from ledger.codec import Recorded

LIMIT_DEFAULT = 50
LIMIT_MAX = 100
POSITION_MAX = 2**63 - 1
_digits = re.compile(r"[0-9]{1,19}")
_rfc3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.IGNORECASE)

_position = {"type": "integer", "minimum": 0}
FRESH = {"min_position": (MIN_POSITION, _position, 1)}
THEN = {"as_of": (AS_OF, {"type": "string"}, str(POSITION_MAX))}
PAGED = {
    "limit": ("How many at most.", {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX}, 20),
    "cursor": ("`next_cursor` of the page before.", {"type": "string"}, "MA=="),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A place in history: a position, or a time."""

    position: int | None = None
    time: datetime | None = None

    def covers(self, recorded: Recorded) -> bool:
        if self.position is not None:
            return recorded.position <= self.position
        return self.time is not None and recorded.recorded_at <= self.time

    def past(self, history: list[Recorded]) -> list[Recorded]:
        """What had been recorded by then."""
        return [recorded for recorded in history if self.covers(recorded)]


def as_of(request: Request) -> Moment | None:
    """The moment asked for; None: now."""
    said = request.query_params.get("as_of")
    if said is None:
        return None
    # A `+` that nobody escaped arrives as a space.
    then = moment(re.sub(r" (\d\d:\d\d)$", r"+\1", said))
    if then is None:
        raise Invalid(("query.as_of", "RFC 3339 with a zone, or a position"))
    return then


def moment(said: str) -> Moment | None:
    """What RFC 3339 with a zone, or a position, names; None: `said` is neither."""
    if _digits.fullmatch(said) and int(said) <= POSITION_MAX:
        return Moment(position=int(said))
    if not _rfc3339.fullmatch(said):
        return None
    try:
        return Moment(time=datetime.fromisoformat(said.upper()).astimezone(UTC))
    except (ValueError, OverflowError):
        return None


async def fresh(request: Request, projection: str) -> None:
    """Waits until the projection shows `min_position`; ProjectionBehind when it takes too long."""
    if "min_position" in request.query_params:
        parts, position = parts_of(request), whole(request, "min_position", 0, POSITION_MAX)
        await parts.reader.reached(projection, position, parts.settings.mega_read_wait_s)


def page_asked(request: Request) -> tuple[int, int]:
    """(how many, after which position)"""
    limit = LIMIT_DEFAULT
    if "limit" in request.query_params:
        limit = whole(request, "limit", 1, LIMIT_MAX)
    return limit, _after(request)


def page(rows: list[tuple[int, str]], limit: int) -> Response:
    """`rows`: (position, JSON text), one more than `limit` when there is a next page."""
    shown = rows[:limit]
    items = ",".join(text for _, text in shown)
    more = f'"{cursor_of(shown[-1][0])}"' if len(rows) > limit else "null"
    body = f'{{"items":[{items}],"next_cursor":{more}}}'
    return Response(body, media_type="application/json")


def cursor_of(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode()


def _after(request: Request) -> int:
    said = request.query_params.get("cursor")
    if said is None:
        return 0
    try:
        text = base64.b64decode(said.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        text = ""
    if not _digits.fullmatch(text) or int(text) > POSITION_MAX:
        raise Invalid(("query.cursor", "not a cursor of ours"))
    return int(text)


def whole(request: Request, name: str, least: int, most: int) -> int:
    """A query parameter that is there; Invalid unless it is an integer in these bounds."""
    said: Any = request.query_params[name]
    if not _digits.fullmatch(said) or not least <= int(said) <= most:
        raise Invalid((f"query.{name}", f"an integer from {least} to {most}"))
    return int(said)
