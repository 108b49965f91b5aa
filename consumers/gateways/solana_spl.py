"""Mints SPL tokens that exist once: no decimals, a supply of one, and nobody who could mint more.

The mint's key follows from the reference, so that a unit has one mint whatever happens: a second
creation of it fails. Name and picture stand in the transaction's memo, `<reference> <uri>`, since
the token program keeps none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from spl.token import instructions as spl
from spl.token import models

from consumers.gateways import base58
from consumers.gateways import solana_json as read
from consumers.gateways import solana_wire as wire
from consumers.gateways.borsh import Reader
from consumers.gateways.ports import TryAgain, WillNotWork
from consumers.gateways.solana_ports import Blockhash, MintWanted, Prepared, TokenSeen
from consumers.gateways.solana_rpc import SolanaRpc

TOKEN = spl.TOKEN_PROGRAM_ID
MINT_BYTES = 82
MINT_RENT = (128 + MINT_BYTES) * 6_960
"""Lamports that keep an account of this size for ever, by Solana's constant rates."""
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
        with read.strictly():
            mint = _new_mint(told, wanted.owner) if _said(told, _words(wanted)) else ""
        if not mint:
            raise WillNotWork(f"{signature} minted another token than was wanted")
        account = await self._chain.account(mint)
        if account is None:
            raise TryAgain(f"the account of the mint {mint} is not told yet")
        if account.owner != str(TOKEN) or not _is_final(account.data):
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
            *_creation(self._authority.pubkey(), mint.pubkey(), wire.key(wanted.owner)),
        ]
        return wire.prepared(instructions, [self._authority, mint], blockhash)

    def _key(self, wanted: MintWanted) -> Keypair:
        return wire.derived(self._authority, "mint", wanted.reference)


def _creation(authority: Pubkey, mint: Pubkey, owner: Pubkey) -> list[Instruction]:
    held_at = spl.get_associated_token_address(owner, mint)
    account = CreateAccountParams(
        from_pubkey=authority,
        to_pubkey=mint,
        lamports=MINT_RENT,
        space=MINT_BYTES,
        owner=TOKEN,
    )
    by: dict[str, Any] = {"program_id": TOKEN, "mint": mint, "mint_authority": authority}
    starting = models.InitializeMint2Params(**by, decimals=0)
    one = models.MintToParams(**by, dest=held_at, amount=1)
    nobody_mints = models.SetAuthorityParams(
        program_id=TOKEN,
        account=mint,
        authority=models.AuthorityType.MINT_TOKENS,
        current_authority=authority,
        new_authority=None,
    )
    return [
        create_account(account),
        spl.initialize_mint2(starting),
        spl.create_associated_token_account(authority, owner, mint),
        spl.mint_to(one),
        spl.set_authority(nobody_mints),
    ]


def _words(wanted: MintWanted) -> str:
    return f"{wanted.reference} {wanted.uri}"


def _said(told: Mapping[str, Any], words: str) -> bool:
    message = told["transaction"]["message"]
    keys, memo = message["accountKeys"], base58.encode(words.encode())
    said = [(keys[one["programIdIndex"]], one["data"]) for one in message["instructions"]]
    return (str(wire.MEMO), memo) in said


def _new_mint(told: Mapping[str, Any], owner: str) -> str:
    """The one mint whose one token was its owner's when the transaction was over, and which had
    none before; empty when there is no such."""
    before = {one["mint"] for one in told["meta"].get("preTokenBalances") or ()}
    found = {
        str(one["mint"])
        for one in told["meta"].get("postTokenBalances") or ()
        if (one["owner"], one["uiTokenAmount"]["amount"]) == (owner, "1")
        and one["uiTokenAmount"]["decimals"] == 0
    }
    return found.pop() if len(found) == 1 and not found & before else ""


def _is_final(mint: bytes) -> bool:
    """Of the token program's layout: no authority to mint, initialized, no decimals."""
    reader = Reader(mint)
    has_authority = reader.number(4)
    reader.take(32 + 8)
    decimals, initialized = reader.number(1), reader.flag()
    return (has_authority, decimals, initialized) == (0, 0, True)
