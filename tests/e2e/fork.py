"""Blocks that come and go: mined one by one after a known block, and taken back to it.

The node signs for anybody, so the same fields sent again are the same transaction, hash included.
"""

from __future__ import annotations

from typing import Any

from tests.contracts.chain import Chain
from tests.e2e.stage import CONFIRMATIONS, Stage

FIELDS = ("from", "to", "gas", "nonce", "value", "maxFeePerGas", "maxPriorityFeePerGas")
GWEI = 10**9


class Fork:
    """From now on no block but ours, until `go_on`. What was there before is never taken back."""

    def __init__(self, stage: Stage) -> None:
        self.chain, self._miner = stage.chain, stage.miner
        self._miner.rest()
        self.base = self.chain.head()

    @property
    def length(self) -> int:
        return self.chain.head() - self.base

    def mine(self, blocks: int = 1) -> None:
        self.chain.mine(blocks)

    def confirm(self) -> None:
        """What is sent is mined, as deep as it must be."""
        self.mine(CONFIRMATIONS)

    def take_back(self) -> None:
        """As many other blocks instead, without any transaction; the pool forgets them too."""
        self.chain.call("anvil_reorg", self.length, [])

    def carry_over(self, *transactions: dict[str, Any]) -> None:
        """As many other blocks; the transactions are in the second of them."""
        moved = [[fields, 1] for fields in transactions]
        self.chain.call("anvil_reorg", self.length, moved)

    def go_on(self) -> None:
        self._miner.run()


def copies(chain: Chain, *hashes: str) -> list[dict[str, Any]]:
    """What was sent, to be sent once more."""
    return [_copy(chain.call("eth_getTransactionByHash", each)) for each in hashes]


def send_again(chain: Chain, *transactions: dict[str, Any]) -> None:
    for fields in transactions:
        chain.call("eth_sendTransaction", fields)


def fees(gwei: int) -> dict[str, str]:
    """What a wallet offers: the one who offers more takes the place of the other."""
    return {"maxFeePerGas": hex(2 * gwei * GWEI), "maxPriorityFeePerGas": hex(gwei * GWEI)}


def use_nonce(chain: Chain, sender: str, nonce: int, **more: str) -> str:
    """Spends a nonce on something that is no business of ours."""
    idle = {"nonce": hex(nonce), **fees(9), **more}
    return chain.send(sender, sender, "0x", **idle)


def nonce_of(chain: Chain, tx_hash: str) -> int:
    return int(chain.call("eth_getTransactionByHash", tx_hash)["nonce"], 16)


def _copy(sent: dict[str, Any]) -> dict[str, Any]:
    return {"data": sent["input"], **{name: sent[name] for name in FIELDS}}
