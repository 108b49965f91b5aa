"""The studio's gateways, put together from the settings of a world with all its twins."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from consumers.composing_mma import media_providers, replicate_signed, texts
from consumers.gateways.mma_ports import Made, MediaProvider, Submitted
from consumers.gateways.ports import WillNotWork
from domain.provider_registry import DEFAULT_DEFAULTS, DEFAULT_REGISTRY
from settings import Settings, SettingsError
from tests.gateways.media_side import still, video
from tests.twins.control import Control

SECRET = "whsec_" + "QUJD" * 8
NOTHING: dict[str, Any] = {"_env_file": None}


@pytest.fixture(scope="module")
async def web() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


def settings(**given: Any) -> Settings:
    return Settings.load(**NOTHING, **{name.lower(): value for name, value in given.items()})


@pytest.mark.parametrize("row", DEFAULT_REGISTRY, ids=lambda row: row["name"])
async def test_each_provider_of_the_product_works_with_the_worlds_settings(
    twins: dict[str, str], web: httpx.AsyncClient, row: dict[str, Any]
) -> None:
    for name in ("KLING_URL", "REPLICATE_URL"):
        Control(twins[name]).post("tasks", {"takes_ms": 0}).raise_for_status()
    providers = media_providers(settings(**twins), web)
    provider: MediaProvider = providers.of(row, DEFAULT_DEFAULTS[row["name"]])
    wanted = still() if row["media"] == "still" else video()
    made = await provider.start(wanted)
    if isinstance(made, Submitted):
        done = await provider.poll(made.task_id)
        assert done is not None
        made = done
    assert isinstance(made, Made)
    _, content_type = await provider.fetch(made)
    assert content_type == ("image/png" if row["media"] == "still" else "video/mp4")


async def test_gpt_works_with_the_worlds_settings(
    twins: dict[str, str], web: httpx.AsyncClient
) -> None:
    body = json.dumps({"model": "gpt-5-mini", "input": "A cup"}).encode()
    assert "A cup" in await texts(settings(**twins), web).ask(body, reference="step-1")


def test_a_vendor_that_is_not_set_up_is_named(web: httpx.AsyncClient) -> None:
    providers = media_providers(settings(KLING_URL="https://kling.example"), web)
    for row, why in zip(DEFAULT_REGISTRY, ("SEEDREAM_URL", "REPLICATE_URL", "key"), strict=False):
        with pytest.raises(WillNotWork, match=why):
            providers.of(row, DEFAULT_DEFAULTS[row["name"]])
    with pytest.raises(SettingsError, match="OPENAI_URL"):
        texts(settings(), web)


def test_a_replicate_delivery_is_good_by_its_secret_and_nobodys_without_one() -> None:
    now, body = datetime.now(UTC), b'{"id": "p"}'
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", now, body.decode()),
    }
    assert replicate_signed(settings(REPLICATE_WEBHOOK_SECRET=SECRET))(headers, body, now)
    assert replicate_signed(settings())(headers, body, now) is None
