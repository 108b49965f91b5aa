"""An event that only a newer version of the program knows."""

from __future__ import annotations

from dataclasses import dataclass

from domain.event import event
from domain.order_events import OrderEvent


@event("order_dreamt.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDreamt(OrderEvent):
    dream: str
