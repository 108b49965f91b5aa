"""The trees of compressed tokens: their keys, their creation, how full they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from solders.keypair import Keypair

from consumers.gateways import bubblegum
from consumers.gateways import bubblegum_instructions as written
from consumers.gateways import solana_wire as wire
from consumers.gateways.ports import TryAgain, WillNotWork
from consumers.gateways.solana_ports import Blockhash, Prepared, TreeStanding
from consumers.gateways.solana_rpc import SolanaRpc

CREATION_UNITS = 600_000
DEEPEST_CANOPY = 17
BUFFERS_OF_DEPTH = {
    3: {8},
    5: {8},
    **{depth: {16} for depth in range(6, 10)},
    **{depth: {32} for depth in range(10, 14)},
    14: {64, 256, 1024, 2048},
    **{depth: {64} for depth in range(15, 20)},
    20: {64, 256, 1024, 2048},
    24: {64, 256, 512, 1024, 2048},
    26: {512, 1024, 2048},
    30: {512, 1024, 2048},
}
"""The shapes for which the compression program has code."""


@dataclass(frozen=True, slots=True)
class Shape:
    """2**`depth` tokens; `buffer` and `canopy` as in `bubblegum.tree_size`."""

    depth: int
    buffer: int
    canopy: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`depth/buffer/canopy`; ValueError when there is no such tree."""
        depth, buffer, canopy = map(int, text.split("/"))
        shape = cls(depth, buffer, canopy)
        if shape.buffer not in BUFFERS_OF_DEPTH.get(shape.depth, ()):
            raise ValueError(f"no tree has depth {shape.depth} and buffer {shape.buffer}")
        if shape.canopy > min(shape.depth, DEEPEST_CANOPY):
            raise ValueError(f"a tree of depth {shape.depth} has no canopy of {shape.canopy}")
        return shape


class Trees:
    """The `TreeKeeper` port."""

    def __init__(
        self, *, chain: SolanaRpc, authority: Keypair, shape: Shape, priority_fee: int = 0
    ) -> None:
        self._chain = chain
        self._authority = authority
        self._shape = shape
        self._priority_fee = priority_fee

    def address(self, number: int) -> str:
        return str(self._key(number).pubkey())

    async def standing(self, number: int) -> TreeStanding:
        address = str(bubblegum.tree_config(self._key(number).pubkey()))
        account = await self._chain.account(address)
        if account is None:
            return TreeStanding(capacity=0, minted=0)
        try:
            config = bubblegum.TreeConfig.decode(account.data)
        except ValueError as malformed:
            raise TryAgain(f"the account {address} is not told as a tree's") from malformed
        if account.owner != str(bubblegum.BUBBLEGUM) or config.creator != self._authority.pubkey():
            raise WillNotWork(f"tree {number} is not ours")
        return TreeStanding(config.total_mint_capacity, config.num_minted)

    async def sign_creation(self, number: int, blockhash: Blockhash) -> Prepared:
        """One transaction, signed by authority and tree: the account and the empty tree in it."""
        ours, tree, shape = self._authority.pubkey(), self._key(number), self._shape
        size = bubblegum.tree_size(shape.depth, shape.buffer, shape.canopy)
        creation = written.create_tree_v2(
            ours,
            tree.pubkey(),
            ours,
            depth=shape.depth,
            buffer=shape.buffer,
            canopy=shape.canopy,
            lamports=await self._chain.rent(size),
        )
        instructions = [*wire.priority(self._priority_fee, units=CREATION_UNITS), *creation]
        return wire.prepared(instructions, [self._authority, tree], blockhash)

    def _key(self, number: int) -> Keypair:
        return tree_key(self._authority, number)


def tree_key(authority: Keypair, number: int) -> Keypair:
    """The key of an authority's tree, the first of which is 1."""
    return wire.derived(authority, "tree", str(number))
