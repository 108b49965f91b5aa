"""badges: which badges each user holds, from the topic `badges`.

A badge_id names one award. What is revoked stays revoked, whichever of the two was said first; the
same id with another user or badge is refused. `contract.md` §6 and §9.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from ledger.audit import Rows
from projections.names import as_stored
from projections.topical import Record, TopicProjection, storable

Name = Annotated[str, Meta(min_length=1, max_length=200)]


class Said(msgspec.Struct):
    """What became of one award. Other fields may be there and mean nothing."""

    badge_id: Name
    user_id: Name
    badge: Name
    action: Literal["awarded", "revoked"]


class Badge(msgspec.Struct):
    """What a message says of a row; `awarded` as the table has it."""

    badge_id: str
    user_id: str
    badge: str
    revoked: bool
    awarded: tuple[int, int, int] | None


class Badges(TopicProjection[Badge]):
    name = "badges"
    topic = "badges"
    tables = ("badges",)
    _decoder = msgspec.json.Decoder(Said)

    def read(self, record: Record) -> Badge:
        said = self._decoder.decode(record.value or b"")
        storable(record.value, said.badge_id, said.user_id, said.badge)
        revoked = said.action == "revoked"
        place = None if revoked else (record.timestamp, record.partition, record.offset)
        return Badge(said.badge_id, as_stored(said.user_id), said.badge, revoked, place)

    async def write(self, connection: AsyncConnection, page: dict[str, str]) -> int:
        await connection.execute(self.sql["name"], page)
        return (await connection.execute(self.sql["say"], page)).rowcount


async def badges_of(rows: Rows, names: Iterable[str]) -> list[tuple[str, str]]:
    """(badge_id, badge) of what a pass holds under all its names (`names.names_of`).

    In an order that does not change: the earliest award first.
    """
    wanted = {"names": [as_stored(name) for name in set(names)]}
    return [(id_, badge) for id_, badge in await rows(Badges.sql["badges_of"], wanted)]
