"""What reactions may ask of the shop. Failures are the three of `ports.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.shop_told import OrderTold


@dataclass(frozen=True, slots=True)
class ShopOrderSeen:
    """An order as the shop has it now, told as its webhook tells it. Not `whole`: it has more lines
    or refunds than were read, and what is missing needs a person."""

    order_id: str
    updated_at: datetime
    told: OrderTold
    whole: bool = True


@dataclass(frozen=True, slots=True)
class OrdersSeen:
    """Some orders, those longest unchanged first. `cursor` leads to the next ones, None at the
    end."""

    orders: tuple[ShopOrderSeen, ...]
    cursor: str | None


class Shop(Protocol):
    """The shop's own books, of which webhooks are only the news."""

    async def add_tag(self, customer_gid: str, tag: str) -> None:
        """Give a customer a tag, once or again. WillNotWork: there is no such customer, or this
        token may not."""
        ...

    async def orders_since(self, at: datetime, cursor: str | None = None) -> OrdersSeen:
        """Orders changed at `at` (aware) or later, paid or not; `cursor` of the page before, asked
        with the same `at`."""
        ...


def customer_gid(customer_id: str) -> str:
    """The customer's id as `add_tag` wants it."""
    return f"gid://shopify/Customer/{customer_id}"
