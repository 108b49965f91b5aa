"""Calldata: the bytes a wallet sends to pay for an order.

Each function answers `0x` and hex: the four bytes that select a function of
`contracts/src/RoleMint.sol` (or of ERC-20), then its arguments in words of 32 bytes. Arguments out
of their range are a bug of the caller and raise ValueError. The selectors are the first bytes of
the keccak hash of the signatures beside them; a test holds them against the compiled contracts.
"""

from __future__ import annotations

import re

APPROVE = "095ea7b3"  # approve(address,uint256)
MINT = "e1856ff4"  # mint(bytes32,uint256)
PAY = "d0ee4de0"  # pay(bytes32,uint256)

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_ORDER_REF = re.compile(r"0x[0-9a-fA-F]{64}")


def approve(spender: str, amount: int) -> str:
    """Lets `spender` (0x and 40 hex) take `amount` atomic units of the token that is called."""
    return f"0x{APPROVE}{_address(spender)}{_uint256(amount)}"


def mint(order_ref: str, amount: int) -> str:
    """Pays `amount` atomic units for `order_ref` (0x and 64 hex) and mints its token."""
    return f"0x{MINT}{_bytes32(order_ref)}{_uint256(amount)}"


def pay(order_ref: str, amount: int) -> str:
    """Pays `amount` atomic units for `order_ref`; the token is minted later by the server."""
    return f"0x{PAY}{_bytes32(order_ref)}{_uint256(amount)}"


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError(f"not an address: {value!r}")
    return value[2:].lower().rjust(64, "0")


def _bytes32(value: str) -> str:
    if not _ORDER_REF.fullmatch(value):
        raise ValueError(f"not 32 bytes of hex: {value!r}")
    return value[2:].lower()


def _uint256(value: int) -> str:
    if not 0 <= value < 2**256:
        raise ValueError(f"not an amount of atomic units: {value}")
    return f"{value:064x}"
