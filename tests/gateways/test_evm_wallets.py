"""ERC-1271 on a real node: a contract that accepts one digest, and addresses that are none."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from consumers.gateways.evm_wallets import MAGIC, EvmWallets
from consumers.gateways.ports import TryAgain
from embedded.parts.anvil import CHAIN_ID
from tests.world import TestWorld

DIGEST = bytes(range(32))
WALLET, REVERTS, EMPTY = "0x" + "a1" * 20, "0x" + "a2" * 20, "0x" + "a3" * 20
# The magic word times (digest asked about == DIGEST), returned as one word.
CODE = f"0x63{MAGIC}60e01b6004357f{DIGEST.hex()}140260005260206000f3"


@pytest.fixture
async def wallets(world: TestWorld) -> AsyncIterator[EvmWallets]:
    with world.chain() as chain:
        async with httpx.AsyncClient() as client:
            for address, code in ((WALLET, CODE), (REVERTS, "0x60006000fd")):
                asked = {"jsonrpc": "2.0", "id": 1, "method": "anvil_setCode"}
                await client.post(chain.rpc_url, json={**asked, "params": [address, code]})
        made = EvmWallets([chain.rpc_url], chain_id=CHAIN_ID)
        yield made
        await made.aclose()


async def test_the_contract_says_what_it_signed(wallets: EvmWallets) -> None:
    assert await wallets.accepts(WALLET, DIGEST, b"any")
    assert not await wallets.accepts(WALLET, bytes(32), b"any")
    assert not await wallets.accepts(REVERTS, DIGEST, b"any")
    assert not await wallets.accepts(EMPTY, DIGEST, b"any")


async def test_a_node_that_is_not_there_is_no_answer() -> None:
    silent = EvmWallets(["http://127.0.0.1:9"], chain_id=CHAIN_ID)
    with pytest.raises(TryAgain):
        await silent.accepts(WALLET, DIGEST, b"any")
    await silent.aclose()
