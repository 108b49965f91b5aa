"""SPL tokens as a node reads them: accounts and mints of both token programs, by their layouts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from consumers.gateways.borsh import Reader

TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
PROGRAMS = {TOKEN: "spl-token", TOKEN_2022: "spl-token-2022"}

ACCOUNT_BYTES, MINT_BYTES = 165, 82
_KIND_AT, _IS_MINT = 165, 1  # token-2022: what an account with extensions is
_STATES = ("uninitialized", "initialized", "frozen")


@dataclass(frozen=True, slots=True)
class Mint:
    authority: Pubkey | None
    supply: int
    decimals: int
    initialized: bool
    freezer: Pubkey | None


@dataclass(frozen=True, slots=True)
class Holding:
    """A token account."""

    mint: Pubkey
    owner: Pubkey
    amount: int
    delegate: Pubkey | None
    state: str
    native: int | None
    delegated: int
    closer: Pubkey | None


def mint(account: Account | None) -> Mint | None:
    """None: this is no mint."""
    data = _data(account)
    if len(data) != MINT_BYTES and data[_KIND_AT : _KIND_AT + 1] != bytes((_IS_MINT,)):
        return None
    reader = Reader(data)
    return Mint(_key(reader), reader.number(8), reader.number(1), reader.flag(), _key(reader))


def holding(account: Account | None) -> Holding | None:
    """None: this is no token account."""
    data = _data(account)
    if len(data) < ACCOUNT_BYTES or data[_KIND_AT : _KIND_AT + 1] == bytes((_IS_MINT,)):
        return None
    reader = Reader(data)
    mint_key, owner, amount = reader.key(), reader.key(), reader.number(8)
    delegate, state = _key(reader), _STATES[reader.number(1)]
    native = reader.number(8) if reader.number(4) else reader.number(8) and None
    return Holding(mint_key, owner, amount, delegate, state, native, reader.number(8), _key(reader))


def amount(value: int, decimals: int) -> dict[str, Any]:
    """UiTokenAmount."""
    whole, rest = divmod(value, 10**decimals)
    text = f"{whole}.{rest:0{decimals}d}".rstrip("0").rstrip(".") if decimals else str(value)
    return {
        "amount": str(value),
        "decimals": decimals,
        "uiAmount": value / 10**decimals,
        "uiAmountString": text,
    }


def parsed(account: Account, decimals: int | None) -> dict[str, Any] | None:
    """An account in encoding `jsonParsed`; `decimals` are those of its mint. None: no token's."""
    told: dict[str, Any] | None = None
    if made := mint(account):
        info = {
            "decimals": made.decimals,
            "freezeAuthority": made.freezer and str(made.freezer),
            "isInitialized": made.initialized,
            "mintAuthority": made.authority and str(made.authority),
            "supply": str(made.supply),
        }
        told = {"info": info, "type": "mint"}
    elif (held := holding(account)) and decimals is not None:
        info = {
            "isNative": held.native is not None,
            "mint": str(held.mint),
            "owner": str(held.owner),
            "state": held.state,
            "tokenAmount": amount(held.amount, decimals),
        }
        if held.delegate:
            info |= {
                "delegate": str(held.delegate),
                "delegatedAmount": amount(held.delegated, decimals),
            }
        told = {"info": info, "type": "account"}
    if told is None:
        return None
    return {"parsed": told, "program": PROGRAMS[account.owner], "space": len(account.data)}


def _data(account: Account | None) -> bytes:
    return bytes(account.data) if account and account.owner in PROGRAMS else b""


def _key(reader: Reader) -> Pubkey | None:
    there, key = reader.number(4), reader.key()
    return key if there else None
