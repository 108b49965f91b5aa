"""Tokens that no honest signer makes."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any


def spelled(part: dict[str, Any]) -> str:
    """A part of a token: JSON in base64url."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def hmac_signed(claims: dict[str, Any], secret: bytes, kid: str) -> str:
    signing = f"{spelled({'alg': 'HS256', 'kid': kid})}.{spelled(claims)}"
    proof = hmac.digest(secret, signing.encode(), "sha256")
    return f"{signing}.{base64.urlsafe_b64encode(proof).decode().rstrip('=')}"
