"""The studio's own gateways, put together from the settings: GPT, and the makers of media.

A vendor that is not set up stays unknown here: who asks for it is told so (WillNotWork, invalid).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import httpx

from consumers.gateways.media import ConfiguredProviders
from consumers.gateways.media_auth import KLING_ACCESS, KLING_SECRET
from consumers.gateways.mma_ports import MediaProviders, Texts
from consumers.gateways.openai_texts import OpenAITexts
from consumers.gateways.webhook_signatures import signed_delivery
from settings import Settings, SettingsError

Signed = Callable[[Mapping[str, str], bytes, datetime], str | None]
"""Headers, raw body and time of a delivery → its id, None when nobody we know signed it."""


def media_providers(settings: Settings, web: httpx.AsyncClient) -> MediaProviders:
    urls = {
        "SEEDREAM_URL": settings.seedream_url,
        "REPLICATE_URL": settings.replicate_url,
        "KLING_URL": settings.kling_url,
        "OPENAI_URL": settings.openai_url,
    }
    secrets = {
        "seedream": settings.seedream_key,
        "replicate": settings.replicate_token,
        "openai": settings.openai_key,
        KLING_ACCESS: settings.kling_access_key,
        KLING_SECRET: settings.kling_secret_key,
    }
    known = settings.mega_provider_keys | {name: key for name, key in secrets.items() if key}
    return ConfiguredProviders(
        client=web,
        urls={name: url for name, url in urls.items() if url},
        keys={name: key.get_secret_value() for name, key in known.items()},
        hosts=frozenset(settings.mega_provider_hosts),
    )


def texts(settings: Settings, web: httpx.AsyncClient) -> Texts:
    if settings.openai_url is None:
        raise SettingsError("The setting OPENAI_URL is missing.")
    if settings.openai_key is None:
        raise SettingsError("The setting OPENAI_KEY is missing.")
    key = settings.openai_key.get_secret_value()
    return OpenAITexts(url=settings.openai_url, key=key, client=web)


def replicate_signed(settings: Settings) -> Signed:
    """Nobody's delivery is good while REPLICATE_WEBHOOK_SECRET is missing."""
    secret = settings.replicate_webhook_secret
    secrets = (secret.get_secret_value(),) if secret else ()
    return lambda headers, body, at: signed_delivery(secrets, headers, body, at)
