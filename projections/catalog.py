"""Every projection of the product, by name."""

from __future__ import annotations

from typing import Any

from projections.batches import Batches
from projections.characters import Characters
from projections.feed import Feed
from projections.generations import Generations
from projections.levels import Levels
from projections.matcha import Matcha
from projections.mint_orders import MintOrders
from projections.passes import Passes
from projections.projection import Projection
from projections.recoveries import Recoveries
from projections.shop_orders import ShopOrders
from projections.todo import Todo
from projections.upgrades import Upgrades
from projections.x402_orders import X402Orders


def all_projections() -> list[Projection[Any]]:
    return [
        Characters(),
        MintOrders(),
        Todo(),
        Passes(),
        Recoveries(),
        X402Orders(),
        ShopOrders(),
        Batches(),
        Levels(),
        Upgrades(),
        Generations(),
        Matcha(),
        Feed(),
    ]
