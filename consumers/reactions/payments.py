"""Follows an order on its chain until its payment is final, and lets it lapse when nobody pays."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from commands.command import Command, Seen, look
from commands.orders import ExpireOrder, SeeOrder
from consumers.evidence import Examiner, spoken
from consumers.reactions.promise import Desk, Promise, Publishes
from domain.order import Order

CHAIN_RESULTS = "chain.results"


class Payments:
    def __init__(self, desk: Desk, examiner: Examiner, publisher: Publishes) -> None:
        self._desk, self._examiner, self._publisher = desk, examiner, publisher

    async def verify(self, promise: Promise) -> None:
        """Publishes what the chain says about an order's transactions, if that is news."""
        see = SeeOrder(order_id=promise.order_id)
        seen = await look(self._desk.ledger, see)
        order, wallets = see.order(seen), see.wallets(seen)
        found = await self._examiner.examine(order, wallets, self._desk.now())
        await self._say(seen, order, found)

    async def watch(self, promise: Promise) -> None:
        """Publishes that the block of a settled payment is gone, or that it is final."""
        see = SeeOrder(order_id=promise.order_id)
        seen = await look(self._desk.ledger, see)
        order = see.order(seen)
        head = await self._examiner.chain.head()
        await self._say(seen, order, await self._examiner.standing(order, head))

    async def _say(self, seen: Seen, order: Order, found: list[Command]) -> None:
        if not found:
            return
        value = {"order_id": order.order_id, "findings": spoken(found)}
        digest = sha256(msgspec.json.encode(value)).hexdigest()[:16]
        id_ = f"{order.stream}/{seen.version(order.stream)}:{digest}"
        await self._publisher.publish(CHAIN_RESULTS, order.stream, value, message_id=id_)

    async def expire(self, promise: Promise) -> None:
        await self._desk.do(ExpireOrder(order_id=promise.order_id), cause=promise.todo_id)
