"""Makers of media for tests: what is wanted, gateways from rows, and the twin that they ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from consumers.gateways.media import ConfiguredProviders
from consumers.gateways.media_auth import KLING_ACCESS, KLING_SECRET
from consumers.gateways.mma_ports import MediaProvider, MediaWanted
from consumers.gateways.ports import Failure
from domain.provider_registry import DEFAULT_DEFAULTS, DEFAULT_REGISTRY
from tests.twins.alone import Alone

PROMPT = "Portrait of a wanderer, ink and gold"
HOOK = "https://mega.example/webhooks/kling/very-secret-path"
KEYS = {
    "seedream": "ark-secret-key",
    "replicate": "r8-secret-token",
    "vendor": "vendor-secret-key",
    KLING_ACCESS: "ak_test",
    KLING_SECRET: "sk_test_0123456789abcdef0123456789",
}
ROWS: Mapping[str, dict[str, Any]] = {row["name"]: row for row in DEFAULT_REGISTRY}
IMAGE = "https://assets.example/a.png"

_numbers = count(1)


@dataclass(frozen=True)
class Vendor:
    """A twin that several tests use, one after the other; `before` effects are not this test's."""

    twin: Alone
    before: int

    @classmethod
    async def fresh(cls, twin: Alone) -> Vendor:
        await twin.steer("reset", None)
        return cls(twin, len((await twin.client.get("/_twin/ledger")).json()["items"]))

    @property
    def client(self) -> httpx.AsyncClient:
        return self.twin.client

    async def effects(self) -> list[dict[str, Any]]:
        items = (await self.client.get("/_twin/ledger")).json()["items"]
        return list(items[self.before :])

    async def answers(self, status: int, body: Any = None, **headers: Any) -> None:
        response = {"status": status, "body": body, "headers": headers}
        await self.twin.steer("script", {"response": response})

    def maker(self, name: str, **defaults: Any) -> MediaProvider:
        return provider(self.client, self.twin.url, name, **defaults)


def providers(
    client: httpx.AsyncClient, url: str, hosts: frozenset[str] = frozenset()
) -> ConfiguredProviders:
    """All settings lead to `url`."""
    urls = dict.fromkeys(("SEEDREAM_URL", "REPLICATE_URL", "KLING_URL"), url)
    return ConfiguredProviders(client=client, urls=urls, keys=KEYS, hosts=hosts)


def provider(client: httpx.AsyncClient, url: str, name: str, **defaults: Any) -> MediaProvider:
    return providers(client, url).of(ROWS[name], DEFAULT_DEFAULTS[name] | defaults)


def of_row(client: httpx.AsyncClient, url: str, row: Mapping[str, Any]) -> MediaProvider:
    """By a row with a base URL of its own."""
    hosts = frozenset({urlsplit(url).netloc})
    return providers(client, url, hosts).of({**row, "base_url": url}, {"model": "the-model"})


def still(**changes: Any) -> MediaWanted:
    values: dict[str, Any] = {
        "generation_id": f"0196a5f0-0000-7000-8000-{next(_numbers):012}",
        "attempt": 1,
        "kind": "still",
        "prompt": PROMPT,
        "images": {},
        "settings": {},
    }
    return MediaWanted(**(values | changes))


def video(**changes: Any) -> MediaWanted:
    return still(**({"kind": "video", "images": {"image": IMAGE}} | changes))


async def failure(work: Any, *secrets: str) -> Failure:
    with pytest.raises(Failure) as raised:
        await work
    for secret in (*KEYS.values(), *secrets):
        assert secret not in repr(raised.value)
    return raised.value
