"""Webhooks as Shopify sends them, signed over their very bytes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from domain.event import Event
from tests.api.living import Living

SHOP = "mina-test.myshopify.com"
SECRETS = ("hush-new", "hush-old")
SAMPLES = json.loads(
    (Path(__file__).parents[1] / "vectors/shopify_payload_samples.json").read_text()
)
PAID, CANCELLED, REFUND = "orders-paid", "orders-cancelled", "refunds-create"
PREFIX = "x-shopify-"


def order(order_id: int, **more: Any) -> dict[str, Any]:
    """A paid order of four times MINA-50, with all that Shopify says of it."""
    sample = SAMPLES["order"]
    bought = {**sample["line_items"][0], "sku": "MINA-50", "quantity": 4}
    paid = {"id": order_id, "test": False, "financial_status": "paid", "cancelled_at": None}
    return {**sample, **paid, "line_items": [bought], **more}


def sign(raw: bytes, secret: str = SECRETS[0]) -> str:
    return base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()


def headers(raw: bytes, *, prefix: str = PREFIX, shop: str = SHOP, **more: str) -> dict[str, str]:
    named = {"hmac-sha256": sign(raw), "shop-domain": shop, "webhook-id": "w-1", **more}
    return {f"{prefix}{name}": value for name, value in named.items()}


async def post(app: FastAPI, topic: str, raw: bytes, said: dict[str, str]) -> httpx.Response:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.post(f"/webhooks/shopify/{topic}", content=raw, headers=said)


async def deliver(here: Living, to: str, body: Any, **more: str) -> httpx.Response:
    """Signed by the newest secret unless `more` replaces a header."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    prefix, shop = more.pop("prefix", PREFIX), more.pop("shop", SHOP)
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return await post(here.app, to, raw, headers(raw, prefix=prefix, shop=shop, **named))


async def recorded(here: Living, order_id: int) -> list[Event]:
    stream = f"order:shopify:{SHOP}:{order_id}"
    return (await here.parts.ledger.streams([stream]))[stream].events
