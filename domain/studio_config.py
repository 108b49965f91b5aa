"""What operators set for the studio while it runs: prices, packs and contexts (seed 001 §13)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

PACKS_KEY = "mma.packs"
COSTS_KEY = "mma.costs"
WELCOME_KEY = "mma.welcome"
PROVIDERS_KEY = "mma.providers"
REGENERATION_KEY = "mma.video.regeneration"
POST_SCAN_KEY = "mma.post_scan"
TASTE_KEY = "mma.taste"

DEFAULT_PACKS = {"MINA-50": 50, "MINA-100": 100}
DEFAULT_COSTS = {"still": 1, "tweak": 1, "video": 1}
DEFAULT_WELCOME = {"amount": 0}
DEFAULT_PROVIDERS = {"still": "seedream", "video": "kling"}
# How many likes count: the last few, or with `vision` as many more (seed 001 §6.2).
DEFAULT_TASTE = {"window": 5, "vision_window": 20, "vision": False}

PACKS_MAX = 100
PACK_MAX = 100_000
COST_MAX = 1_000
WELCOME_MAX = 1_000
WINDOW_MAX = 100
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_sku = re.compile(r"MINA-[0-9]{1,6}")


def packs_of(value: Any) -> Mapping[str, int]:
    """Matcha by SKU, such as {"MINA-50": 50}."""
    if not isinstance(value, dict) or not 1 <= len(value) <= PACKS_MAX:
        raise ValueError(f"must be an object of 1 to {PACKS_MAX} packs")
    for sku, matcha in value.items():
        if not _sku.fullmatch(sku) or not _counts(matcha, 1, PACK_MAX):
            raise ValueError(f"must give each MINA-<number> 1 to {PACK_MAX} matcha")
    return value


def costs_of(value: Any) -> Mapping[str, int]:
    """Matcha by what is asked for: still, tweak, video. 0 is free."""
    _members(value, DEFAULT_COSTS)
    if not all(_counts(cost, 0, COST_MAX) for cost in value.values()):
        raise ValueError(f"must be from 0 to {COST_MAX} matcha each")
    return dict(value)


def welcome_of(value: Any) -> int:
    """Free matcha for a new pass."""
    _members(value, DEFAULT_WELCOME)
    if not _counts(value["amount"], 0, WELCOME_MAX):
        raise ValueError(f"must be from 0 to {WELCOME_MAX} matcha")
    return int(value["amount"])


def providers_of(value: Any) -> Mapping[str, str]:
    """Who makes stills and who makes videos: names in the registry."""
    _members(value, DEFAULT_PROVIDERS)
    if not all(isinstance(name, str) and NAME.fullmatch(name) for name in value.values()):
        raise ValueError("must name a provider for still and for video")
    return dict(value)


def taste_of(value: Any) -> int:
    """How many likes are looked at."""
    _members(value, DEFAULT_TASTE)
    windows = value["window"], value["vision_window"]
    if not all(_counts(window, 0, WINDOW_MAX) for window in windows):
        raise ValueError(f"must have windows from 0 to {WINDOW_MAX}")
    if not isinstance(value["vision"], bool):
        raise ValueError("must say vision true or false")
    return int(value["vision_window" if value["vision"] else "window"])


def switch_of(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _members(value: Any, like: Mapping[str, Any]) -> None:
    if not isinstance(value, dict) or value.keys() != like.keys():
        raise ValueError(f"must have exactly {', '.join(sorted(like))}")


def _counts(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


STUDIO_KINDS: Mapping[str, tuple[Any, Callable[[Any], object]]] = {
    PACKS_KEY: (DEFAULT_PACKS, packs_of),
    COSTS_KEY: (DEFAULT_COSTS, costs_of),
    WELCOME_KEY: (DEFAULT_WELCOME, welcome_of),
    PROVIDERS_KEY: (DEFAULT_PROVIDERS, providers_of),
    REGENERATION_KEY: (False, switch_of),
    POST_SCAN_KEY: (True, switch_of),
    TASTE_KEY: (DEFAULT_TASTE, taste_of),
}
