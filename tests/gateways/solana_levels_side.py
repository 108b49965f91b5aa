"""Level tokens on the development network: minted, burned, refused."""

from __future__ import annotations

from uuid import uuid4

import pytest
from solders.keypair import Keypair

from consumers.gateways.level_ports import LevelWanted
from consumers.gateways.ports import WillNotWork
from consumers.gateways.solana_levels import SolanaLevels
from consumers.gateways.solana_ports import Prepared
from tests.gateways.devnet_side import Devnet, by_wallet

CID = "b" * 59
FEE = 5_000
HOLDING_RENT = (128 + 165) * 6_960


def address(wallet: Keypair) -> str:
    return str(wallet.pubkey())


def wanted(wallet: Keypair, level: int = 1) -> LevelWanted:
    return LevelWanted(address(wallet), level, CID, str(uuid4()))


def completed(levels: SolanaLevels, prepared: Prepared, wallet: Keypair) -> str:
    return levels.complete(prepared, address(wallet), by_wallet(prepared, wallet))


async def minted_to(devnet: Devnet, levels: SolanaLevels, wallet: Keypair, level: int = 1) -> str:
    """A mint that the server paid; its address."""
    token = wanted(wallet, level)
    await devnet.lands(levels.sign_mint(token, await devnet.chain.blockhash()).raw)
    return levels.mint_of(token.reference)


async def burning(devnet: Devnet, levels: SolanaLevels, mint: str, wallet: Keypair) -> str:
    recent = await devnet.chain.blockhash()
    prepared = levels.prepare_burn(mint, address(wallet), str(uuid4()), recent)
    return completed(levels, prepared, wallet)


async def refused(devnet: Devnet, raw: str) -> str:
    """Why it cannot succeed; a simulation and a preflight say the same."""
    with pytest.raises(WillNotWork) as failure:
        await devnet.chain.broadcast(raw)
    assert await devnet.chain.simulate(raw) == failure.value.reason
    return failure.value.reason
