"""EIP-3009 payments as a wallet signs them, by keys that everybody knows."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Any

from eth_account import Account
from eth_utils import to_checksum_address

from embedded.deploy_plan import USDC, dev_wallets

KEYS = {wallet.address.lower(): wallet.private_key for wallet in dev_wallets()}
TYPES = {
    "TransferWithAuthorization": [
        {"name": "from", "type": "address"},
        {"name": "to", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "validAfter", "type": "uint256"},
        {"name": "validBefore", "type": "uint256"},
        {"name": "nonce", "type": "bytes32"},
    ]
}


def authorization(payer: str, pay_to: str, **other: Any) -> dict[str, Any]:
    """Addresses checksummed, as x402 clients write them: its facilitators take no others."""
    said = {
        "from": to_checksum_address(payer),
        "to": to_checksum_address(pay_to),
        "value": 7,
        "validAfter": 0,
        "validBefore": 2**40,
        "nonce": "0x" + secrets.token_hex(32),
    }
    return said | other


def signature(said: Mapping[str, Any], *, name: str = "USD Coin") -> bytes:
    domain = {"name": name, "version": "2", "chainId": 8453, "verifyingContract": USDC}
    signed = Account.sign_typed_data(KEYS[said["from"].lower()], domain, TYPES, dict(said))
    return bytes(signed.signature)


def exact_payload(said: Mapping[str, Any]) -> dict[str, Any]:
    """x402's `payload`: every number as text."""
    texts = {key: str(value) for key, value in said.items()}
    return {"signature": "0x" + signature(said).hex(), "authorization": texts}


def v1_header(said: Mapping[str, Any]) -> str:
    """The `X-PAYMENT` header."""
    payment = {"x402Version": 1, "scheme": "exact", "network": "base"}
    return base64.b64encode(
        json.dumps(payment | {"payload": exact_payload(said)}).encode()
    ).decode()
