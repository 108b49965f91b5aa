"""Bubblegum V2's instructions, written and read: a tree's creation, a mint, a burn.

Accounts and arguments in the order of `@metaplex-foundation/mpl-bubblegum` 5.1.0. An optional
account that is not given is the program's own address. Collections are not used by this product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM
from solders.system_program import CreateAccountParams, create_account

from consumers.gateways.borsh import Reader, option, sized, u32, u64
from consumers.gateways.bubblegum import (
    BUBBLEGUM,
    COMPRESSION,
    CORE,
    NOOP,
    Leaf,
    Metadata,
    asset_data_hash,
    tree_config,
    tree_size,
)

DISCRIMINATOR_BYTES = 8


@dataclass(frozen=True, slots=True)
class CreateTree:
    depth: int
    buffer: int
    public: bool | None = None

    DISCRIMINATOR: ClassVar[bytes] = bytes((55, 99, 95, 215, 142, 203, 227, 205))

    def encode(self) -> bytes:
        public = option(None if self.public is None else bytes((self.public,)))
        return self.DISCRIMINATOR + u32(self.depth) + u32(self.buffer) + public

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(reader.number(4), reader.number(4), reader.option(reader.flag))


@dataclass(frozen=True, slots=True)
class Mint:
    metadata: Metadata
    asset_data: bytes | None = None
    asset_data_schema: int | None = None

    DISCRIMINATOR: ClassVar[bytes] = bytes((120, 121, 23, 146, 173, 110, 199, 205))

    def encode(self) -> bytes:
        asset_data = option(None if self.asset_data is None else sized(self.asset_data))
        schema = self.asset_data_schema
        kind = option(None if schema is None else bytes((schema,)))
        return self.DISCRIMINATOR + self.metadata.encode() + asset_data + kind

    @classmethod
    def read(cls, reader: Reader) -> Self:
        metadata = Metadata.read(reader)
        asset_data = reader.option(reader.sized)
        return cls(metadata, asset_data, reader.option(lambda: reader.number(1)))


@dataclass(frozen=True, slots=True)
class Burn:
    root: bytes
    data_hash: bytes
    creator_hash: bytes
    asset_data_hash: bytes | None
    flags: int | None
    nonce: int
    index: int

    DISCRIMINATOR: ClassVar[bytes] = bytes((115, 210, 34, 240, 232, 143, 183, 16))

    def encode(self) -> bytes:
        hashes = self.root + self.data_hash + self.creator_hash
        flags = option(None if self.flags is None else bytes((self.flags,)))
        number = u64(self.nonce) + u32(self.index)
        return self.DISCRIMINATOR + hashes + option(self.asset_data_hash) + flags + number

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(
            root=reader.take(32),
            data_hash=reader.take(32),
            creator_hash=reader.take(32),
            asset_data_hash=reader.option(lambda: reader.take(32)),
            flags=reader.option(lambda: reader.number(1)),
            nonce=reader.number(8),
            index=reader.number(4),
        )


_KINDS = {kind.DISCRIMINATOR: kind for kind in (CreateTree, Mint, Burn)}


def decode(data: bytes) -> CreateTree | Mint | Burn | None:
    """None: another of Bubblegum's instructions. ValueError: arguments that cannot be read."""
    kind = _KINDS.get(data[:DISCRIMINATOR_BYTES])
    return kind.read(Reader(data, DISCRIMINATOR_BYTES)) if kind else None


def create_tree_v2(
    payer: Pubkey,
    tree: Pubkey,
    creator: Pubkey,
    *,
    depth: int,
    buffer: int,
    canopy: int,
    lamports: int,
    public: bool = False,
) -> list[Instruction]:
    """The tree's account, and the tree in it. `lamports` is the rent of `tree_size(...)` bytes;
    `payer`, `tree` and `creator` sign."""
    account = CreateAccountParams(
        from_pubkey=payer,
        to_pubkey=tree,
        lamports=lamports,
        space=tree_size(depth, buffer, canopy),
        owner=COMPRESSION,
    )
    accounts = [
        _written(tree_config(tree)),
        _written(tree),
        AccountMeta(payer, is_signer=True, is_writable=True),
        _signs(creator),
        *map(_read, (NOOP, COMPRESSION, SYSTEM)),
    ]
    arguments = CreateTree(depth, buffer, public or None)
    return [create_account(account), Instruction(BUBBLEGUM, arguments.encode(), accounts)]


def mint_v2(
    payer: Pubkey, authority: Pubkey, owner: Pubkey, tree: Pubkey, metadata: Metadata
) -> Instruction:
    """Mints to `owner`. `payer` and `authority`, the tree's creator or delegate, sign."""
    nothing = _read(BUBBLEGUM)
    accounts = [
        _written(tree_config(tree)),
        AccountMeta(payer, is_signer=True, is_writable=True),
        _signs(authority),
        nothing,  # the collection's authority
        _read(owner),
        nothing,  # the leaf's delegate: the owner
        _written(tree),
        nothing,  # the collection
        nothing,  # who signs for Bubblegum in the collection's program
        *map(_read, (NOOP, COMPRESSION, CORE, SYSTEM)),
    ]
    return Instruction(BUBBLEGUM, Mint(metadata).encode(), accounts)


def burn_v2(
    payer: Pubkey, tree: Pubkey, leaf: Leaf, *, root: bytes, proof: Sequence[Pubkey]
) -> Instruction:
    """Burns `leaf`. `payer` and the leaf's owner sign. `proof` are the siblings from the leaf up,
    without those that the tree's canopy knows; the root they lead to must be in its buffer."""
    nothing = _read(BUBBLEGUM)
    accounts = [
        _written(tree_config(tree)),
        AccountMeta(payer, is_signer=True, is_writable=True),
        _signs(leaf.owner),
        _read(leaf.owner),
        _read(leaf.delegate),
        _written(tree),
        nothing,  # the collection
        nothing,  # who signs for Bubblegum in the collection's program
        *map(_read, (NOOP, COMPRESSION, CORE, SYSTEM)),
        *map(_read, proof),
    ]
    burn = Burn(
        root,
        leaf.data_hash,
        leaf.creator_hash,
        None if leaf.asset_data_hash == asset_data_hash() else leaf.asset_data_hash,
        leaf.flags or None,
        nonce=leaf.nonce,
        index=leaf.nonce,
    )
    return Instruction(BUBBLEGUM, burn.encode(), accounts)


def _read(key: Pubkey) -> AccountMeta:
    return AccountMeta(key, is_signer=False, is_writable=False)


def _written(key: Pubkey) -> AccountMeta:
    return AccountMeta(key, is_signer=False, is_writable=True)


def _signs(key: Pubkey) -> AccountMeta:
    return AccountMeta(key, is_signer=True, is_writable=False)
