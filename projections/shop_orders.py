"""shop_orders: every order of the Shopify shop, with what is to be done for it next.

`due_at`: what Shopify said has not been acted upon; `tag_due_at`: its customer is to be tagged.
Null: nothing is due.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from domain.shop_order import ShopOrder
from domain.shop_order_events import ShopOrderEvent, shop_order_key
from ledger.codec import Recorded
from projections.projection import Projection
from projections.topics import topics_of


@dataclass(frozen=True, slots=True)
class ToldOrder:
    """`changed_at`: when the last event was recorded."""

    position: int
    changed_at: datetime
    order: ShopOrder


class ShopOrders(Projection[ToldOrder]):
    name = "shop_orders"
    topics = topics_of(ShopOrderEvent)
    state = ToldOrder

    def keys(self, recorded: Recorded) -> Iterable[str]:
        event = recorded.event
        assert isinstance(event, ShopOrderEvent)
        return (shop_order_key(event.shop, event.order_id),)

    def fold(self, key: str, state: ToldOrder | None, recorded: Recorded) -> ToldOrder:
        order = (state.order if state else ShopOrder()).evolve(recorded.event)
        position = state.position if state else recorded.position
        return ToldOrder(position, recorded.recorded_at, order)

    def record(self, key: str, state: ToldOrder) -> dict[str, Any]:
        order, since = state.order, state.changed_at.isoformat()
        return {
            "shop_order_id": key,
            "pass_id": order.credit.pass_id if order.credit else None,
            "position": state.position,
            "status": order.status,
            "amount": order.granted,
            "taken_back": order.taken_back,
            "due_at": since if order.due else None,
            "tag_due_at": since if order.tag_due else None,
            "state": msgspec.json.encode(state).decode(),
        }
