"""Mints compressed tokens with Bubblegum V2, signed by the authority that owns the trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from consumers.gateways import base58, bubblegum
from consumers.gateways import bubblegum_instructions as written
from consumers.gateways import solana_json as read
from consumers.gateways import solana_wire as wire
from consumers.gateways.ports import WillNotWork
from consumers.gateways.solana_ports import Blockhash, MintWanted, Prepared, TokenSeen
from consumers.gateways.solana_rpc import SolanaRpc

SYMBOL = "MPFP"
SELLER_FEE_BASIS_POINTS = 500
MINT_UNITS = 200_000
TREE_AMONG_ACCOUNTS = 6


class BubblegumMinter:
    """The `TokenMinter` port for compressed tokens."""

    kind: Literal["bubblegum", "spl"] = "bubblegum"

    def __init__(
        self, *, chain: SolanaRpc, authority: Keypair, treasury: str, priority_fee: int = 0
    ) -> None:
        self._chain = chain
        self._authority = authority
        self._treasury = wire.key(treasury)
        self._priority_fee = priority_fee

    def sign_mint(self, wanted: MintWanted, tree: str, blockhash: Blockhash) -> Prepared:
        instructions = [
            *wire.priority(self._priority_fee, units=MINT_UNITS),
            wire.memo(wanted.reference),
            self._mint(wanted, tree),
        ]
        return wire.prepared(instructions, [self._authority], blockhash)

    def prepare_paid_mint(
        self, wanted: MintWanted, tree: str, lamports: int, blockhash: Blockhash
    ) -> Prepared:
        instructions = [
            *wire.priority(self._priority_fee, units=MINT_UNITS),
            wire.payment(wire.key(wanted.owner), self._treasury, lamports),
            wire.memo(wanted.reference),
            self._mint(wanted, tree),
        ]
        return wire.prepared(instructions, [self._authority], blockhash)

    async def token(self, signature: str, wanted: MintWanted) -> TokenSeen | None:
        """The whole leaf is compared: owner, hashes of the metadata, and the id that its tree and
        place give it. The metadata is that of the instruction, which our signature covers, so that
        what was signed before a setting changed is still known."""
        told = await self._chain.transaction(signature)
        if told is None:
            return None
        tree, metadata, leaf = minted_leaf(told)
        meant = (metadata.name, metadata.uri) == (wanted.name, wanted.uri)
        owner = wire.key(wanted.owner)
        if not meant or leaf != bubblegum.Leaf.of(tree, leaf.nonce, owner, metadata, None):
            raise WillNotWork(f"{signature} minted another token than was wanted")
        return TokenSeen(str(leaf.id), str(tree), leaf.nonce, told["slot"])

    def _mint(self, wanted: MintWanted, tree: str) -> written.Instruction:
        ours = self._authority.pubkey()
        owner, metadata = wire.key(wanted.owner), self._metadata(wanted)
        return written.mint_v2(ours, ours, owner, wire.key(tree), metadata)

    def _metadata(self, wanted: MintWanted) -> bubblegum.Metadata:
        return bubblegum.Metadata(
            name=wanted.name,
            symbol=SYMBOL,
            uri=wanted.uri,
            seller_fee_basis_points=SELLER_FEE_BASIS_POINTS,
            creators=(bubblegum.Creator(self._authority.pubkey(), verified=True, share=100),),
        )


def minted_leaf(told: Mapping[str, Any]) -> tuple[Pubkey, bubblegum.Metadata, bubblegum.Leaf]:
    """Tree, metadata and leaf of the one mint in a `getTransaction` answer. WillNotWork when it
    holds none; TryAgain when the node did not keep what the programs said."""
    if told["meta"]["err"] is not None:
        raise WillNotWork(f"the mint failed: {read.error_text(told['meta']['err'])}")
    read.items(told["meta"].get("innerInstructions"))
    try:
        with read.strictly():
            tree, metadata = _mint(told["transaction"]["message"])
            return tree, metadata, bubblegum.leaf_of(told)
    except (LookupError, ValueError) as missing:
        raise WillNotWork(f"no token was minted: {missing}") from missing


def _mint(message: Mapping[str, Any]) -> tuple[Pubkey, bubblegum.Metadata]:
    keys = message["accountKeys"]
    for each in message["instructions"]:
        if keys[each["programIdIndex"]] != str(bubblegum.BUBBLEGUM):
            continue
        said = written.decode(base58.decode(each["data"]))
        if isinstance(said, written.Mint):
            return Pubkey.from_string(keys[each["accounts"][TREE_AMONG_ACCOUNTS]]), said.metadata
    raise LookupError("the transaction has no instruction to mint")
