"""Reads the EVM chain that role mints are paid on.

What decides about money is asked of every configured endpoint and counts when two of them say the
same, block hashes included; a single endpoint's word counts only when it is the only one there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import httpx

from consumers.gateways import evm_abi as abi
from consumers.gateways import evm_json
from consumers.gateways import evm_reads as reads
from consumers.gateways.evm_rpc import Node, Nodes
from consumers.gateways.ports import (
    FinalMintSeen,
    Head,
    MintSeen,
    TransactionSeen,
    TryAgain,
    WillNotWork,
)

PAYMENTS = [abi.ROLE_MINTED, abi.ROLE_PAID]

Seen = TypeVar("Seen", MintSeen, FinalMintSeen)


class EvmRpc:
    """The `EvmChain` port over JSON-RPC.

    `contract` is the RoleMint, `token` the ERC-20 it takes, `treasury` who must be paid, addresses
    in hex. `timeout_s` bounds each call to a node, `log_range_blocks` one `eth_getLogs` question.
    `client` in place of one of our own, for who only asks; it is closed with us.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        chain_id: int,
        contract: str,
        token: str,
        treasury: str,
        timeout_s: float = 10.0,
        log_range_blocks: int = 2_000,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self.chain_id = chain_id
        self._nodes = Nodes(urls, chain_id=chain_id, timeout_s=timeout_s, client=client)
        self._terms = abi.Terms(contract.lower(), token.lower(), treasury.lower())
        self._log_range_blocks = log_range_blocks

    async def aclose(self) -> None:
        await self._nodes.aclose()

    async def head(self) -> Head:
        """The lower head of two nodes."""
        return await reads.lower_head(self._nodes)

    async def block_hash(self, number: int) -> str | None:
        return await self._nodes.agreed(lambda node: reads.block_hash(node, number))

    async def nonce_at(self, address: str, block_number: int) -> int:
        """How many transactions `address` had sent when `block_number` was mined."""

        async def ask(node: Node) -> int:
            count = await node.call("eth_getTransactionCount", address, hex(block_number))
            return evm_json.quantity(count)

        return await self._nodes.agreed(ask)

    async def transaction(self, tx_hash: str) -> TransactionSeen | None:
        """None: no node knows it. One that waits in a single node's pool counts as waiting."""
        try:
            wanted = evm_json.hash32(tx_hash)
        except TryAgain:
            raise WillNotWork(f"not a transaction's hash: {tx_hash[:80]!r}") from None
        waiting: list[TransactionSeen] = []

        async def ask(node: Node) -> TransactionSeen | None:
            seen = await self._transaction(node, wanted)
            if seen is not None and seen.block_number is None:
                waiting.append(seen)
                return None
            return seen

        mined = await self._nodes.agreed(ask)
        return mined if mined is not None else next(iter(waiting), None)

    async def mints_of(self, order_ref: str, *, from_block: int) -> list[MintSeen]:
        """Every payment for an order from `from_block` to the head, oldest first."""
        head = await self.head()
        return await self._mints([PAYMENTS, order_ref.lower()], from_block, head.number)

    async def mints_between(self, first: int, last: int) -> list[MintSeen]:
        """Every payment for any order in the blocks `first` to `last`, both included."""
        return await self._mints([PAYMENTS], first, last)

    async def final_mint_of(self, order_ref: str, *, from_block: int) -> FinalMintSeen | None:
        head = await self.head()
        topics: list[object] = [abi.ROLE_MINTED_FINAL, order_ref.lower()]
        if from_block > head.number:
            return None

        async def ask(node: Node) -> tuple[str, tuple[FinalMintSeen, ...]]:
            tip, mined = await self._mined(node, topics, from_block, head.number)
            found = (abi.final_mints_in(each, self._terms.contract) for each in mined)
            return tip, _of_order(found, order_ref.lower())

        _, finals = await self._nodes.agreed(ask)
        if len(finals) > 1:
            raise TryAgain(f"a node tells of {len(finals)} final mints of one order")
        return finals[0] if finals else None

    async def _mints(self, topics: list[object], first: int, last: int) -> list[MintSeen]:
        if first > last:
            return []
        order_ref = topics[1] if len(topics) > 1 else None

        async def ask(node: Node) -> tuple[str, tuple[MintSeen, ...]]:
            tip, mined = await self._mined(node, topics, first, last)
            return tip, _of_order((abi.mints_in(each, self._terms) for each in mined), order_ref)

        _, mints = await self._nodes.agreed(ask)
        return list(mints)

    async def _mined(
        self, node: Node, topics: list[object], first: int, last: int
    ) -> tuple[str, list[evm_json.Receipt]]:
        events = [reads.Events(self._terms.contract, topics)]
        return await reads.mined_with(node, events, first, last, span=self._log_range_blocks)

    async def _transaction(self, node: Node, tx_hash: str) -> TransactionSeen | None:
        found = await node.call("eth_getTransactionByHash", tx_hash)
        if found is None:
            return None
        fields = evm_json.record(found)
        if evm_json.hash32(fields.get("hash")) != tx_hash:
            raise TryAgain(f"{node.name} answered with another transaction")
        sender, nonce = evm_json.address(fields.get("from")), evm_json.quantity(fields.get("nonce"))
        if fields.get("blockNumber") is None:
            return TransactionSeen(tx_hash, sender, nonce, None, None, None, ())
        mined = await reads.mined_receipt(node, tx_hash)
        return TransactionSeen(
            tx_hash=tx_hash,
            sender=sender,
            nonce=nonce,
            block_number=mined.block_number,
            block_hash=mined.block_hash,
            succeeded=mined.succeeded,
            mints=abi.mints_in(mined, self._terms),
        )


def _of_order(found: Iterable[tuple[Seen, ...]], order_ref: object | None) -> tuple[Seen, ...]:
    return tuple(
        seen
        for together in found
        for seen in together
        if order_ref is None or seen.order_ref == order_ref
    )
