"""A concurrent Merkle tree as the account compression program keeps it, with all of its nodes.

A node's number is 1 for the root and 2n, 2n+1 for the children of n, so a leaf's is its index plus
2**depth. The account holds less: the last changes, the rightmost leaf's proof, and the canopy, the
nodes of the first levels below the root, which no proof has to bring. The layout is that of
`@metaplex-foundation/mpl-account-compression`.
"""

from __future__ import annotations

from collections import ChainMap, deque
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from eth_hash.auto import keccak
from solders.pubkey import Pubkey

from consumers.gateways.borsh import u32, u64
from consumers.gateways.bubblegum import NODE_BYTES

EMPTY = bytes(NODE_BYTES)

# Depth and buffer for which the program has code.
SHAPES = {
    **dict.fromkeys((3, 5), (8,)),
    **dict.fromkeys((6, 7, 8, 9), (16,)),
    **dict.fromkeys((10, 11, 12, 13), (32,)),
    **dict.fromkeys((14, 20), (64, 256, 1024, 2048)),
    **dict.fromkeys((15, 16, 17, 18, 19), (64,)),
    24: (64, 256, 512, 1024, 2048),
    26: (512, 1024, 2048),
    30: (512, 1024, 2048),
}

_OUT_OF_BOUNDS = (
    "Received an index larger than the rightmost index, or greater than (1 << max_depth)"
)
_MODIFIED = "This tree's current leaf value does not match the supplied proof's leaf value"


class TreeRefused(Exception):
    """The tree says no; the message is the program's."""


@lru_cache(maxsize=64)
def empty(level: int) -> bytes:
    """The node over 2**`level` empty leaves."""
    return EMPTY if level == 0 else keccak(empty(level - 1) * 2)


@dataclass(frozen=True, slots=True)
class Change:
    """`path` are the nodes from the changed leaf up, without the root."""

    root: bytes
    path: tuple[bytes, ...]
    index: int

    def encode(self) -> bytes:
        return self.root + b"".join(self.path) + u32(self.index) + u32(0)


@dataclass(slots=True)
class Tree:
    key: Pubkey
    depth: int
    buffer: int
    canopy: int
    authority: Pubkey
    created_in: int
    nodes: MutableMapping[int, bytes] = field(default_factory=dict)
    sequence: int = 0
    leaves: int = 0
    changes: deque[Change] = field(default_factory=deque)

    def __post_init__(self) -> None:
        if not self.changes:
            path = tuple(empty(level) for level in range(self.depth))
            self.changes.append(Change(empty(self.depth), path, 0))

    def fork(self) -> Tree:
        """A copy to try changes on; `adopt` takes them over."""
        return Tree(
            self.key,
            self.depth,
            self.buffer,
            self.canopy,
            self.authority,
            self.created_in,
            ChainMap({}, self.nodes),
            self.sequence,
            self.leaves,
            deque(self.changes),
        )

    def adopt(self, fork: Tree) -> None:
        assert isinstance(fork.nodes, ChainMap)
        self.nodes.update(fork.nodes.maps[0])
        self.sequence, self.leaves, self.changes = fork.sequence, fork.leaves, fork.changes

    @property
    def root(self) -> bytes:
        return self.changes[-1].root

    def node(self, number: int) -> bytes:
        found = self.nodes.get(number)
        return empty(self.depth - number.bit_length() + 1) if found is None else found

    def append(self, leaf: bytes) -> None:
        if self.leaves >= 1 << self.depth:
            raise TreeRefused("Tree is full, cannot append")
        self.leaves += 1
        self._set(self.leaves - 1, leaf)

    def replace(
        self, root: bytes, old: bytes, new: bytes, index: int, proof: Sequence[bytes]
    ) -> None:
        """As the program does: `root` must be in the buffer, what changed since is put into
        `proof`, which may leave out what the canopy knows, and `old` must lead to today's root."""
        if index >= self.leaves:
            raise TreeRefused(_OUT_OF_BOUNDS)
        known = self.proof(index)[len(proof) :] if len(proof) >= self.depth - self.canopy else []
        siblings = [*proof, *known]
        since = self._changes_since(root)
        if any(change.index == index for change in since):
            raise TreeRefused(_MODIFIED)
        if len(siblings) == self.depth:
            for change in since:
                level = (change.index ^ index).bit_length() - 1
                siblings[level] = change.path[level]
        if len(siblings) != self.depth or self._root_by(old, index, siblings) != self.root:
            raise TreeRefused("Invalid root recomputed from proof")
        self._set(index, new)

    def _changes_since(self, root: bytes) -> list[Change]:
        changes = list(self.changes)
        for at in range(len(changes) - 1, -1, -1):
            if changes[at].root == root:
                return changes[at + 1 :]
        raise TreeRefused("Root not found in changelog buffer")

    def proof(self, index: int) -> list[bytes]:
        """The siblings from the leaf up."""
        number = (1 << self.depth) + index
        siblings = []
        while number > 1:
            siblings.append(self.node(number ^ 1))
            number >>= 1
        return siblings

    def _root_by(self, leaf: bytes, index: int, siblings: Sequence[bytes]) -> bytes:
        node, number = leaf, (1 << self.depth) + index
        for sibling in siblings:
            node = keccak(sibling + node if number & 1 else node + sibling)
            number >>= 1
        return node

    def _set(self, index: int, leaf: bytes) -> None:
        number, node, path = (1 << self.depth) + index, leaf, []
        while number > 1:
            self.nodes[number] = node
            path.append(node)
            sibling = self.node(number ^ 1)
            node = keccak(sibling + node if number & 1 else node + sibling)
            number >>= 1
        self.nodes[1] = node
        self.sequence += 1
        self.changes.append(Change(node, tuple(path), index))
        if len(self.changes) > self.buffer:
            self.changes.popleft()

    def change_log(self) -> bytes:
        """The event of the last change, as the program has the noop program say it."""
        last = self.changes[-1]
        number = (1 << self.depth) + last.index
        nodes = [*last.path, last.root]
        path = b"".join(node + u32(number >> level) for level, node in enumerate(nodes))
        head = bytes((0, 0)) + bytes(self.key) + u32(len(nodes))
        return head + path + u64(self.sequence) + u32(last.index)

    def account_data(self) -> bytes:
        kind, version = 1, 0
        header = bytes((kind, version)) + u32(self.buffer) + u32(self.depth)
        header += bytes(self.authority) + u64(self.created_in) + bytes(6)
        active = self.sequence % self.buffer
        counters = u64(self.sequence) + u64(active) + u64(len(self.changes))
        size = NODE_BYTES * (self.depth + 1) + 8
        ring = [bytes(size)] * self.buffer
        for age, change in enumerate(reversed(self.changes)):
            ring[(active - age) % self.buffer] = change.encode()
        return header + counters + b"".join(ring) + self._rightmost() + self._canopy()

    def _rightmost(self) -> bytes:
        last = max(self.leaves - 1, 0)
        leaf = self.node((1 << self.depth) + last)
        return b"".join(self.proof(last)) + leaf + u32(self.leaves) + u32(0)

    def _canopy(self) -> bytes:
        """A node that was never set is kept as zeros."""
        numbers = range(2, 1 << (self.canopy + 1))
        return b"".join(self.nodes.get(number, EMPTY) for number in numbers)
