"""The Farcaster Quick Auth twin: its keys, and tokens for whoever asks; spec `providers.md` §9.

Read in a source (the vendor's documentation and a test of its server): RS256, the issuer, that
`sub` is the fid as a number, one hour, `aud` as a bare domain; the paths below; `{nonce}`; one key
in the set; the claims as the answer of `/verify-jwt`; 400 with `error` and `error_message`, codes
`invalid_params` and `invalid_token`.

From memory, therefore no proof about the vendor: the error sentences, that a key has a `kid`, the
seconds in `Cache-Control`. Of the vendor's API `POST /verify-siwf` is not here: `POST /_twin/token`
stands where a person would sign.
"""

from __future__ import annotations

import os
import secrets
from typing import Any

import jwt
from jwt.types import Options

from embedded.twins.tokens import Signer, SigningKey, lifetime
from embedded.twins.wire import Answer, Call

ISSUER = "https://auth.farcaster.xyz"
KEYS_LAST_S = 300
FID = 6841
# Times are judged by the twin's own clock, and `sub` is a number, which PyJWT would refuse.
TIMELESS: Options = {
    "require": ["exp", "sub"],
    "verify_sub": False,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


class Farcaster:
    """`GET /.well-known/jwks.json`, `POST /nonce`, `GET /verify-jwt?token=&domain=`."""

    name = "farcaster"
    base_path = ""

    def __init__(self, audience: str | None = None) -> None:
        """`audience` is the domain tokens are for: MEGA_PUBLIC_HOST, unless another is given."""
        self.audience = audience or os.environ.get("MEGA_PUBLIC_HOST") or "localhost"
        self._signer = Signer()

    async def answer(self, call: Call) -> Answer:
        match call.method, call.path:
            case "GET", "/.well-known/jwks.json":
                return self._signer.shown(call, f"public, max-age={KEYS_LAST_S}")
            case "POST", "/nonce":
                return Answer.json(200, {"nonce": secrets.token_hex(16)})
            case "GET", "/verify-jwt":
                return self._verified(call)
        return _refused(404, "not_found", f"There is no {call.method} {call.path} here.")

    async def control(self, call: Call) -> Answer | None:
        return self._signer.control(call, self._good_claims)

    def _good_claims(self, call: Call) -> dict[str, Any]:
        return {"iss": ISSUER, "aud": self.audience, "sub": FID, **lifetime(call)}

    def _verified(self, call: Call) -> Answer:
        token, domain = call.query.get("token"), call.query.get("domain")
        if not token or not domain:
            return _refused(400, "invalid_params", "The query needs token and domain.")
        claims = _claims(self._signer.key(call), token, domain)
        if claims is None or claims["exp"] <= call.journal.now().timestamp():
            return _refused(400, "invalid_token", "This token is not valid for this domain.")
        return Answer.json(200, claims)


def _claims(key: SigningKey, token: str, domain: str) -> dict[str, Any] | None:
    """What a token of ours for `domain` says, expired or not; None for any other."""
    try:
        said: dict[str, Any] = jwt.decode(
            token,
            key.public,
            algorithms=["RS256"],
            audience=domain,
            issuer=ISSUER,
            options=TIMELESS,
        )
    except jwt.InvalidTokenError:
        return None
    return said if isinstance(said["exp"], int) else None


def _refused(status: int, code: str, message: str) -> Answer:
    return Answer.json(status, {"error": code, "error_message": message})
