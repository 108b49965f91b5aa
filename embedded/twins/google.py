"""The Google sign-in twin: its keys, and ID tokens for whoever asks; spec `providers.md` §9.

Read in a source (the vendor's documentation): RS256, the path of the key set, `iss`, that `aud` is
the OAuth client, one hour, the names of the claims, and that the keys' `Cache-Control` says how
long they may be kept.

From memory, therefore no proof about the vendor: the seconds in `Cache-Control`. Google shows two
keys and keeps an old one for some days; here a rotation takes it away at once.
"""

from __future__ import annotations

import os
from typing import Any

from embedded.twins.tokens import Signer, lifetime
from embedded.twins.wire import Answer, Call

ISSUER = "https://accounts.google.com"
CLIENT_ID = "mina-dev.apps.googleusercontent.com"
CERTS = "/oauth2/v3/certs"
KEYS_LAST_S = 300
SUBJECT = "110248495921238986420"


class Google:
    """`GET /oauth2/v3/certs`; `POST /_twin/token` stands where a person would sign in."""

    name = "google"
    base_path = ""

    def __init__(self, audience: str | None = None) -> None:
        """`audience` is the OAuth client: MEGA_GOOGLE_CLIENT_ID, unless another is given."""
        self.audience = audience or os.environ.get("MEGA_GOOGLE_CLIENT_ID") or CLIENT_ID
        self._signer = Signer()

    async def answer(self, call: Call) -> Answer:
        if (call.method, call.path) == ("GET", CERTS):
            told = f"public, max-age={KEYS_LAST_S}, must-revalidate, no-transform"
            return self._signer.shown(call, told)
        message = f"There is no {call.method} {call.path} here."
        return Answer.json(404, {"error": {"code": 404, "message": message}})

    async def control(self, call: Call) -> Answer | None:
        return self._signer.control(call, self._good_claims)

    def _good_claims(self, call: Call) -> dict[str, Any]:
        person = {"sub": SUBJECT, "email": "mina@example.com", "email_verified": True}
        named = {"name": "Mina Example", "given_name": "Mina", "family_name": "Example"}
        client = {"iss": ISSUER, "aud": self.audience, "azp": self.audience}
        return {**client, **person, **named, **lifetime(call)}
