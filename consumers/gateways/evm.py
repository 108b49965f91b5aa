"""Reads the EVM chain that role mints are paid on.

What decides about money is asked of every configured endpoint and counts when two of them say the
same, block hashes included; a single endpoint's word counts only when it is the only one there is.
Whatever is read comes from a receipt whose block the same node holds to be canonical.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TypeVar

from consumers.gateways import evm_abi as abi
from consumers.gateways.evm_rpc import Node, NodeRefused, Nodes
from consumers.gateways.ports import (
    FinalMintSeen,
    Head,
    MintSeen,
    TransactionSeen,
    TryAgain,
    WillNotWork,
)

RECEIPTS_AT_ONCE = 8
PAYMENTS = [abi.ROLE_MINTED, abi.ROLE_PAID]

Seen = TypeVar("Seen", MintSeen, FinalMintSeen)


class EvmRpc:
    """The `EvmChain` port over JSON-RPC.

    `contract` is the RoleMint, `token` the ERC-20 it takes, `treasury` who must be paid, addresses
    in hex. `timeout_s` bounds each call to a node, `log_range_blocks` one `eth_getLogs` question.
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
    ) -> None:
        self.chain_id = chain_id
        self._nodes = Nodes(urls, chain_id=chain_id, timeout_s=timeout_s)
        self._terms = abi.Terms(contract.lower(), token.lower(), treasury.lower())
        self._log_range_blocks = log_range_blocks

    async def aclose(self) -> None:
        await self._nodes.aclose()

    async def head(self) -> Head:
        """The lower head of two nodes, so that one alone cannot make a payment look deep."""
        heads = await self._nodes.several(_head)
        return min(heads, key=lambda head: head.number)

    async def block_hash(self, number: int) -> str | None:
        return await self._nodes.agreed(lambda node: _block_hash(node, number))

    async def nonce_at(self, address: str, block_number: int) -> int:
        """How many transactions `address` had sent when `block_number` was mined."""

        async def ask(node: Node) -> int:
            count = await node.call("eth_getTransactionCount", address, hex(block_number))
            return abi.quantity(count)

        return await self._nodes.agreed(ask)

    async def transaction(self, tx_hash: str) -> TransactionSeen | None:
        """None: no node knows it. One that waits in a single node's pool counts as waiting."""
        try:
            wanted = abi.hash32(tx_hash)
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
    ) -> tuple[str, list[abi.Receipt]]:
        """The hash of the block `last` and the receipts with our events up to it, oldest first.

        The hash makes two answers equal only on one and the same chain of blocks, and shows a node
        that lags behind, whose empty answer would mean nothing.
        """
        tip = await _block_hash(node, last)
        if tip is None:
            raise TryAgain(f"{node.name} has not reached block {last}")
        hashes = await self._hashes_with(node, topics, first, last)
        mined: list[abi.Receipt] = []
        for start in range(0, len(hashes), RECEIPTS_AT_ONCE):
            some = hashes[start : start + RECEIPTS_AT_ONCE]
            mined += await asyncio.gather(*(_mined_receipt(node, each) for each in some))
        if any(not first <= each.block_number <= last for each in mined):
            raise TryAgain(f"{node.name} moved a transaction while it was asked about it")
        return tip, sorted(mined, key=_place)

    async def _hashes_with(
        self, node: Node, topics: list[object], first: int, last: int
    ) -> list[str]:
        """Hashes of the transactions with our events, asked in as narrow ranges as it takes."""
        hashes: dict[str, None] = {}
        span = self._log_range_blocks
        while first <= last:
            until = min(last, first + span - 1)
            question = {
                "address": self._terms.contract,
                "topics": topics,
                "fromBlock": hex(first),
                "toBlock": hex(until),
            }
            try:
                logs = abi.records(await node.call("eth_getLogs", question))
            except NodeRefused as refusal:
                if not refusal.too_large or until == first:
                    raise
                span = (until - first + 1) // 2
                continue
            for log in logs:
                if log.get("removed", False) is False:
                    hashes[abi.hash32(log.get("transactionHash"))] = None
            first = until + 1
        return list(hashes)

    async def _transaction(self, node: Node, tx_hash: str) -> TransactionSeen | None:
        told = await node.call("eth_getTransactionByHash", tx_hash)
        if told is None:
            return None
        fields = abi.record(told)
        if abi.hash32(fields.get("hash")) != tx_hash:
            raise TryAgain(f"{node.name} answered with another transaction")
        sender, nonce = abi.address(fields.get("from")), abi.quantity(fields.get("nonce"))
        if fields.get("blockNumber") is None:
            return TransactionSeen(tx_hash, sender, nonce, None, None, None, ())
        mined = await _mined_receipt(node, tx_hash)
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


def _place(mined: abi.Receipt) -> tuple[int, int]:
    return mined.block_number, mined.logs[0].log_index if mined.logs else 0


async def _head(node: Node) -> Head:
    block = abi.record(await node.call("eth_getBlockByNumber", "latest", False))
    return Head(
        number=abi.quantity(block.get("number")),
        hash=abi.hash32(block.get("hash")),
        time=abi.quantity(block.get("timestamp")),
    )


async def _block_hash(node: Node, number: int) -> str | None:
    block = await node.call("eth_getBlockByNumber", hex(number), False)
    if block is None:
        return None
    fields = abi.record(block)
    if abi.quantity(fields.get("number")) != number:
        raise TryAgain(f"{node.name} answered with another block")
    return abi.hash32(fields.get("hash"))


async def _mined_receipt(node: Node, tx_hash: str) -> abi.Receipt:
    """A receipt in a block that the node itself holds to be part of the chain."""
    told = await node.call("eth_getTransactionReceipt", tx_hash)
    if told is None:
        raise TryAgain(f"{node.name} has no receipt of a mined transaction")
    mined = abi.receipt(told)
    if mined.tx_hash != tx_hash:
        raise TryAgain(f"{node.name} answered with another receipt")
    if await _block_hash(node, mined.block_number) != mined.block_hash:
        raise TryAgain(f"{node.name} has a receipt of a block that is not in its chain")
    return mined
