"""Signs leave to mint a Geoplet: by a key in memory."""

from __future__ import annotations

from eth_keys.datatypes import PrivateKey
from eth_utils.exceptions import ValidationError

from consumers.gateways.eip712 import signed, voucher_digest
from domain.x402 import Voucher


class Vouchers:
    """`private_key` is 0x and 64 hex digits, and is never in an error or a repr; `contract` the
    Geoplets contract that knows the key's `address` (lower case hex) as its signer."""

    def __init__(self, *, private_key: str, chain_id: int, contract: str) -> None:
        self._key = _key(private_key)
        self._chain_id = chain_id
        self._contract = contract.lower()
        self.address = "0x" + self._key.public_key.to_canonical_address().hex()

    def sign(self, voucher: Voucher) -> str:
        digest = voucher_digest(voucher, chain_id=self._chain_id, contract=self._contract)
        return signed(digest, self._key)


def _key(text: str) -> PrivateKey:
    try:
        key = PrivateKey(bytes.fromhex(text.removeprefix("0x")))
        key.public_key.to_address()
    except (ValueError, ValidationError):
        # The error would tell parts of the key.
        raise ValueError("The voucher signer's key is not 0x and 64 hex digits.") from None
    return key
