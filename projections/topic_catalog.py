"""Every projection of a topic, by name; `catalog.py` has those of the ledger."""

from __future__ import annotations

from typing import Any

from projections.badges import Badges
from projections.topical import TopicProjection
from projections.trading_volume import TradingVolume


def topic_projections() -> list[TopicProjection[Any]]:
    return [TradingVolume(), Badges()]
