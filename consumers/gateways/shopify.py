"""Shopify's Admin API by GraphQL; spec `providers.md` §1.

Errors come with HTTP 200, in `errors` or in `userErrors`, and every call may be made again: adding
a tag that is there changes nothing. What a query may cost is bounded by what it asks for at most,
so that a page of orders is read with few lines each, and an order with more of them alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import structlog
from pydantic import ValidationError

from consumers.gateways.ports import Failure, OutcomeUnknown, TryAgain, WillNotWork
from consumers.gateways.shop_ports import OrdersSeen, ShopOrderSeen
from consumers.gateways.shopify_told import Order, Page
from consumers.gateways.web import MAX_WAIT_S, Key, Reply, json_object, post_once, wait_s

QUERIES = Path(__file__).with_suffix(".graphql").read_text()
READ_S = 30.0
A_PAGE = {"first": 20, "lines": 5, "refunds": 2, "refundLines": 2}
ALONE = {"lines": 250, "refunds": 26, "refundLines": 10}
"""The vendor allows 1,000 points a query: these are 482 and 853."""

WAITS_S = {"transient": 2.0, "throttled": 2.0}
TRANSIENT_CODES = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT"})

ReadT = TypeVar("ReadT", Page, Order)

log = structlog.get_logger()


class Shopify:
    """The `Shop` port. `url` is the shop's own host, as `https://mina.myshopify.com`."""

    name = "shopify"

    def __init__(
        self, url: str, token: str, client: httpx.AsyncClient, version: str = "2025-10"
    ) -> None:
        self._url = f"{url.rstrip('/')}/admin/api/{version}/graphql.json"
        self._key = Key(self.name, token, header="X-Shopify-Access-Token", scheme="")
        self._client = client
        self._version = self.answered_version = version

    async def add_tag(self, customer_gid: str, tag: str) -> None:
        data = await self._ask("AddTag", {"id": customer_gid, "tags": [tag]})
        told = data.get("tagsAdd") or {}
        if errors := told.get("userErrors"):
            raise WillNotWork(self._key.reason("tagsAdd", str(errors[0].get("message", ""))))
        if not told.get("node"):
            raise WillNotWork(self._key.reason("tagsAdd", f"there is no {customer_gid}"))

    async def orders_since(self, at: datetime, cursor: str | None = None) -> OrdersSeen:
        since = at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        wanted = {**A_PAGE, "after": cursor, "query": f"updated_at:>='{since}'"}
        data = await self._ask("OrdersSince", wanted)
        page = self._read(Page, data.get("orders"))
        orders = [await self._whole(order) for order in page.nodes]
        more = page.pageInfo.endCursor if page.pageInfo.hasNextPage else None
        return OrdersSeen(tuple(orders), more)

    async def _whole(self, order: Order) -> ShopOrderSeen:
        if order.whole(A_PAGE["refunds"]):
            return order.seen(whole=True)
        data = await self._ask("OrderAlone", {**ALONE, "id": order.id})
        alone = self._read(Order, data.get("order"))
        return alone.seen(whole=alone.whole(ALONE["refunds"]))

    async def _ask(self, operation: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        body = {"query": QUERIES, "operationName": operation, "variables": variables}
        try:
            reply = await post_once(
                self._client,
                self._url,
                body,
                headers=self._key.headers(),
                vendor=self.name,
                reference=operation,
                read_timeout_s=READ_S,
            )
        except OutcomeUnknown as unknown:  # whatever it was, it may be done twice
            raise TryAgain(unknown.reason) from unknown
        answer = json_object(reply) or {}
        if reply.status != 200:
            raise self._turned_away(reply, answer)
        self._see_version(reply)
        if errors := answer.get("errors"):
            raise self._failure(errors, answer)
        data = answer.get("data")
        if not isinstance(data, dict):
            raise TryAgain(f"{self.name}: the answer has no data")
        return data

    def _failure(self, errors: Any, answer: Mapping[str, Any]) -> Failure:
        first = errors[0] if isinstance(errors, list) else None
        if not isinstance(first, dict):
            return WillNotWork(self._key.reason("error", str(errors)))
        code = str((first.get("extensions") or {}).get("code", ""))
        reason = self._key.reason(code or "error", str(first.get("message", "")))
        if code == "THROTTLED":
            return TryAgain(reason, after_s=_restored_in_s(answer), error_class="throttled")
        if code in TRANSIENT_CODES:
            return TryAgain(reason, after_s=WAITS_S["transient"])
        return WillNotWork(reason)

    def _turned_away(self, reply: Reply, answer: Mapping[str, Any]) -> Failure:
        # What is said about a bad token may repeat parts of it.
        said = "" if reply.status in (401, 403) else str(answer.get("errors", ""))
        reason = self._key.reason(f"HTTP {reply.status}", said)
        if reply.status == 429:
            after_s = wait_s(reply.headers, default=WAITS_S["throttled"])
            return TryAgain(reason, after_s=after_s, error_class="throttled")
        if reply.status >= 500 or reply.status == 408:
            return TryAgain(reason, after_s=wait_s(reply.headers, default=WAITS_S["transient"]))
        # 402: the shop is frozen, 423: locked; both are the owner's to put right.
        frozen = reply.status in (402, 423)
        return WillNotWork(reason, error_class="quota" if frozen else "invalid")

    def _see_version(self, reply: Reply) -> None:
        """An old version is answered by the oldest that is left, which may mean other things."""
        self.answered_version = reply.headers.get("x-shopify-api-version", self._version)
        if self.answered_version != self._version:
            told = {"asked": self._version, "answered": self.answered_version}
            log.warning("shopify_api_version", **told)

    def _read(self, model: type[ReadT], value: Any) -> ReadT:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            where = error.errors(include_input=False, include_url=False)[0]["loc"]
            named = ".".join(map(str, where))
            raise TryAgain(f"{self.name}: the answer has no {named or 'order'}") from None


def _restored_in_s(answer: Mapping[str, Any]) -> float:
    """(requested - available) / restoreRate, as the vendor advises."""
    try:
        cost = answer["extensions"]["cost"]
        status = cost["throttleStatus"]
        missing = cost["requestedQueryCost"] - status["currentlyAvailable"]
        return float(min(max(missing / status["restoreRate"], 0.1), MAX_WAIT_S))
    except (KeyError, TypeError, ZeroDivisionError):
        return WAITS_S["throttled"]
