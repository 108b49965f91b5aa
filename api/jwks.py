"""Tokens of those who sign people in elsewhere: judged by the public keys that they publish.

What is the same for every such host (a JWKS behind a URL, RS256, one audience) is here; whose name
a token proves is for each to say: `farcaster.py`, `google.py`. Spec `providers.md` §9.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import jwt
import orjson
import structlog
from jwt.types import Options
from jwt.utils import base64url_decode

from api.problems import Invalid, Unauthenticated
from domain.event import Refused

ALGORITHM = "RS256"
TOKEN_CHARS_MAX = 4_096
SKEW_S = 60
GRACE_S = 3_600
FRESH_S = 300  # where Cache-Control says nothing
FRESH_MAX_S = 24 * 3_600
PAUSE_S = 0.5
LEFT_ALONE_S = 10.0
TIMEOUT_S = 3.0
ANSWER_BYTES_MAX = 64 * 1024

# PyJWT would refuse a `sub` that is a number, as Quick Auth's is. `iat` is judged here instead.
OPTIONS: Options = {
    "require": ["iss", "aud", "exp", "sub"],
    "strict_aud": True,
    "verify_sub": False,
    "verify_iat": False,
}
WHY: dict[type[Exception], str] = {
    jwt.ExpiredSignatureError: "(it has expired)",
    jwt.InvalidAudienceError: "(it is for somebody else)",
    jwt.InvalidIssuerError: "(it is not from {name})",
    jwt.InvalidSignatureError: "(its signature is not {name}'s)",
}
_form = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)
_max_age = re.compile(r"(?:^|[\s,])max-age=\"?(\d{1,10})", re.IGNORECASE)

log = structlog.get_logger()


class MalformedToken(Invalid):
    """This is not a JSON Web Token."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs: what `iss` may say, and what is raised for a token that is not good, and while
    none of the keys can be had."""

    name: str
    says: tuple[str, ...]
    refused: type[Unauthenticated]
    silent: type[Refused]


class Keys:
    """The public keys at `url`, asked for when one is needed. `clock` gives seconds.

    They count for as long as their Cache-Control says and, when the host cannot be asked, for
    `GRACE_S` more. A key that is not among them is asked for once, at most every `PAUSE_S`.
    """

    def __init__(
        self,
        url: str,
        client: httpx.AsyncClient,
        issuer: Issuer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._client, self._clock = url, client, clock
        self.issuer = issuer
        self._keys: list[jwt.PyJWK] = []
        self._fresh_until = self._kept_until = self._asked_at = float("-inf")
        self._turn = asyncio.Lock()

    async def named(self, kid: str | None) -> jwt.PyJWK:
        """The key of this id, or the only key for a token that names none.

        Raises the issuer's `refused` when there is no such key, its `silent` when none is known.
        """
        since = self._clock()
        if since >= self._fresh_until or not self._found(kid):
            await self._refresh(since)
        if self._clock() >= self._kept_until:
            self._keys = []
            raise self.issuer.silent()
        found = self._found(kid)
        if len(found) != 1:
            raise self.issuer.refused(f"(the key that signed it is not {self.issuer.name}'s)")
        return found[0]

    def _found(self, kid: str | None) -> list[jwt.PyJWK]:
        return [key for key in self._keys if kid in (None, key.key_id)]

    async def _refresh(self, since: float) -> None:
        """Asks for the keys, unless another caller has asked after `since`. Callers get a turn."""
        async with self._turn:
            if self._asked_at > since:
                return
            await asyncio.sleep(self._asked_at + PAUSE_S - self._clock())
            self._asked_at = self._clock()
            try:
                keys, fresh_s = await self._ask()
            except (httpx.HTTPError, TimeoutError, ValueError, jwt.PyJWTError) as error:
                why = f"{type(error).__name__}: {error}"[:200]
                log.warning("keys_not_told", whose=self.issuer.name, why=why)
                self._fresh_until = self._clock() + LEFT_ALONE_S
                return
            self._keys = keys
            self._fresh_until = self._clock() + fresh_s
            self._kept_until = self._fresh_until + GRACE_S

    async def _ask(self) -> tuple[list[jwt.PyJWK], float]:
        """The keys that may sign, and the seconds for which they are fresh."""
        body = bytearray()
        async with asyncio.timeout(TIMEOUT_S), self._client.stream("GET", self._url) as answer:
            answer.raise_for_status()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > ANSWER_BYTES_MAX:
                    raise ValueError(f"the answer is over {ANSWER_BYTES_MAX} bytes")
        told = jwt.PyJWKSet.from_dict(_object(bytes(body)))
        keys = [key for key in told if key.algorithm_name == ALGORITHM]
        if not keys:
            raise ValueError(f"the answer has no key for {ALGORITHM}")
        return keys, _fresh_s(answer.headers.get("cache-control", ""))


async def proven_claims(token: str, keys: Keys, audience: str, at: datetime) -> dict[str, Any]:
    """What a good token for `audience` says. It expires by the real clock, as every token does, and
    was issued by `at`, the application's.

    Raises MalformedToken, the issuer's `refused`, or its `silent` when only the keys could tell.
    """
    issuer = keys.issuer
    header = read_header(token)
    if header.get("alg") != ALGORITHM:
        raise issuer.refused(f"(it is not signed by {ALGORITHM})")
    key = await keys.named(header.get("kid"))
    try:
        said: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=issuer.says,
            options=OPTIONS,
        )
    except jwt.PyJWTError as error:
        why = WHY.get(type(error), "(its claims are not {name}'s)")
        raise issuer.refused(why.format(name=issuer.name)) from None
    issued = said.get("iat", 0)
    if not isinstance(issued, int | float) or issued > at.timestamp() + SKEW_S:
        raise issuer.refused("(it was issued in the future)")
    return said


def read_header(token: str) -> dict[str, Any]:
    """The unproven header of a token; raises MalformedToken unless both its parts are objects."""
    if len(token) > TOKEN_CHARS_MAX or not _form.fullmatch(token):
        raise MalformedToken(("token", "must be three parts in base64url with dots between"))
    try:
        header, _ = (_object(base64url_decode(part)) for part in token.split(".")[:2])
    except ValueError:
        raise MalformedToken(("token", "its header and claims must be JSON objects")) from None
    if not isinstance(header.get("kid", ""), str):
        raise MalformedToken(("token", "its key id must be a text"))
    return header


@asynccontextmanager
async def open_keys(url: str, issuer: Issuer) -> AsyncIterator[Keys]:
    """Keys with a client of their own, closed at the end."""
    async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client:
        yield Keys(url, client, issuer)


def _object(raw: bytes) -> dict[str, Any]:
    value = orjson.loads(raw)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _fresh_s(cache_control: str) -> float:
    found = _max_age.search(cache_control)
    return min(float(found[1]), FRESH_MAX_S) if found else FRESH_S
