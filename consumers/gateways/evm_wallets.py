"""Contract wallets (ERC-1271): asks the contract at an address whether it signed a digest.

A node alone could lie somebody into an account, so as many as the quorum must agree. A call that
reverts, or an address without code, is a no; a node that cannot be asked is TryAgain.
"""

from __future__ import annotations

from collections.abc import Sequence

from eth_abi.abi import encode

from consumers.gateways.evm_rpc import Node, Nodes
from consumers.gateways.json_rpc import NodeRefused

MAGIC = "1626ba7e"
"""`isValidSignature(bytes32,bytes)`: the selector of the question and the answer that is a yes."""
REVERTED = 3


class EvmWallets:
    """`urls` are JSON-RPC endpoints of one chain; `timeout_s` bounds each call."""

    def __init__(self, urls: Sequence[str], *, chain_id: int, timeout_s: float = 5.0) -> None:
        self._nodes = Nodes(urls, chain_id=chain_id, timeout_s=timeout_s)

    async def aclose(self) -> None:
        await self._nodes.aclose()

    async def accepts(self, address: str, digest: bytes, signature: bytes) -> bool:
        """Whether the contract says that it signed `digest` (32 bytes)."""
        data = "0x" + MAGIC + encode(["bytes32", "bytes"], [digest, signature]).hex()

        async def ask(node: Node) -> bool:
            try:
                said = await node.call("eth_call", {"to": address, "data": data}, "latest")
            except NodeRefused as refused:
                if refused.code != REVERTED and "revert" not in refused.message.lower():
                    raise
                return False
            return isinstance(said, str) and said.lower() == "0x" + MAGIC.ljust(64, "0")

        return await self._nodes.agreed(ask)
