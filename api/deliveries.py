"""Deliveries by Standard Webhooks: how the routes learn who signed one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

Delivery = Callable[[Mapping[str, str], bytes, datetime], str | None]
"""Headers, raw body and time of a delivery → its id; None: nobody we know signed it."""


def unsigned(headers: Mapping[str, str], body: bytes, at: datetime) -> str | None:
    """Where no secret is set, nobody has signed anything."""
    return None
