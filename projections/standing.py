"""How far each projection is, what it could not apply, and which connection leads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ledger.audit import Rows
from ledger.statements import named_statements
from projections.catalog import all_projections

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

    `head` is the last position of the ledger; `parked` counts streams. `leader` None: nobody.
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
    return [
        _standing(one.name, one.version, head, *known.get(one.name, (0, 0, 0, None, None, None)))
        for one in all_projections()
    ]


def _standing(
    name: str, wanted: int, head: int, version: int, position: int, parked: int, *leader: Any
) -> Standing:
    # What was recorded since the head was read is not lag.
    led = Leader(*leader) if leader[0] is not None else None
    return Standing(name, version, wanted, position, max(head, position), parked, led)
