"""What Shopify tells of an order or a refund, and what its packs are: the few facts that count."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from domain.shop_order_events import ShopLine

PAID = frozenset({"paid", "partially_refunded", "refunded"})
"""What is said of an order whose price was paid, whatever was given back later."""

TEST_NOTIFICATION = "820982911946154508"
"""The order of Shopify's "Send test notification", whatever else is said of it."""

PASS_PATTERN = r"^pass:(?:user|anon|shopify):[!-~]{1,150}$"
PASS_ID = re.compile(PASS_PATTERN)
_pack = re.compile(r"MINA-[0-9]+")


@dataclass(frozen=True, slots=True)
class RefundTold:
    refund_id: str
    lines: tuple[ShopLine, ...]


@dataclass(frozen=True, slots=True)
class OrderTold:
    """`financial_status` is Shopify's word; customer and pass are empty where nothing is said."""

    financial_status: str
    test: bool
    cancelled: bool
    customer_id: str
    named_pass: str
    lines: tuple[ShopLine, ...]
    refunds: tuple[RefundTold, ...]


@dataclass(frozen=True, slots=True)
class Packs:
    """Matcha by SKU, by a version of the config."""

    key: str
    version: int
    id: str
    values: Mapping[str, int]

    def value(self, sku: str) -> int:
        """Of one; 0: no pack of ours."""
        return self.values.get(sku, 0) if _pack.fullmatch(sku) else 0
