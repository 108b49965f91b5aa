"""Signs and broadcasts the server's own mints of finished tokens (`role_mint_final`).

Signing sends nothing, so that the bytes and their hash are in the ledger before anybody sees them.
The same bytes may be broadcast any number of times; the contract mints once per order.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from eth_abi.abi import encode
from eth_account import Account
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from consumers.gateways import evm_json
from consumers.gateways.evm_rpc import Node, Nodes
from consumers.gateways.json_rpc import NodeRefused, NodeSilent
from consumers.gateways.ports import (
    Failure,
    OutcomeUnknown,
    SignedTransaction,
    TryAgain,
    WillNotWork,
)

MINT_FINAL = bytes.fromhex("4dc4344c")  # mintFinal(bytes32,address,string)
MOST_GAS = 2_000_000
GWEI = 10**9

_ALREADY_KNOWN = re.compile(r"already (known|imported)|known transaction", re.IGNORECASE)
_NONCE_TOO_LOW = re.compile(r"nonce (is )?too low", re.IGNORECASE)
_NOT_NOW = re.compile(r"underpriced|less than block base fee|fee too low|pool", re.IGNORECASE)
_NO_FUNDS = re.compile(r"insufficient funds", re.IGNORECASE)
_REVERTED = re.compile(r"revert", re.IGNORECASE)


class EvmRoleMinter:
    """The `EvmMinter` port. `private_key` is 0x and hex, and is never in an error or a repr.

    No fee above `most_wei_per_gas` is ever signed: a node that asks for more is asked again later.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        chain_id: int,
        contract: str,
        private_key: str,
        timeout_s: float = 10.0,
        most_wei_per_gas: int = 200 * GWEI,
    ) -> None:
        self._account = Account.from_key(private_key)
        self.address = str(self._account.address).lower()
        self._nodes = Nodes(urls, chain_id=chain_id, timeout_s=timeout_s)
        self._chain_id = chain_id
        self._contract = to_checksum_address(contract)
        self._most_wei_per_gas = most_wei_per_gas

    async def aclose(self) -> None:
        await self._nodes.aclose()

    async def pending_nonce(self) -> int:
        """The next nonce that no transaction uses, the ones that wait in the pools included."""

        async def ask(node: Node) -> int:
            return evm_json.quantity(
                await node.call("eth_getTransactionCount", self.address, "pending")
            )

        return await self._nodes.agreed(ask)

    async def sign_final_mint(
        self, order_ref: str, *, to: str, uri: str, nonce: int
    ) -> SignedTransaction:
        """Sign `mintFinal`; WillNotWork when the contract refuses it, as it does a second one."""
        arguments = [bytes.fromhex(order_ref.removeprefix("0x")), to, uri]
        data = MINT_FINAL + encode(["bytes32", "address", "string"], arguments)
        gas = max(await self._nodes.several(lambda node: self._gas(node, data)))
        fees = await self._nodes.several(_fees)
        base_fee, tip = max(base for base, _ in fees), max(tip for _, tip in fees)
        if gas > MOST_GAS:
            raise WillNotWork(f"the mint would take {gas} gas, more than {MOST_GAS}")
        if 2 * base_fee + tip > self._most_wei_per_gas:
            raise TryAgain(f"{2 * base_fee + tip} wei per gas is too dear", after_s=30.0)
        transaction = {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": nonce,
            "to": self._contract,
            "value": 0,
            "data": data,
            "gas": gas,
            "maxFeePerGas": 2 * base_fee + tip,
            "maxPriorityFeePerGas": tip,
        }
        signed = self._account.sign_transaction(transaction)
        return SignedTransaction(
            raw="0x" + bytes(signed.raw_transaction).hex(),
            tx_hash="0x" + bytes(signed.hash).hex(),
            sender=self.address,
            nonce=nonce,
        )

    async def broadcast(self, raw: str) -> None:
        """Hand the signed bytes to every node; one that takes them, or has them, is enough."""
        tx_hash = "0x" + keccak(hexstr=raw).hex()
        sends = (_send(node, raw, tx_hash) for node in self._nodes.each)
        outcomes = await asyncio.gather(*sends)
        failures = [outcome for outcome in outcomes if outcome is not None]
        if len(failures) < len(outcomes):
            return
        for kind in (OutcomeUnknown, WillNotWork, TryAgain):
            for failure in failures:
                if isinstance(failure, kind):
                    raise failure

    async def _gas(self, node: Node, data: bytes) -> int:
        call = {"from": self.address, "to": self._contract, "data": "0x" + data.hex()}
        try:
            gas = evm_json.quantity(await node.call("eth_estimateGas", call))
        except NodeRefused as refusal:
            if refusal.code == 3 or _REVERTED.search(refusal.message):
                raise WillNotWork(f"the contract refuses: {refusal.reason}") from refusal
            raise
        return gas + gas // 4


async def _fees(node: Node) -> tuple[int, int]:
    """`(base fee, tip)` in wei per gas."""
    block = evm_json.record(await node.call("eth_getBlockByNumber", "latest", False))
    tip = evm_json.quantity(await node.call("eth_maxPriorityFeePerGas"))
    return evm_json.quantity(block.get("baseFeePerGas")), tip


async def _send(node: Node, raw: str, tx_hash: str) -> Failure | None:
    """None when the node has the transaction, in its pool or in a block."""
    try:
        answer = await node.call("eth_sendRawTransaction", raw)
    except NodeRefused as refusal:
        return await _what_it_means(node, refusal, tx_hash)
    except NodeSilent as silence:
        if silence.sent:
            return OutcomeUnknown(silence.reason, reference=tx_hash)
        return silence
    except Failure as failure:
        return failure
    if answer != tx_hash:
        return OutcomeUnknown(f"{node.name} took it as {str(answer)[:80]}", reference=tx_hash)
    return None


async def _what_it_means(node: Node, refusal: NodeRefused, tx_hash: str) -> Failure | None:
    if _ALREADY_KNOWN.search(refusal.message):
        return None
    if _NONCE_TOO_LOW.search(refusal.message):
        try:
            mined = await node.call("eth_getTransactionReceipt", tx_hash)
        except Failure as failure:
            return OutcomeUnknown(failure.reason, reference=tx_hash)
        return None if mined is not None else WillNotWork("another transaction took the nonce")
    if _NO_FUNDS.search(refusal.message):
        return WillNotWork(refusal.reason, error_class="quota")
    if _NOT_NOW.search(refusal.message) or refusal.error_class in ("throttled", "quota"):
        return refusal
    if refusal.error_class == "invalid":
        return WillNotWork(refusal.reason)
    return OutcomeUnknown(refusal.reason, reference=tx_hash)
