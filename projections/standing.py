"""How far each projection is, what it could not apply, and which connection leads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ledger.audit import Rows
from ledger.statements import named_statements
from projections.catalog import all_projections
from projections.topic_catalog import topic_projections

SQL = named_statements(Path(__file__).with_suffix(".sql"))


@dataclass(frozen=True, slots=True)
class Leader:
    """The connection of the process that leads, as the database knows it."""

    backend_pid: int
    address: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """`version` is that of its rows (0: none yet), `wanted` that of this program.

    Of the ledger: `position` and `head` are positions, `parked` counts streams. Of a topic: both
    count messages, `head` as its leader saw it last; `parked` counts messages. `leader` None:
    nobody.
    """

    name: str
    version: int
    wanted: int
    position: int
    head: int
    parked: int
    leader: Leader | None

    @property
    def lag(self) -> int:
        return self.head - self.position


async def standings(rows: Rows) -> list[Standing]:
    """Every projection of this program, whether the database has heard of it or not."""
    ((head,),) = await rows(SQL["head"], {})
    known = {name: rest for name, *rest in await rows(SQL["standings"], {})}
    topics = {name: rest for name, *rest in await rows(SQL["topics"], {})}
    waiting = dict(await rows(SQL["messages_parked"], {}))
    names = [one.name for one in all_projections()] + [one.name for one in topic_projections()]
    leaders = {name: Leader(*who) for name, *who in await rows(SQL["leaders"], {"names": names})}
    found = []
    for one in all_projections():
        version, position, parked = known.get(one.name, (0, 0, 0))
        # What was recorded since the head was read is not lag.
        place = (one.version, position, max(head, position), parked)
        found.append(Standing(one.name, version, *place, leaders.get(one.name)))
    for each in topic_projections():
        version, taken, ends = topics.get(each.name, (0, 0, 0))
        place = (each.version, taken, ends, waiting.get(each.reader, 0))
        found.append(Standing(each.name, version, *place, leaders.get(each.name)))
    return found
