"""Rows of the table about webhooks: orders of the shop, acknowledged at the pace they come.

Each is a connection of its own with a signed body of the shop's size; one in ten is told again.
The projections run beside, on the same cores.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import orjson
import uvloop

from bench import load
from bench.http import CHAIN, there
from bench.measure import Measurement, alone, percentile
from tests.api.shopping import PAID, SHOP, order
from tests.waiting import eventually
from tests.world import Child, Database, TestWorld, start_child

PER_S, SECONDS, SECRET = 500, 10, "bench-secret"
FIRST = 5_000_000_000_000_000_000


def rows(world: TestWorld, database: Database) -> Iterator[Measurement]:
    asked = [webhook(number) for number in range(PER_S * SECONDS)]
    with served(world, database) as url:
        uvloop.run(load.arrivals(url, PER_S, [webhook(-1)] * PER_S))
        waits = uvloop.run(load.arrivals(url, PER_S, asked))
    for share, how in ((0.99, "p99"), (1.0, "the slowest")):
        yield alone(
            f"webhooks acknowledged, {PER_S} a second, {how}",
            percentile(waits, share) * 1000,
            unit="ms",
            target=1000,
            at_most=True,
            runs=len(waits),
        )


def webhook(number: int) -> bytes:
    """A paid order, every tenth the one before again."""
    body = order(FIRST + number - (number % 10 == 9))
    signature = hmac.new(SECRET.encode(), orjson.dumps(body), hashlib.sha256).digest()
    said = {
        "X-Shopify-Hmac-Sha256": base64.b64encode(signature).decode(),
        "X-Shopify-Shop-Domain": SHOP,
        "X-Shopify-Webhook-Id": str(number),
    }
    return load.request("POST", f"/webhooks/shopify/{PAID}", body, headers=said)


@contextmanager
def served(world: TestWorld, database: Database) -> Iterator[str]:
    world.place.ports.reserve("bench_webhooks")
    port = str(world.place.ports["bench_webhooks"])
    shop = {"MEGA_SHOPIFY_SHOP": SHOP, "MEGA_SHOPIFY_SECRETS": SECRET}
    own = {"DATABASE_URL": database.url, "MEGA_PORT": port, **shop}
    environment = {**world.environment(), **CHAIN, **own}
    children: list[Child] = []
    url = f"http://127.0.0.1:{port}"
    try:
        for module in ("projections", "api"):
            children.append(start_child((module,), environment, world.place.data))
        eventually(partial(there, f"{url}/healthz", ""), within_s=60)
        yield url
    finally:
        for child in children:
            child.stop()
