"""Metaplex's Bubblegum V2: compressed tokens, kept as leaves of a Merkle tree on Solana.

Layouts and hashes only, nothing is asked. Source: `@metaplex-foundation/mpl-bubblegum` 5.1.0, and
recordings of the real programs (`tests/vectors/bubblegum_v2_golden.json`), which all of it equals.
A leaf's number is its nonce and its index: no leaf ever moves. Instructions are built in
`bubblegum_instructions.py`; their names are known here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from eth_hash.auto import keccak
from solders.pubkey import Pubkey

from consumers.gateways import base58
from consumers.gateways.borsh import Reader, option, text, u16, u32, u64

BUBBLEGUM = Pubkey.from_string("BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY")
COMPRESSION = Pubkey.from_string("mcmt6YrQEMKw8Mw43FmpRLmf7BqRnFMKmAcbxE3xkAW")
NOOP = Pubkey.from_string("mnoopTCrg4p8ry25e4bcWA9XZjbNjMTfgYVGGEdRsf3")
CORE = Pubkey.from_string("CoREENxT6tW1HoK8ypY1SxRMZTcVPm7R94rH4PZNhX7d")
CPI_SIGNER = Pubkey.from_string("CbNY3JiXdXNE9tPNEk1aRZVEkWdj2v7kfJLNQwZZgpXk")

NODE_BYTES = 32
NON_FUNGIBLE = 0
LEAF_VERSION = 2

# A compression event of application data, version 1, and in it, after its length, Bubblegum's event
# of a leaf (1) in the program's version 2 (1).
APPLICATION_DATA = bytes((1, 0))
LEAF_EVENT = bytes((1, 1))
_LEAF_EVENT_AT = 6
_LEAF_AT = _LEAF_EVENT_AT + len(LEAF_EVENT)


def asset_id(tree: Pubkey, index: int) -> Pubkey:
    return Pubkey.find_program_address([b"asset", bytes(tree), u64(index)], BUBBLEGUM)[0]


def tree_config(tree: Pubkey) -> Pubkey:
    return Pubkey.find_program_address([bytes(tree)], BUBBLEGUM)[0]


def tree_size(depth: int, buffer: int, canopy: int) -> int:
    """Bytes of a tree's account: 2**`depth` leaves, `buffer` changes at once, `canopy` levels below
    the root whose nodes no proof has to bring."""
    header = 56
    path = NODE_BYTES * depth + NODE_BYTES + 8
    counters = 24
    kept = max((1 << (canopy + 1)) - 2, 0)
    return header + counters + (buffer + 1) * path + kept * NODE_BYTES


@dataclass(frozen=True, slots=True)
class Creator:
    address: Pubkey
    verified: bool
    share: int

    def encode(self) -> bytes:
        return bytes(self.address) + bytes((self.verified, self.share))


@dataclass(frozen=True, slots=True)
class Metadata:
    """MetadataArgsV2. `seller_fee_basis_points` are hundredths of a percent."""

    name: str
    symbol: str
    uri: str
    seller_fee_basis_points: int = 0
    creators: tuple[Creator, ...] = ()
    primary_sale_happened: bool = False
    is_mutable: bool = True
    token_standard: int | None = NON_FUNGIBLE
    collection: Pubkey | None = None

    def encode(self) -> bytes:
        standard = None if self.token_standard is None else bytes((self.token_standard,))
        return b"".join(
            (
                text(self.name),
                text(self.symbol),
                text(self.uri),
                u16(self.seller_fee_basis_points),
                bytes((self.primary_sale_happened, self.is_mutable)),
                option(standard),
                u32(len(self.creators)),
                *(creator.encode() for creator in self.creators),
                option(None if self.collection is None else bytes(self.collection)),
            )
        )

    @classmethod
    def decode(cls, content: bytes) -> Self:
        reader = Reader(content)
        read = cls.read(reader)
        reader.end()
        return read

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(
            name=reader.text(),
            symbol=reader.text(),
            uri=reader.text(),
            seller_fee_basis_points=reader.number(2),
            primary_sale_happened=reader.flag(),
            is_mutable=reader.flag(),
            token_standard=reader.option(lambda: reader.number(1)),
            creators=tuple(
                Creator(reader.key(), reader.flag(), reader.number(1))
                for _ in range(reader.number(4))
            ),
            collection=reader.option(reader.key),
        )


def data_hash(metadata: Metadata) -> bytes:
    return keccak(keccak(metadata.encode()) + u16(metadata.seller_fee_basis_points))


def creator_hash(creators: Iterable[Creator]) -> bytes:
    return keccak(b"".join(creator.encode() for creator in creators))


def collection_hash(collection: Pubkey | None) -> bytes:
    return keccak(bytes(collection or Pubkey.default()))


def asset_data_hash(asset_data: bytes = b"") -> bytes:
    return keccak(asset_data)


@dataclass(frozen=True, slots=True)
class Leaf:
    """LeafSchema V2, what a tree keeps of a token. `nonce` is the leaf's number in its tree."""

    id: Pubkey
    owner: Pubkey
    delegate: Pubkey
    nonce: int
    data_hash: bytes
    creator_hash: bytes
    collection_hash: bytes
    asset_data_hash: bytes
    flags: int = 0

    KIND: ClassVar[bytes] = b"\1"
    SIZE: ClassVar[int] = 234

    @classmethod
    def of(
        cls, tree: Pubkey, index: int, owner: Pubkey, metadata: Metadata, delegate: Pubkey | None
    ) -> Self:
        """The leaf that a mint of `metadata` makes."""
        return cls(
            id=asset_id(tree, index),
            owner=owner,
            delegate=delegate or owner,
            nonce=index,
            data_hash=data_hash(metadata),
            creator_hash=creator_hash(metadata.creators),
            collection_hash=collection_hash(metadata.collection),
            asset_data_hash=asset_data_hash(),
        )

    def hash(self) -> bytes:
        return keccak(bytes((LEAF_VERSION,)) + self._fields())

    def encode(self) -> bytes:
        return self.KIND + self._fields()

    def _fields(self) -> bytes:
        keys = bytes(self.id) + bytes(self.owner) + bytes(self.delegate)
        hashes = self.data_hash + self.creator_hash + self.collection_hash + self.asset_data_hash
        return keys + u64(self.nonce) + hashes + bytes((self.flags,))

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """ValueError when `content` is no leaf of version 2."""
        reader = Reader(content)
        if reader.take(1) != cls.KIND:
            raise ValueError("this is no leaf of version 2")
        leaf = cls(
            id=reader.key(),
            owner=reader.key(),
            delegate=reader.key(),
            nonce=reader.number(8),
            data_hash=reader.take(32),
            creator_hash=reader.take(32),
            collection_hash=reader.take(32),
            asset_data_hash=reader.take(32),
            flags=reader.number(1),
        )
        reader.end()
        return leaf


