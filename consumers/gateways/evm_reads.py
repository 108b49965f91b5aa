"""What one node holds to be its chain: heads, blocks, and the transactions with certain events.

Logs only say where to look: what counts is read from a receipt whose block the same node holds to
be canonical.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consumers.gateways import evm_json
from consumers.gateways.evm_rpc import Node, Nodes
from consumers.gateways.json_rpc import NodeRefused
from consumers.gateways.ports import Head, TryAgain

RECEIPTS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Events:
    """Events of the contract at `address`; `topics` as `eth_getLogs` takes them.

    `worth`: only those whose data is not zero, so that strangers who send nothing cost nothing.
    """

    address: str
    topics: Sequence[object]
    worth: bool = False

    def has(self, log: Mapping[str, object]) -> bool:
        empty = self.worth and not str(log.get("data")).strip("0x")
        return log.get("removed", False) is False and not empty


async def lower_head(nodes: Nodes) -> Head:
    """The lower head of two nodes, so that one alone cannot make a payment look deep."""
    heads = await nodes.several(_newest)
    return min(heads, key=lambda head: head.number)


async def block(node: Node, number: int) -> Head | None:
    """A block of the node's chain; None when it is not there."""
    found = await node.call("eth_getBlockByNumber", hex(number), False)
    if found is None:
        return None
    head = _head(found)
    if head.number != number:
        raise TryAgain(f"{node.name} answered with another block")
    return head


async def block_hash(node: Node, number: int) -> str | None:
    found = await block(node, number)
    return found.hash if found else None


async def hash_reached(node: Node, number: int) -> str:
    """The hash of a block; TryAgain from a node that lags behind, whose word would mean nothing."""
    found = await block_hash(node, number)
    if found is None:
        raise TryAgain(f"{node.name} has not reached block {number}")
    return found


async def mined_with(
    node: Node, events: Sequence[Events], first: int, last: int, *, span: int
) -> tuple[str, list[evm_json.Receipt]]:
    """The hash of the block `last`, and the receipts with any of these events up to it, oldest
    first. `span` bounds the blocks of one question.

    The hash makes two answers equal only on one and the same chain of blocks.
    """
    tip = await hash_reached(node, last)
    hashes: dict[str, None] = {}
    for each in events:
        hashes |= dict.fromkeys(await _hashes_with(node, each, first, last, span))
    wanted = list(hashes)
    mined: list[evm_json.Receipt] = []
    for start in range(0, len(wanted), RECEIPTS_AT_ONCE):
        some = wanted[start : start + RECEIPTS_AT_ONCE]
        mined += await asyncio.gather(*(mined_receipt(node, tx_hash) for tx_hash in some))
    if any(not first <= each.block_number <= last for each in mined):
        raise TryAgain(f"{node.name} moved a transaction while it was asked about it")
    return tip, sorted(mined, key=_place)


async def mined_receipt(node: Node, tx_hash: str) -> evm_json.Receipt:
    """The receipt of a transaction that the node has said to be mined."""
    mined = await receipt_of(node, tx_hash)
    if mined is None:
        raise TryAgain(f"{node.name} has no receipt of a mined transaction")
    return mined


async def receipt_of(node: Node, tx_hash: str) -> evm_json.Receipt | None:
    """A receipt in a block of the chain as the node itself holds it; None: it is in no block."""
    found = await node.call("eth_getTransactionReceipt", tx_hash)
    if found is None:
        return None
    mined = evm_json.receipt(found)
    if mined.tx_hash != tx_hash:
        raise TryAgain(f"{node.name} answered with another receipt")
    if await block_hash(node, mined.block_number) != mined.block_hash:
        raise TryAgain(f"{node.name} has a receipt of a block that is not in its chain")
    return mined


async def _hashes_with(node: Node, events: Events, first: int, last: int, span: int) -> list[str]:
    """Hashes of the transactions with the events, asked in as narrow ranges as it takes."""
    hashes: dict[str, None] = {}
    while first <= last:
        until = min(last, first + span - 1)
        question = {
            "address": events.address,
            "topics": events.topics,
            "fromBlock": hex(first),
            "toBlock": hex(until),
        }
        try:
            logs = evm_json.records(await node.call("eth_getLogs", question))
        except NodeRefused as refusal:
            if not refusal.too_large or until == first:
                raise
            span = (until - first + 1) // 2
            continue
        for log in logs:
            if events.has(log):
                hashes[evm_json.hash32(log.get("transactionHash"))] = None
        first = until + 1
    return list(hashes)


async def _newest(node: Node) -> Head:
    return _head(await node.call("eth_getBlockByNumber", "latest", False))


def _head(found: object) -> Head:
    fields = evm_json.record(found)
    return Head(
        number=evm_json.quantity(fields.get("number")),
        hash=evm_json.hash32(fields.get("hash")),
        time=evm_json.quantity(fields.get("timestamp")),
    )


def _place(mined: evm_json.Receipt) -> tuple[int, int]:
    return mined.block_number, mined.logs[0].log_index if mined.logs else 0
