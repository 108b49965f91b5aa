"""Sign-in nonces that say themselves that they are ours and until when; nothing is stored for them.

Hexadecimal, as EIP-4361 wants letters and digits only: 12 random bytes, 5 of expiry (unix seconds
of the application's clock), 16 of HMAC-SHA256. A used one is a claim in the ledger (`BurnNonce`).
"""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime
from hashlib import sha256

from settings import Settings, SettingsError

LASTS_S = 600
_RANDOM, _EXPIRY, _PROOF = 12, 5, 16
_form = re.compile(rf"[0-9a-f]{{{2 * (_RANDOM + _EXPIRY + _PROOF)}}}")


class Nonces:
    """The key is derived from `secret`, the deployment's JWT key."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"mega sign-in nonce", sha256)

    @staticmethod
    def of(settings: Settings) -> Nonces:
        if settings.mega_jwt_key is None:
            raise SettingsError("The setting MEGA_JWT_KEY is missing.")
        return Nonces(settings.mega_jwt_key.get_secret_value())

    def issue(self, at: datetime) -> str:
        until = (int(at.timestamp()) + LASTS_S).to_bytes(_EXPIRY, "big")
        said = secrets.token_bytes(_RANDOM) + until
        return (said + self._proof(said)).hex()

    def good(self, nonce: str, at: datetime) -> bool:
        """Whether we issued it no longer than ten minutes ago. It may have been used since."""
        if not _form.fullmatch(nonce):
            return False
        raw = bytes.fromhex(nonce)
        said, proof = raw[:-_PROOF], raw[-_PROOF:]
        until = int.from_bytes(said[_RANDOM:], "big")
        return hmac.compare_digest(proof, self._proof(said)) and at.timestamp() < until

    def _proof(self, said: bytes) -> bytes:
        return hmac.digest(self._key, said, sha256)[:_PROOF]
