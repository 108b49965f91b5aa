"""What signers of ID tokens have in common: an RSA key that outlives the process, the set that
shows it, and tokens for whoever asks, where a person would sign in.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from jwt.algorithms import RSAAlgorithm
from pydantic import BaseModel, ConfigDict

from embedded.twins.script import parse
from embedded.twins.wire import Answer, Call

TOKEN_LASTS_S = 3600


class Wanted(BaseModel):
    """`claims` replace those of a good token; null leaves one out."""

    model_config = ConfigDict(strict=True, extra="forbid")

    claims: dict[str, Any] = {}


class Rotation(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    rotate: Literal[True]


class Signer:
    """The key of one twin, in `<name>.pem` beside its journal when that is on disk."""

    def __init__(self) -> None:
        self._key: SigningKey | None = None

    def key(self, call: Call) -> SigningKey:
        self._key = self._key or SigningKey.kept(_file(call))
        return self._key

    def shown(self, call: Call, cache_control: str) -> Answer:
        """The JWK set: one key."""
        return Answer.json(200, {"keys": [self.key(call).jwk()]}, cache_control=cache_control)

    def control(self, call: Call, good_claims: Callable[[Call], dict[str, Any]]) -> Answer | None:
        """`POST /_twin/token {claims}` → `{token}`; `POST /_twin/keys {rotate: true}` → `{kid}`:
        from now on only the new key signs and is shown."""
        match call.method, call.path:
            case "POST", "/_twin/token":
                said = {**good_claims(call), **parse(Wanted, call.body).claims}
                claims = {name: value for name, value in said.items() if value is not None}
                return Answer.json(200, {"token": self.key(call).sign(claims)})
            case "POST", "/_twin/keys":
                parse(Rotation, call.body)
                self._key = SigningKey.new(_file(call))
                return Answer.json(200, {"kid": self._key.kid})
        return None


class SigningKey:
    """An RSA key; it lies in `file`, when there is one, and so survives the process."""

    def __init__(self, private: RSAPrivateKey) -> None:
        self._private = private
        self.public: RSAPublicKey = private.public_key()
        spelled = self.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
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
        spelled = RSAAlgorithm.to_jwk(self.public, as_dict=True)
        told = {name: spelled[name] for name in ("kty", "n", "e")}
        return {**told, "kid": self.kid, "alg": "RS256", "use": "sig"}

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWT of any claims at all: a test may want a malformed one."""
        header = {"kid": self.kid, "typ": "JWT"}
        return jwt.PyJWS().encode(json.dumps(claims).encode(), self._private, "RS256", header)


def lifetime(call: Call) -> dict[str, int]:
    """`iat` and `exp` of a token issued now, by the twin's clock."""
    now = int(call.journal.now().timestamp())
    return {"iat": now, "exp": now + TOKEN_LASTS_S}


def _file(call: Call) -> Path | None:
    folder = call.journal.folder
    return folder / f"{call.journal.name}.pem" if folder else None
