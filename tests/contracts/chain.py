"""A real chain that a test steers: it mines when it is told to, our contracts are on it.

Everything is synchronous; transactions are sent by anvil's unlocked development accounts.
"""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx
from eth_abi import encode
from eth_abi.grammar import parse
from eth_utils import keccak

from domain import calldata
from embedded.deploy_plan import BUILD, dev_wallets
from embedded.parts.anvil import Anvil
from embedded.place import Place

PRICE = 10_000_000  # ten payment tokens
GAS = 5_000_000


def new_order_ref() -> str:
    return "0x" + uuid4().hex.rjust(64, "0")


class RpcError(Exception):
    """The node's own JSON-RPC error."""


class Chain:
    """`wallets` are the ten addresses in lower case; `contracts` what `deploy` answered."""

    def __init__(self, url: str, contracts: Mapping[str, Any] | None = None) -> None:
        self.url = url
        self.contracts = dict(contracts or {})
        self._client = httpx.Client(timeout=10)
        self._numbers = itertools.count(1)
        self._mines = True
        self._takers = itertools.cycle(range(10))
        self.wallets = [wallet.address.lower() for wallet in dev_wallets()]

    @property
    def token(self) -> str:
        return self.contracts["payment_token"].lower()

    @property
    def role_mint(self) -> str:
        return self.contracts["role_mint"].lower()

    @property
    def treasury(self) -> str:
        return self.contracts["treasury"].lower()

    def wallet(self) -> str:
        """The next wallet, so that two tests rarely share one."""
        return self.wallets[next(self._takers)]

    def call(self, method: str, *params: Any) -> Any:
        question = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": params}
        answer = self._client.post(self.url, json=question).json()
        if "error" in answer:
            raise RpcError(answer["error"]["message"])
        return answer["result"]

    def send(self, sender: str, to: str | None, data: str, **more: Any) -> str:
        """Send and, unless mining is done by hand, mine."""
        fields = {"from": sender, "data": data, "gas": hex(GAS), **more}
        tx_hash = self.call("eth_sendTransaction", fields if to is None else fields | {"to": to})
        if self._mines:
            self.mine()
        return tx_hash

    def view(self, to: str, signature: str, *arguments: Any) -> bytes:
        data = "0x" + encoded_call(signature, *arguments)
        return bytes.fromhex(self.call("eth_call", {"to": to, "data": data}, "latest")[2:])

    def steer(self) -> None:
        """No block from now on but ours: anvil answers before it has mined one by itself."""
        self.call("evm_setAutomine", False)
        self.mine()

    def receipt(self, tx_hash: str) -> Any:
        return self.call("eth_getTransactionReceipt", tx_hash)

    def deploy(self, name: str, types: list[str], arguments: list[Any]) -> str:
        artifact = json.loads((BUILD / f"{name}.json").read_text())
        data = artifact["bytecode"] + encode(types, arguments).hex()
        return self.receipt(self.send(self.wallets[0], None, data))["contractAddress"]

    def approve(self, payer: str, amount: int = PRICE, *, spender: str = "") -> str:
        return self.send(payer, self.token, calldata.approve(spender or self.role_mint, amount))

    def pay_and_mint(self, payer: str, order_ref: str, amount: int = PRICE) -> str:
        self.approve(payer, amount)
        return self.send(payer, self.role_mint, calldata.mint(order_ref, amount))

    def pay(self, payer: str, order_ref: str, amount: int = PRICE) -> str:
        self.approve(payer, amount)
        return self.send(payer, self.role_mint, calldata.pay(order_ref, amount))

    def head(self) -> int:
        return int(self.call("eth_blockNumber"), 16)

    def mine(self, blocks: int = 1) -> None:
        self.call("anvil_mine", hex(blocks))

    @contextmanager
    def mining_by_hand(self) -> Iterator[None]:
        self._mines = False
        try:
            yield
        finally:
            self._mines = True
            self.mine()


def encoded_call(signature: str, *arguments: Any) -> str:
    """Calldata of `name(type,…)`, hex without 0x."""
    inputs = signature[signature.index("(") :]
    types = [] if inputs == "()" else [each.to_type_str() for each in parse(inputs).components]
    return (keccak(text=signature)[:4] + encode(types, arguments)).hex()


@contextmanager
def fresh_node(folder: Path) -> Iterator[str]:
    """The URL of an empty anvil with our chain id, which ends with the block."""
    place = Place.at(folder)
    part = Anvil(place, block_time_s=None)
    place.ports.reserve(*part.ports())
    (folder / "anvil").mkdir(exist_ok=True)
    process = subprocess.Popen(part.command({}).argv, stdout=subprocess.DEVNULL)
    try:
        _wait_until_it_answers(part.where(), process)
        yield part.where()
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    question = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    deadline = monotonic() + 10
    while process.poll() is None and monotonic() < deadline:
        try:
            httpx.post(url, json=question, timeout=1)
        except httpx.TransportError:
            continue
        return
    raise AssertionError(f"anvil did not come up at {url}")
