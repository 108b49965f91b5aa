"""What follows the Shopify shop, put together from the settings."""

from __future__ import annotations

import httpx

from consumers.gateways.shopify import Shopify
from consumers.reactions.promise import Desk, Reaction
from consumers.reactions.shop import ShopOrders, ShopTags
from consumers.reconciler import Reconciler
from consumers.sweeper import ShopSweep
from settings import Settings

SWEEP_S = {"dev": 10.0, "test": 1.0, "prod": 300.0}
SWEEPER = "shop_sweeper"


def shopify(settings: Settings, web: httpx.AsyncClient) -> Shopify | None:
    """None where the Admin API is not set up: then nobody is tagged, and nothing is swept."""
    if not settings.shopify_admin_url or not settings.shopify_admin_token:
        return None
    token = settings.shopify_admin_token.get_secret_value()
    return Shopify(settings.shopify_admin_url, token, web)


def shop_reactions(settings: Settings, desk: Desk, web: httpx.AsyncClient) -> dict[str, Reaction]:
    """`shop` settles orders; `tag`, which waits for the shop, tags their customers."""
    shop = shopify(settings, web)
    tags: dict[str, Reaction] = {"tag": ShopTags(desk, shop).give} if shop else {}
    return {"shop": ShopOrders(desk).settle, **tags}


def sweepers(settings: Settings, desk: Desk, web: httpx.AsyncClient) -> list[Reconciler]:
    """The sweep has rounds of its own, so that it waits for no chain and no chain for it."""
    shop, domain = shopify(settings, web), settings.mega_shopify_shop
    if not shop or not domain:
        return []
    every_s, sweep = SWEEP_S[settings.mega_env], ShopSweep(desk, shop, domain)
    url = settings.database
    return [Reconciler(url, [sweep], desk.now, every_s=every_s, name=SWEEPER)]
