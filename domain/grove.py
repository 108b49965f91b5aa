"""Grove: the Merkle trees that our authority mints into, one after the other.

A tree is signed (recorded before it is broadcast) → grown (finalized) → full, then the next one is
planted. Its address and keys follow from the authority's key and its number, so a crash loses none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from domain.event import Event, event
from domain.solana import Prepared


def grove_stream(authority: str) -> str:
    return f"grove:{authority}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroveEvent(Event):
    """`number` counts the trees of an authority from 1."""

    authority: str
    number: int

    @property
    def stream(self) -> str:
        return grove_stream(self.authority)


@event("tree_signed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TreeSigned(GroveEvent):
    tree: str
    signature: str
    raw: str
    blockhash: str
    last_valid_height: int


@event("tree_dropped.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TreeDropped(GroveEvent):
    """The signed creation can never land, or landed and made nothing."""

    signature: str
    reason: str


@event("tree_grown.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TreeGrown(GroveEvent):
    """On the chain, with room for `capacity` tokens."""

    tree: str
    capacity: int


@event("tree_filled.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class TreeFilled(GroveEvent):
    tree: str


@dataclass(frozen=True, slots=True)
class Grove:
    """`number` is the tree to mint into, or the one that is coming; `tree` empty: not grown."""

    number: int = 1
    tree: str = ""
    signed: TreeSigned | None = None

    # Decisions.

    def sign(self, authority: str, tree: str, creation: Prepared) -> list[Event]:
        if self.signed or self.tree:
            return []
        return [
            TreeSigned(
                authority=authority,
                number=self.number,
                tree=tree,
                signature=creation.signature,
                raw=creation.raw,
                blockhash=creation.blockhash,
                last_valid_height=creation.last_valid_height,
            )
        ]

    def drop(self, signature: str, reason: str) -> list[Event]:
        if self.signed is None or self.signed.signature != signature:
            return []
        ids = {"authority": self.signed.authority, "signature": signature}
        return [TreeDropped(**ids, number=self.number, reason=reason)]

    def grow(self, authority: str, tree: str, capacity: int) -> list[Event]:
        if self.tree:
            return []
        return [TreeGrown(authority=authority, number=self.number, tree=tree, capacity=capacity)]

    def fill(self, authority: str, tree: str) -> list[Event]:
        if not self.tree or tree != self.tree:
            return []
        return [TreeFilled(authority=authority, number=self.number, tree=tree)]

    # History.

    def evolve(self, event: Event) -> Grove:
        match event:
            case TreeSigned():
                return replace(self, signed=event)
            case TreeDropped():
                return replace(self, signed=None)
            case TreeGrown(tree=tree):
                return replace(self, tree=tree, signed=None)
            case TreeFilled(number=number):
                return Grove(number=number + 1)
        return self
