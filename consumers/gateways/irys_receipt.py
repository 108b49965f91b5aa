"""What an Irys node signs when it has taken an item; spec `providers.md` §7.

The receipt brings the key it is signed with, which is the node's if `GET /public` says the same.
The id in it is the item's in base64url or in base58: nodes know both spellings, and those of 2026
answer with the second.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from solders.hash import Hash

from consumers.gateways.ans104 import deep_hash

EXPONENT = 65537
KEPT = ("id", "version", "deadlineHeight", "timestamp", "public", "signature")
PADDING = PSS(mgf=MGF1(SHA256()), salt_length=PSS.AUTO)


def names(receipt: Mapping[str, Any], item_id: str) -> bool:
    """Whether the receipt is for this item; `item_id` in base64url."""
    return receipt.get("id") in (item_id, base58_id(item_id))


def base58_id(item_id: str) -> str:
    return str(Hash(from_base64url(item_id)))


def is_authentic(receipt: Mapping[str, Any]) -> bool:
    """Whether the receipt's signature is one of the key in it."""
    try:
        modulus = int.from_bytes(from_base64url(receipt["public"]))
        signature, message = from_base64url(receipt["signature"]), signed_words(receipt)
        key = RSAPublicNumbers(EXPONENT, modulus).public_key()
        key.verify(signature, message, PADDING, SHA256())
    except (InvalidSignature, KeyError, TypeError, ValueError):
        return False
    return True


def signed_words(receipt: Mapping[str, Any]) -> bytes:
    """The 48 bytes under the signature."""
    words = (str(receipt[name]) for name in ("version", "id", "deadlineHeight", "timestamp"))
    return deep_hash([b"Bundlr", *(word.encode() for word in words)])


def kept(receipt: Mapping[str, Any]) -> str:
    """What has to be stored of it, as JSON."""
    return orjson.dumps({name: receipt[name] for name in KEPT}).decode()


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
