"""Statements as anybody can check them offline: Ed25519 over the RFC 8785 (JCS) form.

Signature, key id and public keys are base64url without padding, as in JOSE (RFC 8037).
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from settings import Settings, SettingsError

OUTCOMES = ("delivered", "credit", "refund_due", "refunded", "expired", "in_flight")


class NotAKey(ValueError):
    """A public key is 32 bytes in base64url or hexadecimal, or PEM."""


def check(statement_json: dict[str, Any], key: str) -> bool:
    """Whether a signed statement bears the signature of `key` and paid is the sum of the others.

    `statement_json` is the body of `GET /me/statement`. Raises NotAKey for what is no key.
    """
    public = public_key(key)
    try:
        signature = _decoded(statement_json["signature"])
        public.verify(signature, rfc8785.dumps(statement_json["statement"]))
        assets = statement_json["statement"]["assets"].values()
        return all(
            int(sums["paid"]) == sum(int(sums[outcome]) for outcome in OUTCOMES) for sums in assets
        )
    except (
        InvalidSignature,
        rfc8785.CanonicalizationError,
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
    ):
        return False


def public_key(text: str) -> Ed25519PublicKey:
    """`text`: the member `x` of a published key, the same 32 bytes in hexadecimal, or PEM."""
    try:
        if "BEGIN" in text:
            found = load_pem_public_key(text.encode())
        else:
            word = text.strip()
            raw = bytes.fromhex(word) if re.fullmatch("[0-9a-fA-F]{64}", word) else _decoded(word)
            found = Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        raise NotAKey() from None
    if not isinstance(found, Ed25519PublicKey):
        raise NotAKey()
    return found


class StatementKey:
    """The deployment's key for statements, `MEGA_STATEMENT_KEY`: an Ed25519 key in PEM."""

    def __init__(self, pem: str) -> None:
        try:
            private = load_pem_private_key(pem.replace("\\n", "\n").encode(), password=None)
        except ValueError:
            private = None
        if not isinstance(private, Ed25519PrivateKey):
            raise SettingsError(
                "The setting MEGA_STATEMENT_KEY is malformed: must be an Ed25519 key in PEM."
            )
        self._private = private
        self._public = private.public_key().public_bytes_raw()
        self.key_id = _encoded(sha256(self._public).digest()[:12])

    @staticmethod
    def of(settings: Settings) -> StatementKey:
        if settings.mega_statement_key is None:
            raise SettingsError("The setting MEGA_STATEMENT_KEY is missing.")
        return StatementKey(settings.mega_statement_key.get_secret_value())

    def sign(self, statement: dict[str, Any]) -> dict[str, Any]:
        """The statement with its signature, as callers get it."""
        signature = self._private.sign(rfc8785.dumps(statement))
        return {"statement": statement, "key_id": self.key_id, "signature": _encoded(signature)}

    def published(self) -> dict[str, Any]:
        """As a JSON Web Key Set (RFC 7517, RFC 8037)."""
        x = _encoded(self._public)
        key = {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA"}
        return {"keys": [{**key, "kid": self.key_id, "x": x}]}


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
