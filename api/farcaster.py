"""Sign-In with Farcaster Quick Auth: whose fid a token proves.

The fid comes from the token only (`contract.md` §2). What is checked: spec `providers.md` §9.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from api.jwks import Issuer, Keys, open_keys, proven_claims
from api.problems import FarcasterSilent, Unauthenticated
from settings import Settings

FID_MAX = 2**63 - 1
_fid = re.compile(r"[1-9][0-9]{0,18}")


class TokenRefused(Unauthenticated):
    """This Farcaster token was not accepted; get a new one from Quick Auth."""


QUICK_AUTH = Issuer("Quick Auth", ("https://auth.farcaster.xyz",), TokenRefused, FarcasterSilent)


class QuickAuth:
    """Judges tokens for one domain, `audience`."""

    def __init__(self, keys: Keys, audience: str) -> None:
        self._keys, self._audience = keys, audience

    async def fid(self, token: str, at: datetime) -> int:
        """The fid that a token proves. Raises MalformedToken, TokenRefused, or FarcasterSilent when
        only its keys could tell."""
        return fid_of((await proven_claims(token, self._keys, self._audience, at))["sub"])


def fid_of(subject: object) -> int:
    """A fid as the number or the text that a token may say; anything else is refused."""
    if isinstance(subject, str) and _fid.fullmatch(subject):
        subject = int(subject)
    if type(subject) is not int or not 1 <= subject <= FID_MAX:
        raise TokenRefused("(its subject is no fid)")
    return subject


@asynccontextmanager
async def open_quick_auth(settings: Settings) -> AsyncIterator[QuickAuth | None]:
    """None where no address of keys is set."""
    url = settings.mega_farcaster_jwks_url
    if url is None:
        yield None
        return
    async with open_keys(url, QUICK_AUTH) as keys:
        yield QuickAuth(keys, settings.mega_public_host)
