"""A development network of Solana of one's own, solana-py's client of it, and transactions."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solana.rpc.async_api import AsyncClient
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from consumers.gateways.bubblegum import Metadata, tree_size
from consumers.gateways.bubblegum_instructions import create_tree_v2, mint_v2
from embedded.solana import genesis
from embedded.solana.chain import Pace
from embedded.twins.solana import Solana
from tests.twins.alone import Alone, alone

AUTHORITY = Keypair.from_base58_string(genesis.authority().private_key)
WALLETS = [Keypair.from_base58_string(each.private_key) for each in genesis.dev_wallets()]
WALLET = WALLETS[0]
TREASURY = Pubkey.from_string(genesis.treasury().address)
MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")

# Slots so long that none passes by itself while a test runs.
BY_STEERING_ONLY = Pace(slot_ms=24 * 60 * 60 * 1000)

SHAPE = {"depth": 5, "buffer": 8, "canopy": 0}
METADATA = Metadata("One", "PFP", "https://example.org/1.json")


def payment(lamports: int, of: Keypair = WALLET) -> Instruction:
    given = TransferParams(from_pubkey=of.pubkey(), to_pubkey=TREASURY, lamports=lamports)
    return transfer(given)


def memo(text: str) -> Instruction:
    return Instruction(MEMO, text.encode(), [])


def creation(tree: Pubkey, rent: int, **shape: int) -> list[Instruction]:
    made = SHAPE | shape
    keys = (AUTHORITY.pubkey(), tree, AUTHORITY.pubkey())
    return create_tree_v2(*keys, lamports=rent, **made)


def mint(tree: Pubkey, authority: Pubkey | None = None, told: Metadata = METADATA) -> Instruction:
    minter = authority or AUTHORITY.pubkey()
    return mint_v2(AUTHORITY.pubkey(), minter, WALLET.pubkey(), tree, told)


def signed(
    instructions: Sequence[Instruction], recent: Hash, *others: Keypair
) -> VersionedTransaction:
    """The authority pays the fee, `others` sign as well."""
    message = MessageV0.try_compile(AUTHORITY.pubkey(), list(instructions), [], recent)
    return VersionedTransaction(message, [AUTHORITY, *others])


@dataclass
class Side:
    alone: Alone
    client: AsyncClient
    twin: Solana

    async def ask(self, method: str, *params: Any) -> dict[str, Any]:
        """The whole JSON-RPC answer."""
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = await self.alone.client.post("/", json=call)
        told: dict[str, Any] = answer.json()
        return told

    async def result(self, method: str, *params: Any) -> Any:
        told = await self.ask(method, *params)
        assert "error" not in told, told
        return told["result"]

    async def fault(self, method: str, *params: Any) -> dict[str, Any]:
        told = await self.ask(method, *params)
        assert "result" not in told, told
        fault: dict[str, Any] = told["error"]
        return fault

    async def recent(self) -> Hash:
        told = await self.result("getLatestBlockhash", {"commitment": "confirmed"})
        return Hash.from_string(told["value"]["blockhash"])

    async def transaction(
        self, instructions: Sequence[Instruction], *others: Keypair
    ) -> VersionedTransaction:
        return signed(instructions, await self.recent(), *others)

    async def land(
        self, instructions: Sequence[Instruction], *others: Keypair, **options: Any
    ) -> str:
        """Sent and, unless it is steered otherwise, landed; its signature."""
        transaction = await self.transaction(instructions, *others)
        return str(await self.result("sendTransaction", *sending(transaction, **options)))

    async def refused(self, instructions: Sequence[Instruction], *others: Keypair) -> Any:
        """What preflight says, `data.err`."""
        transaction = await self.transaction(instructions, *others)
        fault = await self.fault("sendTransaction", *sending(transaction))
        assert fault["code"] == -32002, fault
        return fault["data"]["err"]

    async def status(self, signature: str, *, search: bool = True) -> dict[str, Any] | None:
        options = {"searchTransactionHistory": search}
        told = await self.result("getSignatureStatuses", [signature], options)
        found: dict[str, Any] | None = told["value"][0]
        return found

    async def seen(self, signature: str, **options: Any) -> dict[str, Any]:
        asked = {"commitment": "confirmed", "maxSupportedTransactionVersion": 0} | options
        return dict(await self.result("getTransaction", signature, asked))

    async def lamports(self, key: Pubkey, commitment: str = "processed") -> int:
        told = await self.result("getBalance", str(key), {"commitment": commitment})
        return int(told["value"])

    async def pass_slots(self, count: int) -> dict[str, Any]:
        return dict(await self.alone.steer("chain", {"advance_slots": count}))

    async def tree(self, tree: Keypair, **shape: int) -> str:
        made = SHAPE | shape
        size = tree_size(made["depth"], made["buffer"], made["canopy"])
        rent = await self.result("getMinimumBalanceForRentExemption", size)
        return await self.land(creation(tree.pubkey(), rent, **shape), tree)

    async def ledger(self) -> list[dict[str, Any]]:
        told = await self.alone.client.get("/_twin/ledger")
        return list(told.json()["items"])


def sending(transaction: VersionedTransaction, **options: Any) -> tuple[str, dict[str, Any]]:
    asked = {"encoding": "base64", "preflightCommitment": "processed"} | options
    return b64encode(bytes(transaction)).decode(), asked


@asynccontextmanager
async def solana(folder: Path | None = None, pace: Pace = BY_STEERING_ONLY) -> AsyncIterator[Side]:
    twin = Solana(folder, pace)
    async with alone(twin, folder) as running:
        client = AsyncClient(running.url)
        try:
            yield Side(running, client, twin)
        finally:
            await client.close()
