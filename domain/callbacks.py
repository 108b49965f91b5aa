"""Where a maker of media may say that it is done: an address that only we could have given it.

What is said there is a nudge and no more; the result is fetched before it counts.
"""

from __future__ import annotations

import hmac
from hashlib import sha256


def callback_token(key: bytes, generation_id: str) -> str:
    """By MEGA_MASTER_KEY: good for the callbacks of one generation."""
    return hmac.new(key, f"media callback {generation_id}".encode(), sha256).hexdigest()[:40]
