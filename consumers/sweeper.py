"""Reads the shop's own books for orders whose webhook never came.

Shopify gives up a webhook after 4 hours, and a subscription that failed too often. So whatever
changed in the last days is told again, by the same command as a webhook: what is known already
records nothing. The first round goes back as far as the shop lets it, and one after a round that
failed goes on where that one was, so that nothing is lost however long nobody was here or however
much there is. Spec `providers.md` §1.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import stamina
from psycopg import AsyncConnection

from commands.command import look
from commands.shop_orders import ReportShopOrder, SeeShopOrder
from consumers.gateways.ports import TryAgain
from consumers.gateways.shop_ports import Shop, ShopOrderSeen
from consumers.reactions.promise import Desk
from consumers.reconciler import Done, Finding, Report
from domain.shop_order_events import shop_order_stream

LOOKS_BACK = timedelta(days=3)
OLDEST = timedelta(days=60)
"""Shopify shows an app no older orders."""

AT_ONCE = 16
TRIES = 10


class ShopSweep:
    """A comparison for the reconciler; `domain` is the shop's, as orders are named by it."""

    name = "shop_orders"

    def __init__(self, desk: Desk, shop: Shop, domain: str) -> None:
        self._desk, self._shop, self._domain = desk, shop, domain
        self._since: datetime | None = None
        self._again = stamina.AsyncRetryingCaller(attempts=TRIES, timeout=None).on(_filled)

    async def compare(self, connection: AsyncConnection, report: Report) -> None:
        now = self._desk.now()
        since, cursor = self._since or now - OLDEST, None
        while True:
            page = await self._again(self._shop.orders_since, since, cursor)
            for start in range(0, len(page.orders), AT_ONCE):
                some = page.orders[start : start + AT_ONCE]
                found = await asyncio.gather(*map(self._tell, some))
                report.findings += [finding for finding in found if finding]
            report.checked += len(page.orders)
            if (cursor := page.cursor) is None:
                break
            self._since = page.orders[-1].updated_at if page.orders else since
        self._since = now - LOOKS_BACK

    async def _tell(self, seen: ShopOrderSeen) -> Finding | None:
        ids = {"shop": self._domain, "order_id": seen.order_id}
        if not seen.whole:
            see = SeeShopOrder(**ids)
            known = see.order(await look(self._desk.ledger, see)).told
            return None if known else self._finding(seen, "for review")
        telling = ReportShopOrder(**ids, told=seen.told, source="sweep")
        outcome = await self._desk.do(telling, cause="sweep:shopify")
        return self._finding(seen, "corrected") if outcome.events else None

    def _finding(self, seen: ShopOrderSeen, done: Done) -> Finding:
        return Finding(
            kind="not_told" if seen.whole else "too_long",
            subject=shop_order_stream(self._domain, seen.order_id),
            pass_id="",
            field="financial_status",
            ledger_value="",
            chain_value=seen.told.financial_status,
            done=done,
        )


def _filled(failure: Exception) -> float | bool:
    """A shop that throttles says in how many seconds there are points enough for a page."""
    if isinstance(failure, TryAgain) and failure.error_class == "throttled":
        return failure.after_s
    return False
