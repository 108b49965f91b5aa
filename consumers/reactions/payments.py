"""Follows an order on its chain until its payment is final, and lets it lapse when nobody pays."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from commands.command import look
from commands.orders import ExpireOrder, SeeOrder
from consumers.evidence import Examiner, spoken
from consumers.reactions.promise import Desk, Promise, Publishes

CHAIN_RESULTS = "chain.results"


class Payments:
    def __init__(self, desk: Desk, examiner: Examiner, publisher: Publishes) -> None:
        self._desk, self._examiner, self._publisher = desk, examiner, publisher

    async def verify(self, promise: Promise) -> None:
        """Publishes what the chain says about the order's transactions, if it says something new."""
        see = SeeOrder(order_id=promise.order_id)
        seen = await look(self._desk.ledger, see)
        order = see.order(seen)
        found = await self._examiner.examine(order, see.wallets(seen), self._desk.now())
        if not found:
            return
        value = {"order_id": promise.order_id, "findings": spoken(found)}
        digest = sha256(msgspec.json.encode(value)).hexdigest()[:16]
        id_ = f"{order.stream}/{seen.version(order.stream)}:{digest}"
        await self._publisher.publish(CHAIN_RESULTS, order.stream, value, message_id=id_)

    async def expire(self, promise: Promise) -> None:
        await self._desk.do(ExpireOrder(order_id=promise.order_id), cause=promise.todo_id)
