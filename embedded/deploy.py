"""Puts the development contracts on a fresh chain, once, and says where they are.

The plan is a fixed list of transactions of one account that nobody else uses, so the account's
nonce on the chain tells how far the plan got, and the contracts' addresses follow from the nonces:
a run that was cut short is continued, a finished one sends nothing, a fresh chain starts over.
Every key in this file is public and made for this purpose; none may ever hold anything of worth.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import httpx
import rlp  # type: ignore[import-untyped]
import stamina
import typer
from eth_abi.abi import encode
from eth_account import Account
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

BUILD = Path(__file__).resolve().parent.parent / "contracts" / "build"

DEV_MNEMONIC = "test test test test test test test test test test test junk"
DEV_WALLETS = 10
ETHER = 10**18
WALLET_WEI = 100 * ETHER
WALLET_TOKENS = 10_000 * 10**6  # atomic units of the payment token

ASSET = "MPT"
DECIMALS = 6

# Test keys: the hashes of these sentences.
_DEPLOYER_KEY = keccak(text="mega development world: deployer test key")
_TREASURY_KEY = keccak(text="mega development world: treasury test key")
_MINTER_KEY = keccak(text="mega development world: minter test key")

_GAS_TO_DEPLOY = 5_000_000
_GAS_TO_FUND = 100_000


class DeployFailed(Exception):
    """The chain did not take the development contracts; the message says what it answered."""


class _NotMined(DeployFailed):
    """A transaction is still on its way into a block."""


@dataclass(frozen=True, slots=True)
class Wallet:
    """A development wallet: a checksummed address and its public test key (0x and hex)."""

    address: str
    private_key: str


def dev_wallets() -> tuple[Wallet, ...]:
    """The ten wallets of the development mnemonic, the same that anvil prints at its start."""
    Account.enable_unaudited_hdwallet_features()
    paths = (f"m/44'/60'/0'/0/{index}" for index in range(DEV_WALLETS))
    accounts = (Account.from_mnemonic(DEV_MNEMONIC, account_path=path) for path in paths)
    return tuple(Wallet(each.address, "0x" + bytes(each.key).hex()) for each in accounts)


def deploy(rpc_url: str, data_dir: Path) -> dict[str, Any]:
    """Deploy what is missing on the anvil at `rpc_url` and write `data_dir/contracts.json`.

    Answers what the file holds: `{payment_token, role_mint, treasury, minter, minter_key, asset,
    decimals}`, addresses checksummed. Takes no block time: it mines its own block.
    """
    deployer = Account.from_key(_DEPLOYER_KEY)
    minter = Account.from_key(_MINTER_KEY)
    treasury = Account.from_key(_TREASURY_KEY)
    contracts = {
        "payment_token": _contract_address(deployer.address, 0),
        "role_mint": _contract_address(deployer.address, 1),
        "treasury": treasury.address,
        "minter": minter.address,
        "minter_key": "0x" + _MINTER_KEY.hex(),
        "asset": ASSET,
        "decimals": DECIMALS,
    }
    wallets = [wallet.address for wallet in dev_wallets()]
    with httpx.Client(base_url=rpc_url, timeout=10.0) as client:
        chain = _Chain(client)
        plan = _plan(contracts, deployer.address, wallets)
        done = int(chain.call("eth_getTransactionCount", deployer.address, "pending"), 16)
        if done < len(plan):
            for address in (deployer.address, minter.address, *wallets):
                chain.call("anvil_setBalance", address, hex(WALLET_WEI))
            chain.send(_DEPLOYER_KEY, plan[done:], first_nonce=done)
        for name in ("payment_token", "role_mint"):
            if chain.call("eth_getCode", contracts[name], "latest") == "0x":
                raise DeployFailed(f"there is no code at {contracts[name]}, where {name} should be")
    _write(data_dir / "contracts.json", contracts)
    return contracts


@dataclass(frozen=True, slots=True)
class _Step:
    """One transaction of the plan; `to` is None for a deployment."""

    to: str | None
    data: bytes
    gas: int


def _plan(contracts: dict[str, Any], deployer: str, wallets: list[str]) -> list[_Step]:
    token, treasury, minter = (contracts[key] for key in ("payment_token", "treasury", "minter"))
    faucet = keccak(text="mint(address,uint256)")[:4]
    return [
        _Step(None, _creation("PaymentToken", ["address"], [deployer]), _GAS_TO_DEPLOY),
        _Step(
            None,
            _creation("RoleMint", ["address"] * 3, [token, treasury, minter]),
            _GAS_TO_DEPLOY,
        ),
        *(
            _Step(
                token,
                faucet + encode(["address", "uint256"], [wallet, WALLET_TOKENS]),
                _GAS_TO_FUND,
            )
            for wallet in wallets
        ),
    ]


def _creation(name: str, types: list[str], values: list[str]) -> bytes:
    artifact = json.loads((BUILD / f"{name}.json").read_text())
    return bytes.fromhex(artifact["bytecode"][2:]) + encode(types, values)


def _contract_address(creator: str, nonce: int) -> str:
    hashed = keccak(rlp.encode([bytes.fromhex(creator[2:]), nonce]))
    return str(to_checksum_address(hashed[12:]))


def _write(path: Path, contracts: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(contracts, indent=2) + "\n")
    os.replace(unfinished, path)


class _Chain:
    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._ids = count(1)

    def call(self, method: str, *params: object) -> Any:
        request = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        try:
            answer = self._client.post("", json=request).raise_for_status().json()
        except httpx.HTTPError as problem:
            raise DeployFailed(f"{method}: {problem}") from problem
        if "error" in answer:
            raise DeployFailed(f"{method}: {answer['error']}")
        return answer["result"]

    def send(self, key: bytes, steps: list[_Step], *, first_nonce: int) -> None:
        """Broadcast all steps, mine them in one block and check that none was reverted."""
        chain_id = int(self.call("eth_chainId"), 16)
        price = 2 * int(self.call("eth_gasPrice"), 16)
        hashes = []
        for nonce, step in enumerate(steps, first_nonce):
            transaction = {
                "chainId": chain_id, "nonce": nonce, "gas": step.gas, "gasPrice": price,
                "value": 0, "data": step.data,
            }  # fmt: skip
            if step.to is not None:
                transaction["to"] = step.to
            raw = Account.sign_transaction(transaction, key).raw_transaction
            hashes.append(self.call("eth_sendRawTransaction", "0x" + bytes(raw).hex()))
        # A node that mines by itself may be at work on our transactions while we ask it to.
        for attempt in stamina.retry_context(on=_NotMined, timeout=10.0, wait_initial=0.02):
            with attempt:
                receipts = self._mined(hashes)
        for receipt in receipts:
            if receipt["status"] != "0x1":
                raise DeployFailed(f"the transaction {receipt['transactionHash']} was reverted")

    def _mined(self, hashes: list[str]) -> list[dict[str, Any]]:
        self.call("evm_mine")
        receipts = [self.call("eth_getTransactionReceipt", tx_hash) for tx_hash in hashes]
        if None in receipts:
            raise _NotMined(f"the transaction {hashes[receipts.index(None)]} was not mined")
        return receipts


def _main(
    rpc_url: Annotated[str, typer.Option(envvar="EVM_RPC_URLS")],
    data_dir: Annotated[Path, typer.Option(envvar="MEGA_DATA_DIR")] = Path(".mega"),
) -> None:
    """Deploy the development contracts and print where they are."""
    contracts = deploy(rpc_url, data_dir)
    shown = {name: value for name, value in contracts.items() if name != "minter_key"}
    typer.echo(json.dumps(shown, indent=2))


if __name__ == "__main__":
    typer.run(_main)
