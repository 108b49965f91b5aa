"""JSON-RPC: accounts, balances and tokens, at the commitment that was asked for.

The shapes are those of the providers' documentation. Not documented, and so from memory of the
node's own code: that `getTokenLargestAccounts` tells empty accounts too, and its refusals' words.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from consumers.gateways import base58
from embedded.solana import asked as reading
from embedded.solana import tokens
from embedded.solana.asked import Asked
from embedded.solana.chain import Chain
from embedded.solana.faults import INVALID_PARAMS, INVALID_REQUEST, RpcFault, invalid

MAX_KEYS = 100
MAX_LARGEST = 20
BASE58_MAX = 128  # bytes of an account that a node writes in base58


def balance(asked: Asked) -> dict[str, Any]:
    found = asked.chain.account(asked.key(0), asked.commitment)
    return asked.context(found.lamports if found else 0)


def account_info(asked: Asked) -> dict[str, Any]:
    found = asked.chain.account(asked.key(0), asked.commitment)
    return asked.context(told(asked.chain, found, asked.options))


def multiple_accounts(asked: Asked) -> dict[str, Any]:
    keys = [reading.key(text) for text in asked.texts(0, MAX_KEYS)]
    found = [asked.chain.account(key, asked.commitment) for key in keys]
    return asked.context([told(asked.chain, each, asked.options) for each in found])


def program_accounts(asked: Asked) -> object:
    items = [
        {"pubkey": str(key), "account": told(asked.chain, account, asked.options)}
        for key, account in _owned(asked, asked.key(0))
        if all(_passes(bytes(account.data), rule) for rule in asked.options.get("filters") or ())
    ]
    return asked.context(items) if asked.options.get("withContext") else items


def token_accounts_by_owner(asked: Asked) -> dict[str, Any]:
    owner, wanted = asked.key(0), asked.values[1] if len(asked.values) > 1 else None
    if not isinstance(wanted, dict) or len(wanted) != 1:
        raise invalid("expected mint or programId at position 1")
    ((kind, text),) = wanted.items()
    key = reading.key(str(text))
    if kind == "programId" and key not in tokens.PROGRAMS:
        raise RpcFault(INVALID_PARAMS, "Invalid param: unrecognized Token program id")
    programs = [key] if kind == "programId" else list(tokens.PROGRAMS)
    items = []
    for program in programs:
        for address, account in _owned(asked, program):
            held = tokens.holding(account)
            if held and held.owner == owner and kind in ("programId", "mint"):
                if kind == "mint" and held.mint != key:
                    continue
                shown = told(asked.chain, account, asked.options)
                items.append({"pubkey": str(address), "account": shown})
    return asked.context(items)


def token_account_balance(asked: Asked) -> dict[str, Any]:
    held = tokens.holding(asked.chain.account(asked.key(0), asked.commitment))
    decimals = _decimals(asked.chain, held)
    if held is None or decimals is None:
        raise RpcFault(INVALID_PARAMS, "Invalid param: not a Token account")
    return asked.context(tokens.amount(held.amount, decimals))


def token_supply(asked: Asked) -> dict[str, Any]:
    mint = tokens.mint(asked.chain.account(asked.key(0), asked.commitment))
    if mint is None:
        raise RpcFault(INVALID_PARAMS, "Invalid param: not a Token mint")
    return asked.context(tokens.amount(mint.supply, mint.decimals))


def token_largest_accounts(asked: Asked) -> dict[str, Any]:
    """Whose accounts these are is not told."""
    wanted = asked.key(0)
    account = asked.chain.account(wanted, asked.commitment)
    if account is None:
        raise RpcFault(INVALID_PARAMS, "Invalid param: could not find mint")
    mint = tokens.mint(account)
    if mint is None:
        raise RpcFault(INVALID_PARAMS, "Invalid param: not a Token mint")
    owned = ((key, tokens.holding(each)) for key, each in _owned(asked, account.owner))
    found = [(held.amount, str(key)) for key, held in owned if held and held.mint == wanted]
    largest = sorted(found, reverse=True)[:MAX_LARGEST]
    items = [{"address": key, **tokens.amount(held, mint.decimals)} for held, key in largest]
    return asked.context(items)


def told(
    chain: Chain, account: Account | None, options: Mapping[str, Any]
) -> dict[str, Any] | None:
    """UiAccount; null for one that is not there."""
    if account is None:
        return None
    return {
        "lamports": account.lamports,
        "owner": str(account.owner),
        "data": _data(chain, account, options),
        "executable": account.executable,
        "rentEpoch": account.rent_epoch,
        "space": len(account.data),
    }


def _data(chain: Chain, account: Account, options: Mapping[str, Any]) -> object:
    encoding, content = options.get("encoding", "base58"), bytes(account.data)
    if encoding == "jsonParsed":
        decimals = _decimals(chain, tokens.holding(account))
        parsed = tokens.parsed(account, decimals)
        if parsed is not None:
            return parsed
        encoding = "base64"
    if part := options.get("dataSlice"):
        content = content[part["offset"] : part["offset"] + part["length"]]
    if encoding == "base64":
        return [b64encode(content).decode(), encoding]
    if encoding not in ("base58", "binary"):
        raise invalid(f"unknown variant `{encoding}`, expected base58, base64 or jsonParsed")
    if len(content) > BASE58_MAX:
        raise RpcFault(
            INVALID_REQUEST,
            "Encoded binary (base 58) data should be less than 128 bytes, "
            "please use Base64 encoding.",
        )
    return [base58.encode(content), "base58"]


def _decimals(chain: Chain, held: tokens.Holding | None) -> int | None:
    mint = tokens.mint(chain.machine.account(held.mint)) if held else None
    return mint.decimals if mint else None


def _owned(asked: Asked, program: Pubkey) -> list[tuple[Pubkey, Account]]:
    """Those that exist now, as they were at the commitment."""
    now = asked.chain.machine.accounts_of(program)
    then = ((key, asked.chain.account(key, asked.commitment)) for key, _ in now)
    return [(key, found) for key, found in then if found and found.owner == program]


def _passes(content: bytes, rule: Mapping[str, Any]) -> bool:
    if "dataSize" in rule:
        return len(content) == rule["dataSize"]
    compared = rule.get("memcmp")
    if not isinstance(compared, dict):
        raise invalid("a filter is dataSize or memcmp")
    wanted = base58.decode(compared["bytes"])
    return content[compared["offset"] :].startswith(wanted)


METHODS = {
    "getBalance": balance,
    "getAccountInfo": account_info,
    "getMultipleAccounts": multiple_accounts,
    "getProgramAccounts": program_accounts,
    "getTokenAccountsByOwner": token_accounts_by_owner,
    "getTokenAccountBalance": token_account_balance,
    "getTokenSupply": token_supply,
    "getTokenLargestAccounts": token_largest_accounts,
}
