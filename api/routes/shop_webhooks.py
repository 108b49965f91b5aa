"""What Shopify tells of orders and refunds: taken in, acknowledged, and acted upon afterwards.

The signature is the sign-in. Nothing is decided here, since Shopify waits no longer than 5 s: one
append, or none for what is told again. One URL a topic, because headers are not signed; the body
alone says what an order is.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.deps import answered, context, parts_of
from api.routes.examples import SHOP_ORDER, SHOP_REFUND
from api.shopify import Order, Refund, Told, delivery_of, read, signed_bytes
from api.speech import told
from commands.command import handle
from commands.shop_orders import ReportShopOrder, ReportShopRefund

router = APIRouter(prefix="/webhooks/shopify", tags=["webhooks"])
TEXT = {"type": "string"}
HEADERS = {
    "X-Shopify-Hmac-Sha256": "Base64 of the HMAC-SHA256 of the raw body; also without the X-.",
    "X-Shopify-Shop-Domain": "Whose order it is; also without the X-.",
}


def signed(summary: str, body: type[Told], example: Any) -> dict[str, Any]:
    """What OpenAPI says of a webhook."""
    said = told(
        summary,
        body=body,
        example=example,
        answers={200: {"received": True}},
        problems=(401, 403, 413, 422, 429, 503),
        signed_in=False,
    )
    said["openapi_extra"]["parameters"] = [
        {"name": name, "in": "header", "required": True, "description": why, "schema": TEXT}
        for name, why in HEADERS.items()
    ]
    return said


@router.post("/orders-paid", **signed("An order was paid", Order, SHOP_ORDER))
async def orders_paid(request: Request) -> Response:
    return await order_told(request)


@router.post("/orders-cancelled", **signed("An order was cancelled", Order, SHOP_ORDER))
async def orders_cancelled(request: Request) -> Response:
    return await order_told(request)


@router.post("/refunds-create", **signed("Money went back", Refund, SHOP_REFUND))
async def refunds_create(request: Request) -> Response:
    refund = read(await signed_bytes(request, parts_of(request)), Refund)
    about = _about(request, refund.order_id)
    return await taken_in(request, ReportShopRefund(**about, told=refund.said()))


async def order_told(request: Request) -> Response:
    order = read(await signed_bytes(request, parts_of(request)), Order)
    return await taken_in(request, ReportShopOrder(**_about(request, order.id), told=order.said()))


async def taken_in(request: Request, command: ReportShopOrder | ReportShopRefund) -> Response:
    """Deliveries of one order come in turn: at once, all but one would have to look again."""
    parts = parts_of(request)
    async with parts.turns.of(command.stream):
        return answered(await handle(parts.ledger, command, context(request)))


def _about(request: Request, order_id: int) -> dict[str, Any]:
    shop = parts_of(request).settings.mega_shopify_shop
    delivery = delivery_of(request)
    return {"shop": shop, "order_id": str(order_id), "source": "webhook", "delivery": delivery}
