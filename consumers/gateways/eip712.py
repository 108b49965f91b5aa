"""EIP-712: what payers and our voucher key sign, and who signed it.

Every field of both messages is one word of 32 bytes, so that nothing but words is encoded here.
These modules are imported by the API's workers: neither web3 nor the x402 SDK is needed for them.
"""

from __future__ import annotations

from functools import lru_cache

from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey, Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from domain.x402 import Authorization, PaymentTerms, Voucher

_DOMAIN = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_AUTHORIZATION = keccak(
    b"TransferWithAuthorization(address from,address to,uint256 value,"
    b"uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)
_VOUCHER = keccak(b"MintVoucher(address to,uint256 fid,uint256 nonce,uint256 deadline)")

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@lru_cache(maxsize=32)
def domain_separator(name: str, version: str, chain_id: int, contract: str) -> bytes:
    """The 32 bytes that bind a signature to one contract on one chain; `contract` is hex (0x…)."""
    words = (
        _DOMAIN,
        keccak(name.encode()),
        keccak(version.encode()),
        _uint(chain_id),
        _address(contract),
    )
    return keccak(b"".join(words))


def authorization_digest(said: Authorization, terms: PaymentTerms) -> bytes:
    """What the payer signs: EIP-3009's TransferWithAuthorization in the token's domain.

    Raises OverflowError for a number that is no uint256.
    """
    separator = domain_separator(terms.token_name, terms.token_version, terms.chain_id, terms.token)
    return _digest(
        separator,
        _AUTHORIZATION,
        _address(said.payer),
        _address(said.pay_to),
        _uint(said.value),
        _uint(said.valid_after),
        _uint(said.valid_before),
        bytes.fromhex(said.nonce[2:]),
    )


def voucher_digest(voucher: Voucher, *, chain_id: int, contract: str) -> bytes:
    """What the Geoplets contract checks: a MintVoucher in its domain, version 1."""
    return _digest(
        domain_separator("Geoplets", "1", chain_id, contract),
        _VOUCHER,
        _address(voucher.to),
        _uint(voucher.fid),
        _uint(voucher.nonce),
        _uint(voucher.deadline),
    )


def signer_of(digest: bytes, signature: bytes) -> str | None:
    """Whose key made a signature (r, s, v: 65 bytes), in lower case hex; None for no signature.

    A high s is none, as in the token. `v` is 27 or 28; 0 and 1 stand for them (`with_token_v`).
    """
    if len(signature) != 65 or signature[64] not in (0, 1, 27, 28):
        return None
    if int.from_bytes(signature[32:64]) > _HALF_ORDER:
        return None
    try:
        canonical = Signature(signature[:64] + bytes([signature[64] % 27]))
        recovered = canonical.recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError):
        return None
    return "0x" + recovered.to_canonical_address().hex()


def with_token_v(signature: str) -> str:
    """The same signature with the `v` that the token takes: some wallets write 0 for 27."""
    if len(signature) == 132 and signature[-2:] in ("00", "01"):
        return f"{signature[:-2]}{27 + int(signature[-2:], 16):02x}"
    return signature


def signed(digest: bytes, key: PrivateKey) -> str:
    """r, s, v with a `v` of 27 or 28, as hex (0x…). Deterministic (RFC 6979), low s."""
    signature = key.sign_msg_hash(digest).to_bytes()
    return "0x" + (signature[:64] + bytes([27 + signature[64]])).hex()


def _digest(separator: bytes, *words: bytes) -> bytes:
    return keccak(b"\x19\x01" + separator + keccak(b"".join(words)))


def _uint(number: int) -> bytes:
    return number.to_bytes(32)


def _address(text: str) -> bytes:
    return bytes.fromhex(text[2:]).rjust(32, b"\x00")
