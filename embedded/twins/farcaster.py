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

import json
import os
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from jwt.algorithms import RSAAlgorithm
from jwt.types import Options
from pydantic import BaseModel, ConfigDict

from embedded.twins.script import parse
from embedded.twins.wire import Answer, Call

ISSUER = "https://auth.farcaster.xyz"
TOKEN_LASTS_S = 3600
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


class Wanted(BaseModel):
    """`claims` replace those of a good token; null leaves one out."""

    model_config = ConfigDict(strict=True, extra="forbid")

    claims: dict[str, Any] = {}


class Rotation(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    rotate: Literal[True]


class Farcaster:
    """`GET /.well-known/jwks.json`, `POST /nonce`, `GET /verify-jwt?token=&domain=`."""

    name = "farcaster"
    base_path = ""

    def __init__(self, audience: str | None = None) -> None:
        """`audience` is the domain tokens are for: MEGA_PUBLIC_HOST, unless another is given."""
        self.audience = audience or os.environ.get("MEGA_PUBLIC_HOST") or "localhost"
        self._key: SigningKey | None = None

    async def answer(self, call: Call) -> Answer:
        match call.method, call.path:
            case "GET", "/.well-known/jwks.json":
                told = f"public, max-age={KEYS_LAST_S}"
                return Answer.json(200, {"keys": [self._keys(call).jwk()]}, cache_control=told)
            case "POST", "/nonce":
                return Answer.json(200, {"nonce": secrets.token_hex(16)})
            case "GET", "/verify-jwt":
                return self._verified(call)
        return _refused(404, "not_found", f"There is no {call.method} {call.path} here.")

    async def control(self, call: Call) -> Answer | None:
        """`POST /_twin/token {claims}` → `{token}`; `POST /_twin/keys {rotate: true}` → `{kid}`:
        from now on only the new key signs and is shown."""
        match call.method, call.path:
            case "POST", "/_twin/token":
                said = {**self._good_claims(call), **parse(Wanted, call.body).claims}
                claims = {name: value for name, value in said.items() if value is not None}
                return Answer.json(200, {"token": self._keys(call).sign(claims)})
            case "POST", "/_twin/keys":
                parse(Rotation, call.body)
                self._key = SigningKey.new(_file(call))
                return Answer.json(200, {"kid": self._key.kid})
        return None

    def _keys(self, call: Call) -> SigningKey:
        self._key = self._key or SigningKey.kept(_file(call))
        return self._key

    def _good_claims(self, call: Call) -> dict[str, Any]:
        now = int(call.journal.now().timestamp())
        times = {"iat": now, "exp": now + TOKEN_LASTS_S}
        return {"iss": ISSUER, "aud": self.audience, "sub": FID, **times}

    def _verified(self, call: Call) -> Answer:
        token, domain = call.query.get("token"), call.query.get("domain")
        if not token or not domain:
            return _refused(400, "invalid_params", "The query needs token and domain.")
        claims = self._keys(call).claims(token, domain)
        if claims is None or claims["exp"] <= call.journal.now().timestamp():
            return _refused(400, "invalid_token", "This token is not valid for this domain.")
        return Answer.json(200, claims)


class SigningKey:
    """An RSA key; it lies in `file`, when there is one, and so survives the process."""

    def __init__(self, private: RSAPrivateKey) -> None:
        self._private = private
        self._public = private.public_key()
        spelled = self._public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.kid = sha256(spelled).hexdigest()[:16]

    @classmethod
    def kept(cls, file: Path | None) -> SigningKey:
        """The key in the file, a new one when there is none."""
        if file is None or not file.exists():
            return cls.new(file)
        private = load_pem_private_key(file.read_bytes(), password=None)
        assert isinstance(private, RSAPrivateKey)
        return cls(private)

    @classmethod
    def new(cls, file: Path | None) -> SigningKey:
        private = generate_private_key(public_exponent=65_537, key_size=2_048)
        if file is not None:
            draft = file.with_suffix(".draft")
            draft.touch(mode=0o600)
            spelled = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            draft.write_bytes(spelled)
            draft.replace(file)
        return cls(private)

    def jwk(self) -> dict[str, Any]:
        spelled = RSAAlgorithm.to_jwk(self._public, as_dict=True)
        told = {name: spelled[name] for name in ("kty", "n", "e")}
        return {**told, "kid": self.kid, "alg": "RS256", "use": "sig"}

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWT of any claims at all: a test may want a malformed one."""
        header = {"kid": self.kid, "typ": "JWT"}
        return jwt.PyJWS().encode(json.dumps(claims).encode(), self._private, "RS256", header)

    def claims(self, token: str, domain: str) -> dict[str, Any] | None:
        """What a token of ours for `domain` says, expired or not; None for any other."""
        try:
            said: dict[str, Any] = jwt.decode(
                token,
                self._public,
                algorithms=["RS256"],
                audience=domain,
                issuer=ISSUER,
                options=TIMELESS,
            )
        except jwt.InvalidTokenError:
            return None
        return said if isinstance(said["exp"], int) else None


def _file(call: Call) -> Path | None:
    folder = call.journal.folder
    return folder / "farcaster.pem" if folder else None


def _refused(status: int, code: str, message: str) -> Answer:
    return Answer.json(status, {"error": code, "error_message": message})
