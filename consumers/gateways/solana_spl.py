"""Mints SPL tokens that exist once: no decimals, a supply of one, and nobody who could mint more.

The mint's key follows from the reference, so that a unit has one mint whatever happens: a second
creation of it fails. Name and picture stand in the transaction's memo, `<reference> <uri>`, since
the token program keeps none.
"""

from __future__ import annotations

from typing import Literal

from solders.instruction import Instruction
from solders.keypair import Keypair

from consumers.gateways import solana_json as read
from consumers.gateways import solana_tokens as tokens
from consumers.gateways import solana_wire as wire
from consumers.gateways.ports import TryAgain, WillNotWork
from consumers.gateways.solana_ports import Blockhash, MintWanted, Prepared, TokenSeen
from consumers.gateways.solana_rpc import SolanaRpc

MINT_UNITS = 150_000


class SplMinter:
    """The `TokenMinter` port for tokens of their own; trees are not asked for."""

    kind: Literal["bubblegum", "spl"] = "spl"

    def __init__(
        self, *, chain: SolanaRpc, authority: Keypair, treasury: str, priority_fee: int = 0
    ) -> None:
        self._chain = chain
        self._authority = authority
        self._treasury = wire.key(treasury)
        self._priority_fee = priority_fee

    def sign_mint(self, wanted: MintWanted, tree: str, blockhash: Blockhash) -> Prepared:
        return self._prepared(wanted, [], blockhash)

    def prepare_paid_mint(
        self, wanted: MintWanted, tree: str, lamports: int, blockhash: Blockhash
    ) -> Prepared:
        paid = wire.payment(wire.key(wanted.owner), self._treasury, lamports)
        return self._prepared(wanted, [paid], blockhash)

    async def token(self, signature: str, wanted: MintWanted) -> TokenSeen | None:
        told = await self._chain.transaction(signature)
        if told is None:
            return None
        if told["meta"]["err"] is not None:
            raise WillNotWork(f"the mint failed: {read.error_text(told['meta']['err'])}")
        minted = tokens.minted_by(told)
        if list(minted.values()) != [wanted.owner] or _words(wanted) not in tokens.memos(told):
            raise WillNotWork(f"{signature} minted another token than was wanted")
        (mint,) = minted
        made = tokens.mint_in(await self._chain.account(mint))
        if made is None:
            raise TryAgain(f"the account of the mint {mint} is not told yet")
        if not made.final:
            raise WillNotWork(f"more could be minted of {mint}")
        return TokenSeen(mint, "", 0, told["slot"])

    def _prepared(
        self, wanted: MintWanted, before: list[Instruction], blockhash: Blockhash
    ) -> Prepared:
        mint = self._key(wanted)
        instructions = [
            *wire.priority(self._priority_fee, units=MINT_UNITS),
            *before,
            wire.memo(_words(wanted)),
            *tokens.creation(self._authority.pubkey(), mint.pubkey(), wire.key(wanted.owner)),
        ]
        return wire.prepared(instructions, [self._authority, mint], blockhash)

    def _key(self, wanted: MintWanted) -> Keypair:
        return wire.derived(self._authority, "mint", wanted.reference)


def _words(wanted: MintWanted) -> str:
    return f"{wanted.reference} {wanted.uri}"
