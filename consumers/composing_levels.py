"""What takes level tokens up, put together from the settings."""

from __future__ import annotations

from datetime import timedelta

import httpx

from consumers import composing_solana as solana
from consumers.composing_pfp import cache
from consumers.gateways.ipfs import Ipfs
from consumers.reactions.level_metadata import LevelMetadata
from consumers.reactions.levels import Levels
from consumers.reactions.promise import Desk, Reaction
from settings import Settings, SettingsError


def ipfs(settings: Settings, web: httpx.AsyncClient) -> Ipfs:
    """SettingsError when there is no provider."""
    if not settings.ipfs_urls:
        raise SettingsError("The setting IPFS_URLS is missing.")
    return Ipfs(urls=settings.ipfs_urls, client=web, gateway_url=settings.ipfs_gateway_url)


def level_reactions(
    settings: Settings,
    desk: Desk,
    web: httpx.AsyncClient,
    asked: httpx.AsyncClient,
    cap: timedelta,
) -> dict[str, Reaction]:
    """`level` watches what wallets signed and mints what is owed, `pin` stores metadata; `cap`
    bounds the pause between two tries to mint."""
    chain = solana.solana_chain(settings, asked)
    levels = Levels(desk, chain, solana.levels(settings, chain), cap)
    metadata = LevelMetadata(desk, ipfs(settings, web), cache(settings))
    return {"level": levels.attend, "pin": metadata.pin}
