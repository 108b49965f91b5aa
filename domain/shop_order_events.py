"""What can have happened to a Shopify order. Ids of Shopify are decimal strings, since they are
beyond 2**53; amounts are whole matcha. No name, address or email is ever kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.event import Event, event

Source = Literal["webhook", "sweep"]


def shop_order_key(shop: str, order_id: str) -> str:
    return f"{shop}:{order_id}"


def shop_order_stream(shop: str, order_id: str) -> str:
    return f"order:shopify:{shop_order_key(shop, order_id)}"


@dataclass(frozen=True, slots=True)
class ShopLine:
    """So many of one article, bought or given back; `sku` may be empty."""

    line_id: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class CreditedLine:
    """`value`: the matcha of one, as the packs were that day."""

    line_id: str
    sku: str
    quantity: int
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopOrderEvent(Event):
    shop: str
    order_id: str

    @property
    def stream(self) -> str:
        return shop_order_stream(self.shop, self.order_id)


# What Shopify said.


@event("shop_order_reported.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShopOrderReported(ShopOrderEvent):
    """An order as Shopify told it, with something new in it. `delivery` is Shopify's name of the
    message, which proves nothing; `named_pass` is what the cart said, whether it exists or not."""

    source: Source
    delivery: str
    financial_status: str
    paid: bool
    test: bool
    cancelled: bool
    customer_id: str
    named_pass: str
    lines: tuple[ShopLine, ...]


@event("shop_refund_reported.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShopRefundReported(ShopOrderEvent):
    """A refund of what was bought; without lines it was of money alone."""

    source: Source
    delivery: str
    refund_id: str
    lines: tuple[ShopLine, ...]


@event("shop_delivery_repeated.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShopDeliveryRepeated(ShopOrderEvent):
    """A webhook said nothing new."""

    delivery: str
    number: int


# What came of it.


@event("shop_order_turned_down.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShopOrderTurnedDown(ShopOrderEvent):
    """No matcha for this order as it stands: test, cancelled, voided, unpaid or no_packs."""

    reason: str


@event("shop_skus_unknown.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShopSkusUnknown(ShopOrderEvent):
    """Paid for, but no pack of ours: somebody should look."""

    skus: tuple[str, ...]


@event("shop_order_unclaimed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShopOrderUnclaimed(ShopOrderEvent):
    """Paid for, but nothing says by whom."""

    amount: int


@event("shop_order_credited.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShopOrderCredited(ShopOrderEvent):
    """Its packs became a lot of matcha, by the version of the packs that is named here."""

    pass_id: str
    lot_id: str
    amount: int
    lines: tuple[CreditedLine, ...]
    config_key: str
    config_version: int
    config_id: str
    expires_at: datetime


@event("shop_refund_taken_back.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShopRefundTakenBack(ShopOrderEvent):
    """What a refund means for the lot: `amount` goes back, or is owed where it was used."""

    pass_id: str
    refund_id: str
    amount: int


@event("shop_refund_unclear.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShopRefundUnclear(ShopOrderEvent):
    """Money went back without a line that says for what: somebody should decide."""

    pass_id: str
    refund_id: str


@event("shop_order_taken_back.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShopOrderTakenBack(ShopOrderEvent):
    """The order ended after it was credited: all that was left of it goes back, or is owed."""

    pass_id: str
    reason: str
    amount: int


@event("shop_customer_tagged.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShopCustomerTagged(ShopOrderEvent):
    customer_id: str
    tag: str


@event("shop_customer_not_tagged.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShopCustomerNotTagged(ShopOrderEvent):
    """`reason`: no_customer, or why Shopify will not."""

    customer_id: str
    reason: str


# What operators decided.


@event("shop_order_given.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShopOrderGiven(ShopOrderEvent):
    """`by` found out whose order it is."""

    given_to: str
    reason: str
    by: str


@event("shop_retry_asked.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShopRetryAsked(ShopOrderEvent):
    """`by` has removed what stood in the way of a case of this kind."""

    kind: str
    by: str


@event("shop_case_closed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShopCaseClosed(ShopOrderEvent):
    """`by` has seen to a case of this kind."""

    kind: str
    reason: str
    by: str
