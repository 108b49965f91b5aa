"""What passes have felt about their creations, as the view `generations` knows it."""

from __future__ import annotations

from pathlib import Path

from psycopg import AsyncConnection

from ledger.statements import named_statements

SQL = named_statements(Path(__file__).with_suffix(".sql"))


class FeltViews:
    """`Felt`, of a pass and of every pass that was merged into it."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def newest(self, pass_id: str, most: int) -> list[str]:
        async with await AsyncConnection.connect(self._url, autocommit=True) as connection:
            asked = await connection.execute(SQL["newest"], {"pass_id": pass_id, "most": most})
            return [str(id_) for (id_,) in await asked.fetchall()]
