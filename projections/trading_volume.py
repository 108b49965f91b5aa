"""trading_volume: what each user has traded in all, in USD, summed from the topic `trades`.

A trade is unique by platform and id: the first counts, an equal second is nothing, a different one
is refused. A correction is a trade of its own id with negative volume. `contract.md` §6 and §9.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from ledger.audit import Rows
from projections.names import as_stored
from projections.topical import Record, TopicProjection, storable

Name = Annotated[str, Meta(min_length=1, max_length=200)]
# As exact as the trading platform's own DECIMAL(30, 10); `providers.md` §11. Python's $ alone would
# let a line end through.
Usd = Annotated[str, Meta(pattern=r"^-?[0-9]{1,20}(\.[0-9]{1,10})?$(?!\n)")]


class Trade(msgspec.Struct):
    """A trade; negative volume corrects another. Other fields may be there and mean nothing."""

    platform: Name
    trade_id: Name
    user_id: Name
    volume_usd: Usd
    traded_at: Annotated[datetime, Meta(tz=True)]


class TradingVolume(TopicProjection[Trade]):
    name = "trading_volume"
    topic = "trades"
    tables = ("trades", "trading_volume")
    _decoder = msgspec.json.Decoder(Trade)

    def read(self, record: Record) -> Trade:
        trade = self._decoder.decode(record.value or b"")
        storable(record.value, trade.platform, trade.trade_id, trade.user_id)
        trade.user_id = as_stored(trade.user_id)
        return trade

    async def write(self, connection: AsyncConnection, page: dict[str, str]) -> int:
        row = await (await connection.execute(self.sql["take"], page)).fetchone()
        return row[0] if row else 0


async def volume_of(rows: Rows, names: Iterable[str]) -> Decimal:
    """What a pass has traded in USD under all its names (`names.names_of`), corrections counted.

    Exact; 0 for one that never traded.
    """
    wanted = {"names": [as_stored(name) for name in set(names)]}
    ((volume,),) = await rows(TradingVolume.sql["volume_of"], wanted)
    return Decimal(volume)
