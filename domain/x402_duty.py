"""When somebody should look at an x402 order again: what it waits for decides.

`since` is when its last fact was recorded. Nothing here is a promise to the payer; it only says
when there may be news, so that a crash, a lost answer or a closed tab is noticed by somebody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.x402_order import X402Order

RETENTION = timedelta(days=1)
"""How long an unpaid leftover is shown after its end (seed 004 "Cleanup Queries")."""


def duty(order: X402Order, since: datetime) -> datetime | None:
    """When the payment or the mint should be looked at; None: never again."""
    if _now(order):
        return since
    times = [each.ends_at for each in order.attempts.alive]
    if order.status == "verified" and order.attempts.verified:
        times.append(order.attempts.verified.expires_at + RETENTION)
    if not order.mints and not order.delivered and not order.failure and order.retry_until:
        times.append(order.retry_until)
    return min(times, default=None)


def picture_due(order: X402Order, since: datetime) -> datetime | None:
    """When a picture should be made; None: there is nothing to make."""
    picture = order.picture
    if order.mints or order.failure or picture.stored or not order.paid:
        return None
    return since if picture.open else picture.retry_at


def _now(order: X402Order) -> bool:
    """There may be news at any time: an outcome is open, a claim unjudged, a block not final."""
    if order.attempts.in_flight or order.attempts.unsafe:
        return True
    if order.minting.seen and not order.minting.final and not order.failure:
        return True
    return bool(order.claims) and not order.paid and bool(order.attempts.alive)
