"""What PFPs are kept in, put together from the settings."""

from __future__ import annotations

import httpx
from solders.keypair import Keypair

from consumers.gateways.ipfs import Ipfs
from consumers.gateways.irys import Irys
from consumers.gateways.s3 import s3_client
from consumers.gateways.s3_cache import S3Cache
from consumers.gateways.vault_ports import Vault
from settings import Settings, SettingsError


def vault(settings: Settings, web: httpx.AsyncClient) -> Vault:
    """The one that MEGA_PFP_VAULT names; SettingsError when it is not set up."""
    if settings.mega_pfp_vault == "ipfs":
        if not settings.ipfs_urls:
            raise SettingsError("The setting IPFS_URLS is missing.")
        return Ipfs(urls=settings.ipfs_urls, client=web, gateway_url=settings.ipfs_gateway_url)
    if settings.irys_url is None:
        raise SettingsError("The setting IRYS_URL is missing.")
    if settings.solana_authority_key is None:
        raise SettingsError("The setting SOLANA_AUTHORITY_KEY is missing.")
    return Irys(
        url=settings.irys_url,
        gateway_url=settings.irys_gateway_url or settings.irys_url,
        key=Keypair.from_base58_string(settings.solana_authority_key.get_secret_value()),
        client=web,
    )


def cache(settings: Settings) -> S3Cache:
    assert settings.s3_endpoint_url and settings.s3_access_key and settings.s3_secret_key
    client = s3_client(
        endpoint_url=settings.s3_endpoint_url,
        access_key=settings.s3_access_key.get_secret_value(),
        secret_key=settings.s3_secret_key.get_secret_value(),
    )
    return S3Cache(client=client, bucket=settings.s3_bucket)
