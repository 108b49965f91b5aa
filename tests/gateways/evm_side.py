"""The EVM gateways pointed at a test's chain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from consumers.gateways.evm import EvmRpc
from consumers.gateways.evm_minter import EvmRoleMinter
from embedded.parts.anvil import CHAIN_ID
from tests.contracts.chain import Chain

TIMEOUT_S = 2.0


@asynccontextmanager
async def evm_rpc(chain: Chain, *urls: str, **options: Any) -> AsyncIterator[EvmRpc]:
    settings = {
        "chain_id": CHAIN_ID,
        "contract": chain.contracts["role_mint"],
        "token": chain.contracts["payment_token"],
        "treasury": chain.contracts["treasury"],
        "timeout_s": TIMEOUT_S,
    }
    rpc = EvmRpc(urls, **(settings | options))
    try:
        yield rpc
    finally:
        await rpc.aclose()


@asynccontextmanager
async def evm_minter(chain: Chain, *urls: str, **options: Any) -> AsyncIterator[EvmRoleMinter]:
    settings = {
        "chain_id": CHAIN_ID,
        "contract": chain.contracts["role_mint"],
        "private_key": chain.contracts["minter_key"],
        "timeout_s": TIMEOUT_S,
    }
    minter = EvmRoleMinter(urls, **(settings | options))
    try:
        yield minter
    finally:
        await minter.aclose()
