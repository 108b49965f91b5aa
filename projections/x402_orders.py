"""x402_orders: every Geoplet mint and regeneration, with what is to be done for it next and when.

Secrets stay sealed in it; who shows an order opens them. `due_at`: when somebody should look at the
payment or the mint; `picture_due_at`: when a picture should be made. Null: nothing is due.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from domain.x402_duty import duty, picture_due
from domain.x402_events import X402Event
from domain.x402_order import X402Order
from ledger.codec import Recorded
from projections.projection import Projection
from projections.topics import topics_of


@dataclass(frozen=True, slots=True)
class TrackedOrder:
    """`changed_at`: when the last event was recorded."""

    position: int
    changed_at: datetime
    order: X402Order


class X402Orders(Projection[TrackedOrder]):
    name = "x402_orders"
    topics = topics_of(X402Event)
    state = TrackedOrder

    def keys(self, recorded: Recorded) -> Iterable[str]:
        event = recorded.event
        assert isinstance(event, X402Event)
        return (event.order_id,)

    def fold(self, key: str, state: TrackedOrder | None, recorded: Recorded) -> TrackedOrder:
        order = (state.order if state else X402Order()).evolve(recorded.event)
        position = state.position if state else recorded.position
        return TrackedOrder(position, recorded.recorded_at, order)

    def record(self, key: str, state: TrackedOrder) -> dict[str, Any]:
        order, since = state.order, state.changed_at
        assert order.terms is not None
        due, picture = duty(order, since), picture_due(order, since)
        return {
            "order_id": key,
            "fid": order.terms.fid,
            "payment_type": order.terms.payment_type,
            "number": order.terms.number,
            "pass_id": order.pass_id,
            "position": state.position,
            "status": order.status,
            "due_at": due.isoformat() if due else None,
            "picture_due_at": picture.isoformat() if picture else None,
            "state": msgspec.json.encode(state).decode(),
        }
