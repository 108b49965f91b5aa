"""How the Shopify twin delivers webhooks; spec `providers.md` §1.

Read in a source: the headers, what is signed, with which secret, 1 s to connect and 5 s for all,
that any 2xx and nothing else is taken, 8 more tries with the original body, that a delivery comes
at least once and in no order. Whether `X-Shopify-Webhook-Id` stays over tries is unknown to all;
here it does. Ours: the tries come within half a minute instead of four hours.

Tries die with this process, as subscriptions do that were refused too often: the sweep is for that.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import httpx
import stamina
import structlog
from pydantic import BaseModel, ConfigDict, Field

API_VERSION = "2025-10"
CONNECT_WITHIN_S, ANSWER_WITHIN_S = 1.0, 5.0
RETRIES, FIRST_WAIT_S, LONGEST_WAIT_S = 8, 0.25, 8.0

Topic = Literal["orders/paid", "refunds/create", "orders/cancelled"]

log = structlog.get_logger()


class Wanted(BaseModel):
    """How the webhooks of one control call go out: not at all, `duplicates` times more at once with
    ids of their own, after `delay_ms`, under other `topics`, signed with another `secret`, in the
    name of another `shop`."""

    model_config = ConfigDict(strict=True, extra="forbid")

    deliver: bool = True
    topics: list[Topic] = []
    duplicates: int = Field(default=0, ge=0, le=1_000)
    delay_ms: int = Field(default=0, ge=0, le=600_000)
    secret: str | None = None
    shop: str | None = None


class NotTaken(Exception):
    """The application did not answer with 2xx in time."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook: signed bytes. `status` is told with the first try: 0 when nobody answered."""

    topic: Topic
    webhook_id: str
    body: bytes
    headers: Mapping[str, str]
    status: asyncio.Future[int] = field(compare=False)


class Emitter:
    """Delivers to `<application>/webhooks/shopify/<topic with a dash>`."""

    def __init__(self, application: str, shop: str, secrets: tuple[str, ...]) -> None:
        """`secrets` newest first: the vendor signs with the oldest that was not revoked."""
        self._application = application.rstrip("/")
        self._shop = shop
        self._secret = secrets[-1] if secrets else ""
        self._client: httpx.AsyncClient | None = None
        self._tries: set[asyncio.Task[None]] = set()

    def forget(self) -> None:
        """Try nothing again that is still being tried."""
        for each in self._tries:
            each.cancel()

    async def emit(
        self, topics: list[Topic], value: Mapping[str, Any], wanted: Wanted, now: datetime
    ) -> list[dict[str, Any]]:
        """Send it on its way; what the first try of each delivery was answered with, unless they
        are delayed."""
        if not wanted.deliver:
            return []
        body, event_id = json.dumps(value, ensure_ascii=False).encode(), str(uuid.uuid4())
        deliveries = [
            self._delivery(topic, body, event_id, wanted, now)
            for topic in wanted.topics or topics
            for _ in range(1 + wanted.duplicates)
        ]
        for delivery in deliveries:
            self._start(delivery, wanted.delay_ms / 1000)
        if not wanted.delay_ms:
            await asyncio.gather(*(delivery.status for delivery in deliveries))
        return [
            {
                "topic": each.topic,
                "webhook_id": each.webhook_id,
                "status": each.status.result() if each.status.done() else None,
            }
            for each in deliveries
        ]

    def _delivery(
        self, topic: Topic, body: bytes, event_id: str, wanted: Wanted, now: datetime
    ) -> Delivery:
        webhook_id = str(uuid.uuid4())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": signature(wanted.secret or self._secret, body),
            "X-Shopify-Shop-Domain": wanted.shop or self._shop,
            "X-Shopify-API-Version": API_VERSION,
            "X-Shopify-Webhook-Id": webhook_id,
            "X-Shopify-Event-Id": event_id,
            "X-Shopify-Triggered-At": now.isoformat().replace("+00:00", "Z"),
        }
        status = asyncio.get_running_loop().create_future()
        return Delivery(topic, webhook_id, body, headers, status)

    def _start(self, delivery: Delivery, delay_s: float) -> None:
        task = asyncio.create_task(self._deliver(delivery, delay_s))
        self._tries.add(task)
        task.add_done_callback(self._tries.discard)

    async def _deliver(self, delivery: Delivery, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        try:
            async for attempt in stamina.retry_context(
                on=NotTaken,
                attempts=1 + RETRIES,
                timeout=None,
                wait_initial=FIRST_WAIT_S,
                wait_max=LONGEST_WAIT_S,
                wait_jitter=0.0,
            ):
                with attempt:
                    await self._try(delivery)
        except NotTaken as refused:
            log.warning("webhook_given_up", topic=delivery.topic, why=str(refused))

    async def _try(self, delivery: Delivery) -> None:
        status = await self._post(delivery)
        if not delivery.status.done():
            delivery.status.set_result(status)
        if not 200 <= status < 300:
            raise NotTaken(f"HTTP {status}")

    async def _post(self, delivery: Delivery) -> int:
        self._client = self._client or httpx.AsyncClient(
            timeout=httpx.Timeout(ANSWER_WITHIN_S, connect=CONNECT_WITHIN_S, pool=None),
            verify=False,
        )
        url = f"{self._application}/webhooks/shopify/{delivery.topic.replace('/', '-')}"
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                answer = await self._client.post(
                    url, content=delivery.body, headers=dict(delivery.headers)
                )
        except (httpx.TransportError, TimeoutError):
            return 0
        return answer.status_code


def signature(secret: str, body: bytes) -> str:
    """`X-Shopify-Hmac-Sha256` of the raw `body`."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
