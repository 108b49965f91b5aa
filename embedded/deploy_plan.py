"""What is put on a development chain: accounts, contracts, and the transactions that make them.

The plan is a fixed list of transactions of one account that nobody else uses, so the contracts'
addresses follow from its nonces. New steps go to its end: a chain that has the older ones gets the
rest. What x402's programs look for at a fixed address, where no transaction can put it, is written
there first: USDC (Circle's FiatTokenV2_2, see contracts/build.mjs), which the plan initialises as
on Base, and Multicall.
Every key in this file is public and made for this purpose; none may ever hold anything of worth.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_abi.abi import encode
from eth_abi.grammar import parse
from eth_account import Account
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

BUILD = Path(__file__).resolve().parent.parent / "contracts" / "build"

DEV_MNEMONIC = "test test test test test test test test test test test junk"
DEV_WALLETS = 10

ASSET = "MPT"
DECIMALS = 6
WALLET_TOKENS = 10_000 * 10**6  # atomic units of the payment token
WALLET_USDC = 1_000 * 10**6

USDC = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"
MULTICALL = "0xcA11bde05977b3631167028862bE2a173976CA11"

# Test keys: the hashes of these sentences.
DEPLOYER_KEY = keccak(text="mega development world: deployer test key")
_TREASURY_KEY = keccak(text="mega development world: treasury test key")
_MINTER_KEY = keccak(text="mega development world: minter test key")
_VOUCHER_SIGNER_KEY = keccak(text="mega development world: voucher signer test key")
_PAY_TO_KEY = keccak(text="mega development world: USDC payee test key")
_FACILITATOR_KEY = keccak(text="mega development world: x402 facilitator test key")

_GAS_TO_DEPLOY = 5_000_000
_GAS_TO_CALL = 300_000

# The deployer's nonces at which a contract is made.
_PAYMENT_TOKEN_AT, _ROLE_MINT_AT = 0, 1
_SIGNATURE_CHECKER_AT = 2 + DEV_WALLETS
_GEOPLETS_AT = _SIGNATURE_CHECKER_AT + 1


@dataclass(frozen=True, slots=True)
class Wallet:
    """A development wallet: a checksummed address and its public test key (0x and hex)."""

    address: str
    private_key: str


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction of the plan; `to` is None for a deployment."""

    to: str | None
    data: bytes
    gas: int = _GAS_TO_CALL


def dev_wallets() -> tuple[Wallet, ...]:
    """The ten wallets of the development mnemonic, the same that anvil prints at its start."""
    Account.enable_unaudited_hdwallet_features()
    paths = (f"m/44'/60'/0'/0/{index}" for index in range(DEV_WALLETS))
    accounts = (Account.from_mnemonic(DEV_MNEMONIC, account_path=path) for path in paths)
    return tuple(Wallet(each.address, "0x" + bytes(each.key).hex()) for each in accounts)


def contracts() -> dict[str, Any]:
    """What contracts.json says: checksummed addresses, keys as 0x and hex, the payment token."""
    return {
        "payment_token": _created_at(_PAYMENT_TOKEN_AT),
        "role_mint": _created_at(_ROLE_MINT_AT),
        "treasury": _address(_TREASURY_KEY),
        "minter": _address(_MINTER_KEY),
        "minter_key": "0x" + _MINTER_KEY.hex(),
        "asset": ASSET,
        "decimals": DECIMALS,
        "usdc": USDC,
        "geoplets": _created_at(_GEOPLETS_AT),
        "voucher_signer": _address(_VOUCHER_SIGNER_KEY),
        "voucher_signer_key": "0x" + _VOUCHER_SIGNER_KEY.hex(),
        "pay_to": _address(_PAY_TO_KEY),
        "facilitator": _address(_FACILITATOR_KEY),
        "facilitator_key": "0x" + _FACILITATOR_KEY.hex(),
    }


def in_need_of_ether() -> list[str]:
    """Accounts that send transactions."""
    keys = (DEPLOYER_KEY, _MINTER_KEY, _FACILITATOR_KEY)
    return [*map(_address, keys), *(wallet.address for wallet in dev_wallets())]


def plan() -> list[Step]:
    """Every transaction of the deployer, in the order of its nonces."""
    made = contracts()
    deployer, token = _address(DEPLOYER_KEY), made["payment_token"]
    wallets = [wallet.address for wallet in dev_wallets()]
    role_mint = [token, made["treasury"], made["minter"]]
    return [
        _creation("PaymentToken", ["address"], [deployer]),
        _creation("RoleMint", ["address"] * 3, role_mint),
        *(_call(token, "mint(address,uint256)", each, WALLET_TOKENS) for each in wallets),
        _creation("SignatureChecker", [], []),
        _creation("Geoplets", ["address"], [made["voucher_signer"]]),
        *_initialise_usdc(deployer),
        *(_call(USDC, "mint(address,uint256)", each, WALLET_USDC) for each in wallets),
    ]


def fixed_code() -> dict[str, str]:
    """Code to write (0x and hex) by the address where it must stand."""
    usdc = _artifact("FiatTokenV2_2")
    code: str = usdc["deployedBytecode"]
    library = _created_at(_SIGNATURE_CHECKER_AT)[2:].lower()
    for place in usdc["links"]["SignatureChecker"]:
        start = 2 + 2 * place
        code = code[:start] + library + code[start + 40 :]
    return {USDC: code, MULTICALL: _artifact("Multicall")["deployedBytecode"]}


def _initialise_usdc(deployer: str) -> list[Step]:
    """As on Base, where the version is "2" in the EIP-712 domain; the deployer has every office."""
    first = "initialize(string,string,string,uint8,address,address,address,address)"
    return [
        _call(USDC, first, "USD Coin", "USDC", "USD", DECIMALS, *[deployer] * 4),
        _call(USDC, "initializeV2(string)", "USD Coin"),
        _call(USDC, "initializeV2_1(address)", deployer),
        _call(USDC, "initializeV2_2(address[],string)", [], "USDC"),
        _call(USDC, "configureMinter(address,uint256)", deployer, DEV_WALLETS * WALLET_USDC),
    ]


def _creation(name: str, types: list[str], values: list[str]) -> Step:
    code = bytes.fromhex(_artifact(name)["bytecode"][2:])
    return Step(None, code + encode(types, values), _GAS_TO_DEPLOY)


def _call(to: str, signature: str, *values: object) -> Step:
    types = [each.to_type_str() for each in parse(signature[signature.index("(") :]).components]
    return Step(to, keccak(text=signature)[:4] + encode(types, values))


def _artifact(name: str) -> dict[str, Any]:
    artifact: dict[str, Any] = json.loads((BUILD / f"{name}.json").read_text())
    return artifact


def _created_at(nonce: int) -> str:
    creator = bytes.fromhex(_address(DEPLOYER_KEY)[2:])
    return str(to_checksum_address(keccak(rlp.encode([creator, nonce]))[12:]))


def _address(key: bytes) -> str:
    return str(Account.from_key(key).address)