def leaf_event(leaf: Leaf) -> bytes:
    """What Bubblegum has the noop program say of a new or changed leaf."""
    told = LEAF_EVENT + leaf.encode() + leaf.hash()
    return APPLICATION_DATA + u32(len(told)) + told


def leaf_of(transaction: Mapping[str, Any]) -> Leaf:
    """The leaf that a transaction made, from its `getTransaction` answer in encoding `json`.

    LookupError when it made none or more than one, ValueError when the leaf is malformed.
    """
    meta, message = transaction["meta"], transaction["transaction"]["message"]
    looked_up = meta.get("loadedAddresses") or {"writable": [], "readonly": []}
    keys = [*message["accountKeys"], *looked_up["writable"], *looked_up["readonly"]]
    said = [
        base58.decode(inner["data"])
        for group in meta["innerInstructions"] or []
        for inner in group["instructions"]
        if keys[inner["programIdIndex"]] == str(NOOP)
    ]
    found = [content for content in said if _tells_a_leaf(content)]
    if len(found) != 1:
        raise LookupError(f"the transaction tells of {len(found)} leaves, not of one")
    return Leaf.decode(found[0][_LEAF_AT : _LEAF_AT + Leaf.SIZE])


def _tells_a_leaf(content: bytes) -> bool:
    event = content[_LEAF_EVENT_AT:]
    return content.startswith(APPLICATION_DATA) and event.startswith(LEAF_EVENT)


@dataclass(frozen=True, slots=True)
class TreeConfig:
    """The account that says who mints into a tree, how much it holds and how full it is."""

    creator: Pubkey
    delegate: Pubkey
    total_mint_capacity: int
    num_minted: int
    is_public: bool = False
    is_decompressible: int = 1  # an enum whose 1 is "disabled"
    version: int = 1  # an enum whose 1 is V2

    SIZE: ClassVar[int] = 96
    DISCRIMINATOR: ClassVar[bytes] = bytes((122, 245, 175, 248, 171, 34, 0, 207))

    def encode(self) -> bytes:
        keys = bytes(self.creator) + bytes(self.delegate)
        counts = u64(self.total_mint_capacity) + u64(self.num_minted)
        kinds = bytes((self.is_public, self.is_decompressible, self.version))
        return (self.DISCRIMINATOR + keys + counts + kinds).ljust(self.SIZE, b"\0")

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """ValueError when the account is no tree's configuration."""
        reader = Reader(content)
        if reader.take(8) != cls.DISCRIMINATOR:
            raise ValueError("this account configures no tree")
        return cls(
            creator=reader.key(),
            delegate=reader.key(),
            total_mint_capacity=reader.number(8),
            num_minted=reader.number(8),
            is_public=reader.flag(),
            is_decompressible=reader.number(1),
            version=reader.number(1),
        )
