"""mint_orders: every order with its evidence, its surplus and its timeline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from domain.mint_view import describe_evidence, describe_order, describe_surplus, spoken_time
from domain.order import Order
from domain.order_events import OrderEvent
from ledger.codec import Recorded
from projections.projection import Projection
from projections.topics import topics_of


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a timeline."""

    event_id: str
    type: str
    time: str


@dataclass(frozen=True, slots=True)
class Tracked:
    position: int
    order: Order
    timeline: tuple[Moment, ...]


class MintOrders(Projection[Tracked]):
    name = "mint_orders"
    version = 2
    topics = topics_of(OrderEvent)
    state = Tracked

    def keys(self, recorded: Recorded) -> Iterable[str]:
        event = recorded.event
        assert isinstance(event, OrderEvent)
        return (event.order_id,)

    def fold(self, key: str, state: Tracked | None, recorded: Recorded) -> Tracked:
        known = state or Tracked(recorded.position, Order(), ())
        moment = Moment(recorded.id, recorded.topic, spoken_time(recorded.recorded_at))
        order = known.order.evolve(recorded.event)
        return Tracked(known.position, order, (*known.timeline, moment))

    def record(self, key: str, state: Tracked) -> dict[str, Any]:
        return {
            "order_id": key,
            "pass_id": state.order.pass_id,
            "position": state.position,
            "status": state.order.status,
            "view": self.view(state),
            "state": msgspec.json.encode(state).decode(),
        }

    def view(self, tracked: Tracked) -> dict[str, Any]:
        """The body of `GET /mint-orders/{id}`; its depth is that of the recorded evidence."""
        return {
            **describe_order(tracked.order),
            "attempts": len(tracked.order.hashes),
            "failure": tracked.order.failure or None,
            "evidence": describe_evidence(tracked.order),
            "overpaid": describe_surplus(tracked.order),
            "timeline": msgspec.to_builtins(tracked.timeline),
        }
