"""What ends by itself: lots of matcha past their date, and holds that nobody ended in time."""

from __future__ import annotations

from commands.matcha import ExpireMatcha
from consumers.reactions.promise import Desk, Promise


class Expiry:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def expire(self, promise: Promise) -> None:
        """`order_id` of the promise is the pass; a row of one merged away leads to its survivor."""
        await self._desk.do(ExpireMatcha(owner=promise.order_id), cause=promise.todo_id)
