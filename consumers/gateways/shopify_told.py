"""Orders as Shopify's GraphQL tells them, read into the few facts that count."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from consumers.gateways.shop_ports import ShopOrderSeen
from domain.shop_order_events import ShopLine
from domain.shop_told import OrderTold, RefundTold

PASS_ATTRIBUTE = "mg_pass_id"


class _Told(BaseModel):
    """A part of an answer, by the vendor's own names."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class More(_Told):
    hasNextPage: bool
    endCursor: str | None = None


class Line(_Told):
    id: str
    sku: str | None = None
    quantity: int = 1


class Lines(_Told):
    nodes: tuple[Line, ...]
    pageInfo: More


class RefundLine(_Told):
    quantity: int
    lineItem: Line


class RefundLines(_Told):
    nodes: tuple[RefundLine, ...]
    pageInfo: More


class Refund(_Told):
    legacyResourceId: str
    refundLineItems: RefundLines

    def told(self) -> RefundTold:
        lines = (_line(each.lineItem, each.quantity) for each in self.refundLineItems.nodes)
        return RefundTold(self.legacyResourceId, tuple(lines))


class Customer(_Told):
    legacyResourceId: str


class Attribute(_Told):
    key: str
    value: str | None = None


class Order(_Told):
    id: str
    legacyResourceId: str
    updatedAt: datetime
    test: bool
    cancelledAt: str | None = None
    displayFinancialStatus: str | None = None
    customer: Customer | None = None
    customAttributes: tuple[Attribute, ...] = ()
    lineItems: Lines
    refunds: tuple[Refund, ...] = ()

    def whole(self, refunds_asked: int) -> bool:
        """Whether nothing was left out. Refunds do not say so: fewer than asked for are all."""
        pages = [self.lineItems.pageInfo, *(one.refundLineItems.pageInfo for one in self.refunds)]
        cut = any(page.hasNextPage for page in pages)
        return not cut and len(self.refunds) < refunds_asked

    def seen(self, *, whole: bool) -> ShopOrderSeen:
        named = (each.value for each in self.customAttributes if each.key == PASS_ATTRIBUTE)
        told = OrderTold(
            financial_status=(self.displayFinancialStatus or "").lower(),
            test=self.test,
            cancelled=self.cancelledAt is not None,
            customer_id=self.customer.legacyResourceId if self.customer else "",
            named_pass=next((value for value in named if value), ""),
            lines=tuple(_line(each, each.quantity) for each in self.lineItems.nodes),
            refunds=tuple(each.told() for each in self.refunds),
        )
        return ShopOrderSeen(self.legacyResourceId, self.updatedAt, told, whole)


class Page(_Told):
    nodes: tuple[Order, ...]
    pageInfo: More


def _line(line: Line, quantity: int) -> ShopLine:
    return ShopLine(line.id.rpartition("/")[2], line.sku or "", quantity)
