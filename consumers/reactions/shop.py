"""Settles what Shopify said of an order, and has the buyer tagged there.

The credit comes first and needs nobody's answer; the tag has a promise of its own, so that a shop
that is slow or throttles holds up no matcha. Giving a tag again changes nothing: an answer that
never came is asked for once more.
"""

from __future__ import annotations

import structlog

from commands.command import look
from commands.shop_orders import NoteTag, SeeShopOrder, SettleShopOrder
from consumers.gateways.ports import WillNotWork
from consumers.gateways.shop_ports import Shop, customer_gid
from consumers.reactions.promise import Desk, Promise
from domain.shop_order import TAG

REASON_MAX = 500

log = structlog.get_logger()


class ShopOrders:
    """Promises name an order as `<shop>:<order id>`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def settle(self, promise: Promise) -> None:
        await self._desk.do(SettleShopOrder(**_ids(promise)), cause=promise.todo_id)


class ShopTags:
    """A shop that is frozen is asked again; a customer who is not there any more is not."""

    def __init__(self, desk: Desk, shop: Shop) -> None:
        self._desk, self._shop = desk, shop

    async def give(self, promise: Promise) -> None:
        see = SeeShopOrder(**_ids(promise))
        order = see.order(await look(self._desk.ledger, see))
        if not order.tag_due:
            return
        reason = ""
        try:
            await self._shop.add_tag(customer_gid(order.customer_id), TAG)
        except WillNotWork as never:
            if never.error_class == "quota":
                raise
            log.warning("customer_not_tagged", order=order.stream, why=never.reason)
            reason = never.reason[:REASON_MAX] or never.error_class
        await self._desk.do(NoteTag(**_ids(promise), reason=reason), cause=promise.todo_id)


def _ids(promise: Promise) -> dict[str, str]:
    shop, _, order_id = promise.order_id.rpartition(":")
    return {"shop": shop, "order_id": order_id}
