"""Access tokens: JWTs of one algorithm a deployment, verified once and then remembered.

Claims: `sub` pass id, `scope` words, `iat`, `exp` (real clock), `jti`; `use: "socket"` marks the
single-use tokens of sockets, which open nothing else and name the session they were made in, by
`sid` and `until`. `contract.md` §1, Auth.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from api.problems import Unauthenticated
from settings import Settings, SettingsError

REMEMBERED_MAX = 10_000
TOKEN_BYTES_MAX = 4_096
SCOPES = ("user", "service", "auditor", "admin")
SIGN_IN_LASTS_S = 24 * 3600
SOCKET_LASTS_S = 60


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good token says. `token_id` is its `jti`, or a digest of a token without one;
    `session_id` is the same, but for a socket token that of the token it was made with. The token
    itself is good until `expires_at`, its session until `until`."""

    pass_id: str
    scopes: frozenset[str]
    token_id: str
    expires_at: int
    session_id: str
    until: int
    use: str = ""


class Tokens:
    """Issues and verifies. `clock` gives real unix seconds."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._alg = settings.mega_jwt_alg
        if settings.mega_jwt_key is None:
            raise SettingsError("The setting MEGA_JWT_KEY is missing.")
        self._sign, self._verify = _keys(self._alg, settings.mega_jwt_key.get_secret_value())
        self._clock = clock
        self._good: OrderedDict[bytes, Claims] = OrderedDict()

    def issue(
        self, pass_id: str, scope: str = "user", *, lasts_s: int = SIGN_IN_LASTS_S, **more: Any
    ) -> str:
        """A signed token; `scope` holds words separated by spaces, `more` are further claims."""
        now = int(self._clock())
        claims: dict[str, Any] = {
            "sub": pass_id,
            "scope": scope,
            "iat": now,
            "exp": now + lasts_s,
            "jti": uuid4().hex,
            **more,
        }
        return jwt.encode(claims, self._sign, algorithm=self._alg)

    def verify(self, token: str) -> Claims:
        """The claims of a token that is ours and has not expired; else Unauthenticated."""
        if len(token) > TOKEN_BYTES_MAX:
            raise Unauthenticated()
        digest = sha256(token.encode("utf-8", "surrogatepass")).digest()
        claims = self._good.get(digest)
        if claims is None:
            claims = self._read(token, digest)
            self._good[digest] = claims
            if len(self._good) > REMEMBERED_MAX:
                self._good.popitem(last=False)
        if claims.expires_at <= self._clock():
            self._good.pop(digest, None)
            raise Unauthenticated()
        return claims

    def _read(self, token: str, digest: bytes) -> Claims:
        wanted = {"require": ["sub", "exp", "scope"], "verify_exp": False, "verify_aud": False}
        try:
            said = jwt.decode(token, self._verify, algorithms=[self._alg], options=wanted)  # type: ignore[arg-type]
        except (jwt.InvalidTokenError, ValueError):
            raise Unauthenticated() from None
        scope, jti = said["scope"], said.get("jti", digest.hex())
        exp, use = said["exp"], said.get("use", "")
        texts = all(isinstance(text, str) for text in (scope, jti, use))
        if not texts or isinstance(exp, bool) or not isinstance(exp, int | float):
            raise Unauthenticated()
        scopes, sid, until = frozenset(scope.split()), jti, int(exp)
        if use == "socket":
            sid, until = str(said.get("sid", jti)), int(said.get("until", until))
        return Claims(said["sub"], scopes, jti, int(exp), sid, until, use)


def _keys(alg: str, key: str) -> tuple[Any, Any]:
    """(key to sign with, key to verify with)"""
    if alg == "HS256":
        if len(key.encode()) < 32:
            raise SettingsError("The setting MEGA_JWT_KEY is malformed: HS256 needs 32 bytes.")
        return key, key
    try:
        private = load_pem_private_key(key.replace("\\n", "\n").encode(), password=None)
    except ValueError:
        raise SettingsError("The setting MEGA_JWT_KEY is malformed: must be a PEM key.") from None
    return private, private.public_key()
