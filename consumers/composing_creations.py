"""The reactions of the studio, put together from the settings."""

from __future__ import annotations

import httpx

from consumers.composing_mma import media_providers, texts
from consumers.felt import FeltViews
from consumers.gateways.s3 import s3_client
from consumers.gateways.s3_media import S3Media
from consumers.reactions.mma import Creations
from consumers.reactions.mma_media import CallbackUrl
from consumers.reactions.promise import Desk, Reaction
from domain.callbacks import callback_token
from settings import Settings


def studio_reactions(settings: Settings, desk: Desk, web: httpx.AsyncClient) -> dict[str, Reaction]:
    """`mma` takes minutes; `mma_end` must not wait for it."""
    makers = media_providers(settings, web)
    felt, store, told = FeltViews(settings.database), media_store(settings), callback_url(settings)
    creations = Creations(desk, texts(settings, web), felt, makers, store, told)
    return {"mma": creations.attend, "mma_end": creations.end}


def media_store(settings: Settings) -> S3Media:
    assert settings.s3_endpoint_url and settings.s3_public_base_url
    assert settings.s3_access_key and settings.s3_secret_key
    client = s3_client(
        endpoint_url=settings.s3_endpoint_url,
        access_key=settings.s3_access_key.get_secret_value(),
        secret_key=settings.s3_secret_key.get_secret_value(),
    )
    return S3Media(
        client=client, bucket=settings.s3_bucket, public_base=settings.s3_public_base_url
    )


def callback_url(settings: Settings) -> CallbackUrl:
    """Kling and Replicate have addresses of their own; others one that names the generation."""
    base, kling = settings.mega_public_url, settings.mega_kling_callback_secret
    by_name = {"replicate": "replicate", "replicate_video": "replicate"}
    if kling:
        by_name["kling"] = f"kling/{kling.get_secret_value()}"

    def url(provider: str, generation_id: str) -> str:
        if not base:
            return ""
        token = callback_token(settings.master_key, generation_id)
        return f"{base}/webhooks/{by_name.get(provider, f'media/{token}/{generation_id}')}"

    return url
