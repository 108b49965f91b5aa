"""Assets: stored files under addresses that last, and the rule by which such an address is known.

Whatever is kept (inputs of a generation, its output, a delivery) is named by a permanent public URL
of ours, never by a signed one, a foreign one or one of the staging area (`providers.md` §8, I-38).
"""

from __future__ import annotations

import re

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
KEY_MAX = 512
# What the addresses of signed or expiring copies hold, in any case of letters.
TEMPORARY = ("X-Amz-", "X-Tos-", "Signature=", "Expires=", "token=", "?", "#")
STAGING = "staging/"
"""Where uploads wait to be checked; cleared by the store, closed to readers."""


def permanent(url: str, base: str) -> bool:
    """Whether `url` is a permanent public URL of ours.

    `base` is the store's public base without a slash at its end (S3_PUBLIC_BASE_URL). What follows
    it must be a plain key outside the staging area: no `..`, no escapes, no query, no fragment, no
    word of a signature. Scheme, host, port and path of the base must stand there letter by letter,
    so that neither `BASE.evil.example` nor `BASE@evil.example` passes.
    """
    key = url.removeprefix(f"{base}/")
    return (
        key != url
        and len(key) <= KEY_MAX
        and KEY.fullmatch(key) is not None
        and not key.lower().startswith(STAGING)
        and not any(word.lower() in url.lower() for word in TEMPORARY)
    )
