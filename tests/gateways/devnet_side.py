"""The development network for gateways: wallets, time, and an endpoint that may lie."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.transaction import VersionedTransaction

from consumers.gateways.json_rpc import Endpoint
from consumers.gateways.questions import questions_client
from consumers.gateways.solana_payments import HandedIn
from consumers.gateways.solana_ports import Prepared
from consumers.gateways.solana_rpc import SolanaRpc
from consumers.gateways.solana_trees import Shape, Trees
from embedded.twins.solana import Solana
from embedded.twins.wire import Answer, Call
from tests.gateways.solana_side import AUTHORITY, solana_rpc
from tests.twins.alone import Alone, alone

SOL = 10**9
CONFIRMED = {"preflightCommitment": "confirmed"}
Lie = Callable[[list[Any], Any], Any]
"""(parameters, the honest result) → what is answered."""


@dataclass
class Liar:
    """Another endpoint of the same network, honest until it is told what to say `instead`."""

    network: Solana
    name: str = "liar"
    base_path: str = ""
    instead: dict[str, Lie] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def answer(self, call: Call) -> Answer:
        answer, question = await self.network.answer(call), orjson.loads(call.body)
        self.asked.append(question["method"])
        if lie := self.instead.get(question["method"]):
            told = orjson.loads(answer.body)
            return Answer.json(200, told | {"result": lie(question["params"], told["result"])})
        return answer


@dataclass
class Devnet:
    """`ask` says what the gateways have no word for. `both` asks the network and the liar,
    `doubtful` the liar alone."""

    front: Alone
    other: Alone
    liar: Liar
    chain: SolanaRpc
    both: SolanaRpc
    doubtful: SolanaRpc
    ask: Endpoint

    async def wallet(self, lamports: int = SOL) -> Keypair:
        made = Keypair()
        await self.ask.ask("requestAirdrop", [str(made.pubkey()), lamports])
        await self.passes(1)
        return made

    async def passes(self, slots: int) -> None:
        await self.front.steer("chain", {"advance_slots": slots})

    async def final(self) -> None:
        await self.front.steer("chain", {"finalize": True})

    async def lands(self, raw: str) -> None:
        await self.chain.broadcast(raw)
        await self.passes(1)
        await self.final()

    async def sends(
        self,
        wallet: Keypair,
        *instructions: Instruction,
        signs: Keypair | None = None,
        preflight: bool = True,
    ) -> str:
        """A transaction of the wallet's own, which another may sign as well; its signature."""
        recent = Hash.from_string((await self.chain.blockhash()).value)
        unsigned = MessageV0.try_compile(wallet.pubkey(), instructions, [], recent)
        signers = [wallet, signs] if signs else [wallet]
        raw = base64.b64encode(bytes(VersionedTransaction(unsigned, signers))).decode()
        how = {"encoding": "base64", "skipPreflight": not preflight} | CONFIRMED
        signature = await self.ask.ask("sendTransaction", [raw, how])
        await self.passes(1)
        await self.final()
        return str(signature)

    async def lamports(self, key: Keypair) -> int:
        told = await self.ask.ask("getBalance", [str(key.pubkey()), {"commitment": "processed"}])
        return int(told["value"])

    def trees(self, shape: str) -> Trees:
        shaped = Shape.parse(shape)
        return Trees(chain=self.chain, authority=AUTHORITY, shape=shaped, priority_fee=1_000)


@asynccontextmanager
async def development_network() -> AsyncIterator[Devnet]:
    network = Solana()
    liar = Liar(network)
    async with (
        alone(network) as front,
        alone(liar) as other,
        questions_client(trust_env=False) as client,
    ):
        made = _devnet(client, front, other, liar)
        await made.ask.ask("requestAirdrop", [str(AUTHORITY.pubkey()), 100 * SOL])
        await made.passes(1)
        yield made


def _devnet(client: httpx.AsyncClient, front: Alone, other: Alone, liar: Liar) -> Devnet:
    urls = ([front.url], [front.url, other.url], [other.url])
    chains = [solana_rpc(client, *each) for each in urls]
    return Devnet(front, other, liar, *chains, Endpoint(client, front.url, timeout_s=5.0))


def signed(prepared: Prepared, wallet: Keypair) -> str:
    return HandedIn().complete(prepared, str(wallet.pubkey()), by_wallet(prepared, wallet))


def by_wallet(prepared: Prepared, wallet: Keypair) -> str:
    """As a wallet's library does it: decoded, signed at its place, written again."""
    handed = VersionedTransaction.from_bytes(base64.b64decode(prepared.raw))
    place = list(handed.message.account_keys).index(wallet.pubkey())
    signatures = list(handed.signatures)
    signatures[place] = wallet.sign_message(base64.b64decode(prepared.message))
    whole = VersionedTransaction.populate(handed.message, signatures)
    return base64.b64encode(bytes(whole)).decode()
