"""The Digital Asset Standard: compressed tokens, as an index of what programs said in transactions.

It reads nothing but the noop program's events in confirmed transactions, so it can be late, and is
made late by `lag` slots. Its trees and leaves are its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from solders.pubkey import Pubkey

from consumers.gateways import base58
from consumers.gateways.borsh import Reader
from consumers.gateways.bubblegum import (
    APPLICATION_DATA,
    BUBBLEGUM,
    LEAF_EVENT,
    NODE_BYTES,
    NOOP,
    Leaf,
    Metadata,
    asset_id,
)
from consumers.gateways.bubblegum_instructions import Mint, decode
from embedded.solana.asked import Asked
from embedded.solana.chain import Chain
from embedded.solana.faults import DAS_NOT_FOUND, RpcFault, invalid
from embedded.solana.receipts import Landed
from embedded.solana.trees import EMPTY, empty

CHANGE_LOG = bytes((0, 0))


@dataclass(slots=True)
class Nodes:
    depth: int
    known: dict[int, bytes] = field(default_factory=dict)

    def node(self, number: int) -> bytes:
        return self.known.get(number) or empty(self.depth - number.bit_length() + 1)


@dataclass(slots=True)
class Asset:
    leaf: Leaf
    tree: Pubkey
    metadata: Metadata
    sequence: int
    burnt: bool = False


class Index:
    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.lag = 0
        self._read = 0
        self._slot = 0
        self._assets: dict[str, Asset] = {}
        self._trees: dict[Pubkey, Nodes] = {}

    def catch_up(self) -> None:
        self._slot = self._chain.slots.tip("confirmed") - self.lag
        waiting = self._chain.landed
        while self._read < len(waiting) and waiting[self._read].slot <= self._slot:
            self._take(waiting[self._read])
            self._read += 1

    def asset(self, asked: Asked) -> dict[str, Any]:
        found = self._find(asked)
        told = _interface(found)
        return told | {"last_indexed_slot": self._slot}

    def proof(self, asked: Asked) -> dict[str, Any]:
        found = self._find(asked)
        nodes = self._trees[found.tree]
        place = (1 << nodes.depth) + found.leaf.nonce
        siblings, number = [], place
        while number > 1:
            siblings.append(base58.encode(nodes.node(number ^ 1)))
            number >>= 1
        return {
            "root": base58.encode(nodes.node(1)),
            "proof": siblings,
            "node_index": place,
            "leaf": base58.encode(nodes.node(place)),
            "tree_id": str(found.tree),
            "burnt": found.burnt,
            "last_indexed_slot": self._slot,
        }

    def _find(self, asked: Asked) -> Asset:
        named = asked.options.get("id") or (asked.values[0] if asked.values else None)
        if not isinstance(named, str):
            raise invalid("expected an id")
        self.catch_up()
        if named not in self._assets:
            told = "Database Error: RecordNotFound Error: Asset Not Found"
            raise RpcFault(DAS_NOT_FOUND, told)
        return self._assets[named]

    def _take(self, landed: Landed) -> None:
        if landed.ran.fault is not None:
            return
        message, keys = landed.envelope.message, landed.envelope.keys
        for instruction, group in zip(message.instructions, landed.ran.inner, strict=True):
            if keys[instruction.program_id_index] != BUBBLEGUM:
                continue
            said = [each.data for each in group if keys[each.program_index] == NOOP]
            leaves = list(_leaves(said))
            for event in said:
                if event.startswith(CHANGE_LOG):
                    tree, sequence = self._change(Reader(event, len(CHANGE_LOG)))
                    asked = decode(bytes(instruction.data))
                    for leaf in leaves if isinstance(asked, Mint) else ():
                        made = Asset(leaf, tree, asked.metadata, sequence)
                        self._assets[str(leaf.id)] = made

    def _change(self, reader: Reader) -> tuple[Pubkey, int]:
        tree, count = reader.key(), reader.number(4)
        nodes = self._trees.setdefault(tree, Nodes(count - 1))
        path = [(reader.take(NODE_BYTES), reader.number(4)) for _ in range(count)]
        nodes.known |= {number: node for node, number in path}
        sequence, index = reader.number(8), reader.number(4)
        known = self._assets.get(str(asset_id(tree, index)))
        if known and path[0][0] == EMPTY:
            known.burnt, known.sequence = True, sequence
        return tree, sequence


def _leaves(said: list[bytes]) -> Iterator[Leaf]:
    head = len(APPLICATION_DATA) + 4
    for event in said:
        if event.startswith(APPLICATION_DATA) and event[head:].startswith(LEAF_EVENT):
            start = head + len(LEAF_EVENT)
            yield Leaf.decode(event[start : start + Leaf.SIZE])


def _interface(asset: Asset) -> dict[str, Any]:
    leaf, metadata = asset.leaf, asset.metadata
    named = {"name": metadata.name, "symbol": metadata.symbol, "token_standard": "NonFungible"}
    return {
        "interface": "V2_NFT",
        "id": str(leaf.id),
        "content": {
            "$schema": "https://schema.metaplex.com/nft1.0.json",
            "json_uri": metadata.uri,
            "files": [],
            "metadata": named,
            "links": {},
        },
        "authorities": [],
        "compression": _compression(asset),
        "grouping": [],
        "royalty": {
            "royalty_model": "creators",
            "target": None,
            "percent": metadata.seller_fee_basis_points / 10_000,
            "basis_points": metadata.seller_fee_basis_points,
            "primary_sale_happened": metadata.primary_sale_happened,
            "locked": False,
        },
        "creators": [
            {"address": str(each.address), "share": each.share, "verified": each.verified}
            for each in metadata.creators
        ],
        "ownership": _ownership(asset),
        "supply": {"print_max_supply": 0, "print_current_supply": 0, "edition_nonce": None},
        "mutable": metadata.is_mutable,
        "burnt": asset.burnt,
    }


def _compression(asset: Asset) -> dict[str, Any]:
    leaf = asset.leaf
    return {
        "eligible": False,
        "compressed": True,
        "data_hash": base58.encode(leaf.data_hash),
        "creator_hash": base58.encode(leaf.creator_hash),
        "collection_hash": base58.encode(leaf.collection_hash),
        "asset_data_hash": base58.encode(leaf.asset_data_hash),
        "flags": leaf.flags,
        "asset_hash": base58.encode(leaf.hash()),
        "tree": str(asset.tree),
        "seq": asset.sequence,
        "leaf_id": leaf.nonce,
    }


def _ownership(asset: Asset) -> dict[str, Any]:
    leaf = asset.leaf
    delegated = leaf.delegate != leaf.owner
    return {
        "frozen": False,
        "delegated": delegated,
        "delegate": str(leaf.delegate) if delegated else None,
        "ownership_model": "single",
        "owner": "" if asset.burnt else str(leaf.owner),
    }
