"""Solana nodes that know just what a test tells them, each on a socket of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from solders.keypair import Keypair

from consumers.gateways.questions import questions_client
from consumers.gateways.solana_ports import Blockhash
from consumers.gateways.solana_rpc import SolanaRpc
from embedded.twins.wire import Answer, Call
from tests.twins.alone import Alone, alone

AUTHORITY = Keypair.from_seed(bytes([1]) * 32)
TREASURY = str(Keypair.from_seed(bytes([2]) * 32).pubkey())
WALLET = Keypair.from_seed(bytes([3]) * 32)
RECENT = Blockhash("4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi", 1_000)
TIMEOUT_S = 2.0


class Refuses(Exception):
    """The node answers with a JSON-RPC error."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, "data": data}


@dataclass
class Node:
    """`height` and `slot` are finalized; `looks_at` is the slot behind its word on signatures.
    `instead` answers a method in place of what the node knows."""

    height: int = 2_000
    slot: int = 2_400
    looks_at: int = 2_440
    statuses: dict[str, Any] = field(default_factory=dict)
    transactions: dict[str, Any] = field(default_factory=dict)
    accounts: dict[str, Any] = field(default_factory=dict)
    instead: dict[str, Callable[[list[Any]], Any]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def methods(self) -> list[str]:
        return [method for method, _ in self.asked]

    async def answer(self, call: Call) -> Answer:
        question = orjson.loads(call.body)
        method, params = question["method"], question["params"]
        self.asked.append((method, params))
        said = {"jsonrpc": "2.0", "id": question["id"]}
        try:
            return Answer.json(200, said | {"result": self._told(method, params)})
        except Refuses as refusal:
            return Answer.json(200, said | {"error": refusal.error})

    def _told(self, method: str, params: list[Any]) -> Any:
        if method in self.instead:
            return self.instead[method](params)
        context = {"slot": self.looks_at}
        match method:
            case "getLatestBlockhash":
                value = {"blockhash": RECENT.value, "lastValidBlockHeight": self.height + 150}
                return {"context": context, "value": value}
            case "getBlockHeight":
                return self.height + 32 * (params[0]["commitment"] != "finalized")
            case "getEpochInfo":
                return {"absoluteSlot": self.slot, "blockHeight": self.height}
            case "getSignatureStatuses":
                assert params[1] == {"searchTransactionHistory": True}
                return {"context": context, "value": [self.statuses.get(s) for s in params[0]]}
            case "getTransaction":
                return self.transactions.get(params[0])
            case "getAccountInfo":
                return {"context": context, "value": self.accounts.get(params[0])}
            case "simulateTransaction":
                return {"context": context, "value": {"err": None, "logs": []}}
        raise Refuses(-32601, f"Method not found: {method}")


def status(slot: int = 10, commitment: str = "finalized", err: Any = None) -> dict[str, Any]:
    return {"slot": slot, "confirmations": None, "err": err, "confirmationStatus": commitment}


def transfer_told(signature: str, lamports: int, *, err: Any = None) -> dict[str, Any]:
    """A finalized transaction by which the treasury gained `lamports`."""
    keys = [str(AUTHORITY.pubkey()), str(WALLET.pubkey()), TREASURY]
    balances = {"preBalances": [9, lamports, 7], "postBalances": [4, 0, 7 + lamports]}
    return {
        "slot": 77,
        "transaction": {"signatures": [signature], "message": {"accountKeys": keys}},
        "meta": {"err": err, **balances},
    }


@dataclass
class Seat:
    """Where a node sits; another may take its place without a new socket."""

    node: Node
    name: str = "node"
    base_path: str = ""

    async def answer(self, call: Call) -> Answer:
        return await self.node.answer(call)


@dataclass
class Network:
    """Up to three nodes. The fronts script their connections."""

    client: httpx.AsyncClient
    seats: list[Seat]
    fronts: list[Alone]

    async def of(self, count: int = 1) -> tuple[SolanaRpc, list[Node], list[Alone]]:
        """A new gateway before so many new nodes."""
        for seat, front in zip(self.seats, self.fronts, strict=True):
            seat.node = Node()
            await front.steer("reset", None)
        urls = [front.url for front in self.fronts[:count]]
        new = [seat.node for seat in self.seats[:count]]
        return solana_rpc(self.client, *urls), new, self.fronts[:count]


@asynccontextmanager
async def network() -> AsyncIterator[Network]:
    async with AsyncExitStack() as stack:
        seats = [Seat(Node()) for _ in range(3)]
        fronts = [await stack.enter_async_context(alone(seat)) for seat in seats]
        client = await stack.enter_async_context(questions_client(trust_env=False))
        yield Network(client, seats, fronts)


def solana_rpc(client: httpx.AsyncClient, *urls: str) -> SolanaRpc:
    return SolanaRpc(urls, treasury=TREASURY, client=client, timeout_s=TIMEOUT_S)
