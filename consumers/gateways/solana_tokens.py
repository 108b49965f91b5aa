"""SPL tokens that exist once: made and burned, and how their accounts and transactions read.

No decimals, a supply of one, and nobody who could mint more. What the token program keeps of them
says nothing of picture or level: that stands in the transaction's memo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.system_program import (
    AllocateParams,
    AssignParams,
    TransferParams,
    allocate,
    assign,
    transfer,
)
from spl.token import instructions as spl
from spl.token import models
from spl.token.constants import TOKEN_PROGRAM_ID as TOKEN

from consumers.gateways import base58
from consumers.gateways import solana_json as read
from consumers.gateways import solana_wire as wire
from consumers.gateways.borsh import Reader
from consumers.gateways.ports import TryAgain

SYSTEM = Pubkey.default()
MINT_BYTES = 82
HOLDING_BYTES = 165
MINT_RENT = (128 + MINT_BYTES) * 6_960
"""Lamports that keep an account of this size for ever, by Solana's constant rates."""


@dataclass(frozen=True, slots=True)
class Mint:
    """`final`: nobody can mint more of it."""

    supply: int
    final: bool


@dataclass(frozen=True, slots=True)
class HeldAt:
    """A token account: `owner` has `amount` of `mint`."""

    mint: str
    owner: str
    amount: int


def creation(
    authority: Pubkey, mint: Pubkey, owner: Pubkey, *, rent_by: Pubkey | None = None
) -> list[Instruction]:
    """The mint, its one token in `owner`'s associated account, and no authority any more. `rent_by`
    pays for both accounts; left out, the authority does.

    Not by `create_account`: that one fails for ever once anybody has sent the address a lamport.
    `allocate` fails where there is an account already."""
    payer = rent_by or authority
    by: dict[str, Any] = {"program_id": TOKEN, "mint": mint, "mint_authority": authority}
    starting = models.InitializeMint2Params(**by, decimals=0)
    one = models.MintToParams(**by, dest=held_at(owner, mint), amount=1)
    nobody_mints = models.SetAuthorityParams(
        program_id=TOKEN,
        account=mint,
        authority=models.AuthorityType.MINT_TOKENS,
        current_authority=authority,
        new_authority=None,
    )
    return [
        transfer(TransferParams(from_pubkey=payer, to_pubkey=mint, lamports=MINT_RENT)),
        allocate(AllocateParams(pubkey=mint, space=MINT_BYTES)),
        assign(AssignParams(pubkey=mint, owner=TOKEN)),
        spl.initialize_mint2(starting),
        spl.create_associated_token_account(payer, owner, mint),
        spl.mint_to(one),
        spl.set_authority(nobody_mints),
    ]


def burning(mint: Pubkey, owner: Pubkey) -> list[Instruction]:
    """Burns the one token, and closes the empty account so that its rent is `owner`'s again. The
    mint stays for ever, with a supply of 0."""
    account = held_at(owner, mint)
    by: dict[str, Any] = {"program_id": TOKEN, "account": account, "owner": owner}
    return [
        spl.burn(models.BurnParams(**by, mint=mint, amount=1)),
        spl.close_account(models.CloseAccountParams(**by, dest=owner)),
    ]


def held_at(owner: Pubkey, mint: Pubkey) -> Pubkey:
    """Where tokens of a mint are an owner's, unless they were sent elsewhere."""
    return spl.get_associated_token_address(owner, mint)


def mint_in(account: read.Account | None) -> Mint | None:
    """None: there is no mint; lamports alone, which anybody may send to an address, make none."""
    if account is None or (account.owner, account.data) == (str(SYSTEM), b""):
        return None
    if account.owner != str(TOKEN) or len(account.data) != MINT_BYTES:
        raise TryAgain("a node told another account where a mint belongs")
    reader = Reader(account.data)
    has_authority = reader.number(4)
    reader.take(32)
    supply, decimals, initialized = reader.number(8), reader.number(1), reader.number(1)
    return Mint(supply, (has_authority, decimals, initialized) == (0, 0, 1))


def holding_in(account: read.Account | None) -> HeldAt | None:
    """None: this is no token account."""
    if account is None or account.owner != str(TOKEN) or len(account.data) != HOLDING_BYTES:
        return None
    reader = Reader(account.data)
    return HeldAt(str(reader.key()), str(reader.key()), reader.number(8))


def memos(told: Mapping[str, Any]) -> list[str]:
    """What the memos of a `getTransaction` answer say, in their order."""
    with read.strictly():
        said = [data for program, data in read.instructions(told) if program == str(wire.MEMO)]
    try:
        return [base58.decode(data).decode() for data in said]
    except ValueError:
        raise TryAgain("a node told a memo that cannot be read") from None


def minted_by(told: Mapping[str, Any]) -> dict[str, str]:
    """Mints whose one token was there when a `getTransaction` answer's transaction was over, and
    who had it then; there was nothing of them before."""
    before = {mint for mint, _, _ in _held(told, "preTokenBalances")}
    after = _held(told, "postTokenBalances")
    return {mint: owner for mint, owner, amount in after if amount == 1 and mint not in before}


def burned_by(told: Mapping[str, Any]) -> dict[str, str]:
    """Mints whose one token was there before a transaction and nowhere after, and who had it: what
    leaves an account and does not come to another is burned."""
    after = {mint for mint, _, amount in _held(told, "postTokenBalances") if amount}
    before = _held(told, "preTokenBalances")
    return {mint: owner for mint, owner, amount in before if amount == 1 and mint not in after}


def _held(told: Mapping[str, Any], when: str) -> list[tuple[str, str, int]]:
    """(mint, owner, amount) of every token account that a transaction names, of tokens without
    decimals; several may be of one mint and owner."""
    with read.strictly():
        return [
            (read.key(one["mint"]), read.key(one["owner"]), read.amount(one["uiTokenAmount"]))
            for one in read.items(told["meta"].get(when))
            if read.integer(one["uiTokenAmount"]["decimals"]) == 0
        ]
