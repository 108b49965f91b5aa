"""The cases of the shop: an order of nobody, a SKU that is no pack, a refund that says not for
what, a customer who cannot be tagged. One of a kind an order."""

from __future__ import annotations

from domain import shop_order_events as happened
from domain.shop_order_events import shop_order_key

KINDS = ("no_pass", "unknown_sku", "refund_amount_only", "not_tagged")
SHOP_TOPICS = (
    happened.ShopOrderUnclaimed,
    happened.ShopSkusUnknown,
    happened.ShopRefundUnclear,
    happened.ShopCustomerNotTagged,
    happened.ShopOrderCredited,
    happened.ShopOrderTurnedDown,
    happened.ShopOrderTakenBack,
    happened.ShopCustomerTagged,
    happened.ShopRetryAsked,
    happened.ShopCaseClosed,
)


def shop_case(kind: str, key: str) -> str:
    return f"{kind}:{key}"


def shop_case_of(case_id: str) -> dict[str, str] | None:
    """The kind, shop and order id of a case; None: it is no case of the shop."""
    kind, _, key = case_id.partition(":")
    shop, _, order_id = key.rpartition(":")
    found = {"kind": kind, "shop": shop, "order_id": order_id}
    return found if kind in KINDS and all(found.values()) else None


def shop_case_key(event: happened.ShopOrderEvent) -> str:
    """The case that this event opens or ends."""
    return shop_case(_kind(event), shop_order_key(event.shop, event.order_id))


def opens_shop_case(event: happened.ShopOrderEvent) -> dict[str, str] | None:
    """The facts of the case that this event opens; None: it opens none."""
    match event:
        case happened.ShopOrderUnclaimed(amount=amount):
            return {"amount": str(amount)}
        case happened.ShopSkusUnknown(skus=skus):
            return {"skus": ", ".join(repr(sku) for sku in skus[:20])}
        case happened.ShopRefundUnclear(refund_id=refund_id):
            return {"refund_id": refund_id}
        case happened.ShopCustomerNotTagged(customer_id=customer_id, reason=reason) if customer_id:
            return {"customer_id": customer_id, "reason": reason}
    return None


def _kind(event: happened.ShopOrderEvent) -> str:
    match event:
        case (
            happened.ShopOrderUnclaimed()
            | happened.ShopOrderCredited()
            | happened.ShopOrderTurnedDown()
        ):
            return "no_pass"
        case happened.ShopSkusUnknown():
            return "unknown_sku"
        case happened.ShopRefundUnclear() | happened.ShopOrderTakenBack():
            return "refund_amount_only"
        case happened.ShopRetryAsked(kind=kind) | happened.ShopCaseClosed(kind=kind):
            return kind
    return "not_tagged"
