"""Commands of one pass that come at the same moment: one look and one append for all of them.

Each is decided on what those before it did, so that a thousand who race for the same credits meet
in a queue and not in conflicts: as many are accepted as there are credits, the others refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from commands.command import (
    ATTEMPTS_MAX,
    Command,
    Context,
    Decided,
    Outcome,
    Seen,
    TooBusy,
    answered_before,
    decide,
    see,
)
from domain.event import Refused
from ledger.coalesce import Coalescer
from ledger.errors import StreamConflict
from ledger.ledger import Ledger, NewEvent

AT_ONCE_MAX = 32
WAITING_MAX = 4_000
"""Of one pass; who comes then is told to come again."""

Asked = tuple[Command, Context]


class Together:
    """Handles commands as `handle` does, those of a pass in turn."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._passes: dict[str, Coalescer[Asked, Outcome]] = {}
        self._waiting: Counter[str] = Counter()

    async def handle(self, pass_id: str, command: Command, context: Context) -> Outcome:
        """Raises what `handle` raises; TooBusy when too many of the pass wait already."""
        if self._waiting[pass_id] >= WAITING_MAX:
            raise TooBusy()
        one = self._passes.setdefault(pass_id, Coalescer(self._call, limit=AT_ONCE_MAX))
        self._waiting[pass_id] += 1
        try:
            return await one.ask((command, context))
        finally:
            self._waiting[pass_id] -= 1
            if not self._waiting[pass_id]:
                del self._waiting[pass_id], self._passes[pass_id]

    async def _call(self, asked: list[Asked]) -> list[Outcome | BaseException]:
        return await handle_together(self._ledger, asked)


async def handle_together(ledger: Ledger, asked: Sequence[Asked]) -> list[Outcome | BaseException]:
    """The outcome or the refusal of each, in order. All are of one pass, and no two have the same
    idempotency key. What is recorded is one append."""
    for _ in range(ATTEMPTS_MAX):
        seen = await _look(ledger, asked)
        try:
            found = [await _decided(ledger, seen, *each) for each in asked]
            decided = [one for one in found if isinstance(one, Decided)]
            rows = [row for one in decided for row in one.rows]
            last = await _append(ledger, rows, decided)
        except StreamConflict:
            continue
        return _outcomes(found, last - len(rows), seen.position)
    return [TooBusy() for _ in asked]


async def _look(ledger: Ledger, asked: Sequence[Asked]) -> Seen:
    seen = Seen()

    def wanted() -> list[str]:
        return [
            stream
            for command, context in asked
            for stream in (*context.claims, *command.reads(seen))
        ]

    await see(ledger, seen, wanted)
    return seen


async def _decided(
    ledger: Ledger, seen: Seen, command: Command, context: Context
) -> Decided | Outcome | Refused:
    try:
        before = await answered_before(ledger, context, seen)
        return before or decide(command, context, seen)
    except Refused as no:
        return no


async def _append(ledger: Ledger, rows: list[NewEvent], decided: list[Decided]) -> int:
    if not rows:
        return 0
    (owner,) = {one.owner for one in decided if one.rows}
    return await ledger.append(rows, pass_id=owner)


def _outcomes(
    found: Sequence[Decided | Outcome | Refused], before: int, seen: int
) -> list[Outcome | BaseException]:
    """`before` is the position that the append began after; what it recorded lies without gaps."""
    told: list[Outcome | BaseException] = []
    for one in found:
        if isinstance(one, Decided):
            before += len(one.rows)
            told.append(Outcome(before if one.rows else seen, one.answer, one.events))
        else:
            told.append(one)
    return told
