"""What Bubblegum V2 asks of an instruction's accounts, of metadata and of a new tree's size."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from solders.pubkey import Pubkey

from consumers.gateways.bubblegum import (
    BUBBLEGUM,
    NODE_BYTES,
    NON_FUNGIBLE,
    Metadata,
    tree_size,
)
from consumers.gateways.bubblegum_instructions import CreateTree
from embedded.solana import anchor
from embedded.solana.anchor import Refusal, Used, require
from embedded.solana.trees import SHAPES

MAX_NAME, MAX_SYMBOL, MAX_URI = 32, 10, 200  # bytes
MAX_CREATORS, MAX_BASIS_POINTS, ALL_SHARES = 5, 10_000, 100
MAX_PROOF = 17


def accounts(used: Sequence[Used], count: int) -> Sequence[Used]:
    """The first `count`; what follows are further accounts, as a proof's nodes."""
    require(len(used) >= count, anchor.TOO_FEW_ACCOUNTS)
    return used[:count]


def given(used: Used) -> bool:
    """Whether an optional account was named: the program's own address stands for none."""
    return used.key != BUBBLEGUM


def programs(used: Sequence[Used], *expected: Pubkey) -> None:
    for each, key in zip(used, expected, strict=True):
        anchor.program(each, key)


def metadata(told: Metadata, signers: Collection[Pubkey]) -> None:
    require(len(told.name.encode()) <= MAX_NAME, anchor.LONG_NAME)
    require(len(told.symbol.encode()) <= MAX_SYMBOL, anchor.LONG_SYMBOL)
    require(len(told.uri.encode()) <= MAX_URI, anchor.LONG_URI)
    require(told.seller_fee_basis_points <= MAX_BASIS_POINTS, anchor.HIGH_FEE)
    if told.creators:
        require(len(told.creators) <= MAX_CREATORS, anchor.TOO_MANY_CREATORS)
        addresses = {creator.address for creator in told.creators}
        require(len(addresses) == len(told.creators), anchor.DUPLICATE_CREATOR)
        require(sum(creator.share for creator in told.creators) == ALL_SHARES, anchor.SHARES)
    require(told.token_standard == NON_FUNGIBLE, anchor.WRONG_STANDARD)
    for creator in told.creators:
        require(not creator.verified or creator.address in signers, anchor.UNVERIFIED)


def canopy(size: int, asked: CreateTree) -> int:
    """The levels that an account of `size` bytes keeps for the tree that is asked for."""
    require(asked.buffer in SHAPES.get(asked.depth, ()), anchor.NO_SUCH_SHAPE)
    rest = size - tree_size(asked.depth, asked.buffer, 0)
    if rest < 0:  # the real program panics where it splits the account
        raise Refusal("ProgramFailedToComplete")
    nodes, odd = divmod(rest, NODE_BYTES)
    levels = (nodes + 2).bit_length() - 2
    whole = not odd and 1 << (levels + 1) == nodes + 2 and levels <= asked.depth
    require(whole and levels >= asked.depth - MAX_PROOF, anchor.SMALL_CANOPY)
    return levels
