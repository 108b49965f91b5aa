"""Sign-in with Google: whose account an ID token proves, and which email with it.

The account is its `sub`; the email counts only when Google says that it is verified
(`contract.md` §2, spec `providers.md` §9).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from api.emails import folded
from api.jwks import Issuer, Keys, open_keys, proven_claims
from api.problems import Unauthenticated
from api.sign_in_problems import GoogleSilent
from settings import Settings

_sub = re.compile(r"[A-Za-z0-9._-]{1,255}", re.ASCII)


class GoogleRefused(Unauthenticated):
    """This Google ID token was not accepted; sign in with Google again."""


GOOGLE = Issuer(
    "Google", ("https://accounts.google.com", "accounts.google.com"), GoogleRefused, GoogleSilent
)


@dataclass(frozen=True, slots=True)
class Account:
    """`email` is verified and case-folded; empty when there is none that counts."""

    sub: str
    email: str = field(default="", repr=False)


class Google:
    """Judges ID tokens for one client id, `audience`."""

    def __init__(self, keys: Keys, audience: str) -> None:
        self._keys, self._audience = keys, audience

    async def account(self, token: str, at: datetime) -> Account:
        """The account that a token proves. Raises MalformedToken, GoogleRefused, or GoogleSilent
        when only its keys could tell."""
        said = await proven_claims(token, self._keys, self._audience, at)
        sub = said["sub"]
        if not isinstance(sub, str) or not _sub.fullmatch(sub):
            raise GoogleRefused("(its subject is no account)")
        email = said.get("email")
        if said.get("email_verified") is not True or not isinstance(email, str):
            return Account(sub)
        return Account(sub, _counting(email))


def _counting(email: str) -> str:
    """The email case-folded; one that we could not write to leads nowhere, the account does."""
    try:
        return folded(email)
    except ValueError:
        return ""


@asynccontextmanager
async def open_google(settings: Settings) -> AsyncIterator[Google | None]:
    """None where no client id is set."""
    audience = settings.mega_google_client_id
    if audience is None:
        yield None
        return
    async with open_keys(settings.mega_google_jwks_url, GOOGLE) as keys:
        yield Google(keys, audience)
