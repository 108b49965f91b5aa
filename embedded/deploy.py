"""Puts the development contracts on a fresh chain, once, and says where they are.

The deployer's nonce on the chain tells how far the plan (embedded/deploy_plan.py) got: a run that
was cut short is continued, a finished one sends nothing, a fresh chain starts over, and a chain
with the contracts of an earlier version gets the new ones.
"""

from __future__ import annotations

import json
import os
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import httpx
import stamina
import typer
from eth_account import Account

from embedded import deploy_plan
from embedded.deploy_plan import Step

WALLET_WEI = 100 * 10**18


class DeployFailed(Exception):
    """The chain did not take the development contracts; the message says what it answered."""


class _NotMined(DeployFailed):
    """A transaction is still on its way into a block."""


def deploy(rpc_url: str, data_dir: Path) -> dict[str, Any]:
    """Deploy what is missing on the anvil at `rpc_url` and write `data_dir/contracts.json`.

    Answers what the file holds: `{payment_token, role_mint, treasury, minter, minter_key, asset,
    decimals, usdc, geoplets, voucher_signer, voucher_signer_key, pay_to, facilitator,
    facilitator_key}`, addresses checksummed. Takes no block time: it mines its own block.
    """
    contracts, steps = deploy_plan.contracts(), deploy_plan.plan()
    deployer = Account.from_key(deploy_plan.DEPLOYER_KEY).address
    with httpx.Client(base_url=rpc_url, timeout=10.0) as client:
        chain = _Chain(client)
        for address, code in deploy_plan.fixed_code().items():
            if chain.call("eth_getCode", address, "latest") == "0x":
                chain.call("anvil_setCode", address, code)
        done = int(chain.call("eth_getTransactionCount", deployer, "pending"), 16)
        if done < len(steps):
            for address in deploy_plan.in_need_of_ether():
                chain.call("anvil_setBalance", address, hex(WALLET_WEI))
            chain.send(deploy_plan.DEPLOYER_KEY, steps[done:], first_nonce=done)
        for name in ("payment_token", "role_mint", "geoplets"):
            if chain.call("eth_getCode", contracts[name], "latest") == "0x":
                raise DeployFailed(f"there is no code at {contracts[name]}, where {name} should be")
    _write(data_dir / "contracts.json", contracts)
    return contracts


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

    def send(self, key: bytes, steps: list[Step], *, first_nonce: int) -> None:
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
    shown = {name: value for name, value in contracts.items() if not name.endswith("_key")}
    typer.echo(json.dumps(shown, indent=2))


if __name__ == "__main__":
    typer.run(_main)
