"""Solana, its payments and its mints, put together from the settings, for consumers and API."""

from __future__ import annotations

import httpx
from solders.keypair import Keypair

from consumers.gateways.solana_levels import SolanaLevels
from consumers.gateways.solana_minters import BubblegumMinter
from consumers.gateways.solana_payments import HandedIn, Payments
from consumers.gateways.solana_ports import TokenMinter
from consumers.gateways.solana_rpc import SolanaRpc
from consumers.gateways.solana_spl import SplMinter
from consumers.gateways.solana_trees import Shape, Trees
from settings import Settings, SettingsError

REQUIRED = ("solana_rpc_urls", "solana_authority_key", "solana_treasury")
"""The settings that must be there before anything here is called."""


def solana_chain(settings: Settings, client: httpx.AsyncClient) -> SolanaRpc:
    """`client` stays the caller's; `questions_client()` will do."""
    return SolanaRpc(settings.solana_rpc_urls, treasury=treasury(settings), client=client)


def payments(settings: Settings) -> Payments:
    return Payments(
        authority=authority(settings),
        treasury=treasury(settings),
        priority_fee=settings.solana_priority_fee,
    )


def signed_reader(settings: Settings) -> HandedIn:
    return HandedIn()


def minters(settings: Settings, chain: SolanaRpc) -> dict[str, TokenMinter]:
    """By kind: what one has signed it follows, also after MEGA_PFP_MINTER names the other."""
    made = (
        kind(
            chain=chain,
            authority=authority(settings),
            treasury=treasury(settings),
            priority_fee=settings.solana_priority_fee,
        )
        for kind in (BubblegumMinter, SplMinter)
    )
    return {each.kind: each for each in made}


def trees(settings: Settings, chain: SolanaRpc) -> Trees:
    """SettingsError when the compression program knows no tree of that shape."""
    try:
        shape = Shape.parse(settings.mega_pfp_tree)
    except ValueError as malformed:
        raise SettingsError(f"The setting MEGA_PFP_TREE is malformed: {malformed}.") from None
    return Trees(
        chain=chain,
        authority=authority(settings),
        shape=shape,
        priority_fee=settings.solana_priority_fee,
    )


def levels(settings: Settings, chain: SolanaRpc) -> SolanaLevels:
    return SolanaLevels(
        chain=chain, authority=authority(settings), priority_fee=settings.solana_priority_fee
    )


def authority(settings: Settings) -> Keypair:
    assert settings.solana_authority_key
    return Keypair.from_base58_string(settings.solana_authority_key.get_secret_value())


def treasury(settings: Settings) -> str:
    """SettingsError when it is the authority's own: the fees that this one pays would hide what the
    treasury gained."""
    assert settings.solana_treasury
    if settings.solana_treasury == str(authority(settings).pubkey()):
        raise SettingsError(
            "The setting SOLANA_TREASURY is malformed: must not be the authority's own address."
        )
    return settings.solana_treasury
