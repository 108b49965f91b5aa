"""Level tokens on the development network: minted, burned, refused."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from solders.keypair import Keypair

from consumers.gateways.json_rpc import Endpoint
from consumers.gateways.level_ports import LevelWanted
from consumers.gateways.ports import Failure, WillNotWork
from consumers.gateways.solana_levels import SolanaLevels
from consumers.gateways.solana_ports import Prepared
from tests.gateways.devnet_side import Devnet, by_wallet
from tests.gateways.solana_side import AUTHORITY

OURS = str(AUTHORITY.pubkey())
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


@dataclass
class Recorded(Endpoint):
    """Says again what a node said, or something else `instead` for a method, or a history of
    `pages`; of the transaction `odd` nothing that can be read. `read` counts transactions."""

    node: Endpoint
    name: str = "recorded"
    said: dict[str, Any] = field(default_factory=dict)
    instead: dict[str, Any] = field(default_factory=dict)
    pages: Callable[[list[Any]], Any] | None = None
    odd: str = ""
    read: int = 0

    async def ask(self, method: str, params: Any) -> Any:
        self.read += method == "getTransaction"
        if self.pages and method == "getSignaturesForAddress":
            return self.pages(params)
        if self.odd and params[0] == self.odd:
            return "nonsense"
        if method in self.instead:
            return self.instead[method]
        asked = f"{method} {params}"
        if asked not in self.said:
            self.said[asked] = await self.node.ask(method, params)
        return copy.deepcopy(self.said[asked])


async def outcome(read: Awaitable[Any]) -> Any:
    try:
        return await read
    except Failure:
        return "failure"


def summary(number: int, memo: str | None = None) -> dict[str, Any]:
    signature = str(AUTHORITY.sign_message(number.to_bytes(4, "big")))
    return {"signature": signature, "slot": number, "err": None, "memo": memo}
