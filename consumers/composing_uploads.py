"""The gateways behind uploads, put together from the settings."""

from __future__ import annotations

import httpx

from consumers.composing import picture_store
from consumers.gateways.picture_uploads import PictureUploads
from consumers.gateways.s3 import s3_client
from consumers.gateways.safe_fetch import SafeFetch
from settings import Settings, SettingsError

REQUIRED = ("s3_endpoint_url", "s3_public_base_url", "s3_access_key", "s3_secret_key")


def safe_fetch(settings: Settings) -> SafeFetch:
    try:
        return SafeFetch(settings.mega_fetch_allow)
    except ValueError:
        reason = "each entry must be host or host:port"
        raise SettingsError(f"The setting MEGA_FETCH_ALLOW is malformed: {reason}.") from None


def picture_uploads(settings: Settings, web: httpx.AsyncClient, fetch: SafeFetch) -> PictureUploads:
    assert settings.s3_endpoint_url and settings.s3_access_key and settings.s3_secret_key
    client = s3_client(
        endpoint_url=settings.s3_endpoint_url,
        access_key=settings.s3_access_key.get_secret_value(),
        secret_key=settings.s3_secret_key.get_secret_value(),
    )
    store = picture_store(settings, web)
    return PictureUploads(client=client, bucket=settings.s3_bucket, store=store, fetch=fetch)
