"""The consumers' own gateways, put together from the settings."""

from __future__ import annotations

import httpx

from consumers.gateways.evm import EvmRpc
from consumers.gateways.evm_minter import EvmRoleMinter
from consumers.gateways.openai_images import OpenAIImages
from consumers.gateways.ports import ImageProvider
from consumers.gateways.s3 import S3Pictures, s3_client
from consumers.gateways.seedream import Seedream
from settings import Settings


def evm_chain(settings: Settings, asked: httpx.AsyncClient) -> EvmRpc:
    """`asked` may be one for questions only."""
    assert settings.role_mint_address and settings.payment_token_address
    assert settings.payment_treasury
    return EvmRpc(
        settings.evm_rpc_urls,
        chain_id=settings.evm_chain_id,
        contract=settings.role_mint_address,
        token=settings.payment_token_address,
        treasury=settings.payment_treasury,
        client=asked,
    )


def evm_minter(settings: Settings) -> EvmRoleMinter:
    assert settings.mint_signer_key and settings.role_mint_address
    return EvmRoleMinter(
        settings.evm_rpc_urls,
        chain_id=settings.evm_chain_id,
        contract=settings.role_mint_address,
        private_key=settings.mint_signer_key.get_secret_value(),
    )


def image_provider(settings: Settings, web: httpx.AsyncClient) -> ImageProvider:
    if settings.mega_image_provider == "openai":
        return openai(settings, web)
    assert settings.seedream_url and settings.seedream_key
    return Seedream(
        url=settings.seedream_url,
        key=settings.seedream_key.get_secret_value(),
        model=settings.seedream_model,
        client=web,
        output_hosts=frozenset(settings.mega_provider_hosts),
    )


def picture_store(settings: Settings, web: httpx.AsyncClient) -> S3Pictures:
    assert settings.s3_endpoint_url and settings.s3_public_base_url
    assert settings.s3_access_key and settings.s3_secret_key
    client = s3_client(
        endpoint_url=settings.s3_endpoint_url,
        access_key=settings.s3_access_key.get_secret_value(),
        secret_key=settings.s3_secret_key.get_secret_value(),
    )
    base = settings.s3_public_base_url
    return S3Pictures(client=client, bucket=settings.s3_bucket, public_base=base, web=web)


def openai(settings: Settings, web: httpx.AsyncClient) -> OpenAIImages:
    assert settings.openai_url and settings.openai_key
    return OpenAIImages(
        url=settings.openai_url,
        key=settings.openai_key.get_secret_value(),
        model=settings.openai_model,
        client=web,
    )
