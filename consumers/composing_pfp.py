"""What makes, mints and keeps PFPs, put together from the settings."""

from __future__ import annotations

from datetime import timedelta

import httpx

from consumers import composing_solana as solana
from consumers.gateways.ipfs import Ipfs
from consumers.gateways.irys import Irys
from consumers.gateways.s3 import s3_client
from consumers.gateways.s3_cache import S3Cache
from consumers.gateways.vault_ports import Vault
from consumers.reactions.batch_payments import BatchPayments
from consumers.reactions.grove import Trees
from consumers.reactions.pfp_art import PfpArt
from consumers.reactions.pfp_mints import PfpMints
from consumers.reactions.pfp_units import Units
from consumers.reactions.promise import Desk, Reaction
from settings import Settings, SettingsError


def vaults(settings: Settings, web: httpx.AsyncClient) -> dict[str, Vault]:
    """By name those that are set up; SettingsError when the one of MEGA_PFP_VAULT is not."""
    found: dict[str, Vault] = {}
    if settings.irys_url:
        found["irys"] = Irys(
            url=settings.irys_url,
            gateway_url=settings.irys_gateway_url or settings.irys_url,
            key=solana.authority(settings),
            client=web,
        )
    if settings.ipfs_urls:
        gateway = settings.ipfs_gateway_url
        found["ipfs"] = Ipfs(urls=settings.ipfs_urls, client=web, gateway_url=gateway)
    if settings.mega_pfp_vault not in found:
        name = "IPFS_URLS" if settings.mega_pfp_vault == "ipfs" else "IRYS_URL"
        raise SettingsError(f"The setting {name} is missing.")
    return found


def cache(settings: Settings) -> S3Cache:
    assert settings.s3_endpoint_url and settings.s3_access_key and settings.s3_secret_key
    client = s3_client(
        endpoint_url=settings.s3_endpoint_url,
        access_key=settings.s3_access_key.get_secret_value(),
        secret_key=settings.s3_secret_key.get_secret_value(),
    )
    return S3Cache(client=client, bucket=settings.s3_bucket)


def pfp_reactions(
    settings: Settings,
    desk: Desk,
    web: httpx.AsyncClient,
    asked: httpx.AsyncClient,
    cap: timedelta,
) -> dict[str, Reaction]:
    """`batch` follows payments, `art` draws and stores, `mint` makes tokens; `cap` bounds the pause
    between two tries. `asked`: a client for questions, which costs less."""
    chain, units = solana.solana_chain(settings, asked), Units(desk, cap)
    minters, keeper = solana.minters(settings, chain), solana.trees(settings, chain)
    authority = str(solana.authority(settings).pubkey())
    art = PfpArt(units, vaults(settings, web), settings.mega_pfp_vault, cache(settings))
    trees = Trees(desk, chain, keeper, authority)
    mints = PfpMints(units, chain, minters, settings.mega_pfp_minter, trees)
    payments = BatchPayments(units, chain, minters)
    return {"batch": payments.attend, "art": art.attend, "mint": mints.attend}
