"""Shopify orders for tests: what the shop tells, and packs to judge it by."""

from __future__ import annotations

from dataclasses import replace

from domain.shop_order_events import ShopLine
from domain.shop_told import OrderTold, Packs, RefundTold

SHOP, ORDER, CUSTOMER = "mina.myshopify.com", "450789469", "207119551"
PASS = f"pass:shopify:{CUSTOMER}"
PACKS = Packs("mma.packs", 3, "app_config:mma.packs:3", {"MINA-50": 50, "MINA-100": 100})


def line(line_id: str = "1", sku: str = "MINA-50", quantity: int = 4) -> ShopLine:
    return ShopLine(line_id, sku, quantity)


def refund(refund_id: str, *lines: ShopLine) -> RefundTold:
    return RefundTold(refund_id, lines)


def told(*lines: ShopLine, status: str = "paid", **more: object) -> OrderTold:
    order = OrderTold(
        financial_status=status,
        test=False,
        cancelled=False,
        customer_id=CUSTOMER,
        named_pass="",
        lines=lines or (line(),),
        refunds=(),
    )
    return replace(order, **more)  # type: ignore[arg-type]
