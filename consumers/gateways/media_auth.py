"""How a provider of a config row is shown who asks. A way that no header template can say is a
small strategy here, and `auth` of the row names it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

import jwt

from consumers.gateways.ports import WillNotWork
from consumers.gateways.web import Key, Reply
from domain.providers import Auth, Bearer, Header, KlingJwt, NoAuth

JWT_LIFE = timedelta(minutes=30)
JWT_EARLIER = timedelta(seconds=5)
CLOCK_CODES = ("1003", "1004")  # not valid yet, not valid any more

KLING_ACCESS, KLING_SECRET = "kling_access", "kling_secret"


class Proof(Protocol):
    """`secrets` never appear in what is written down about a call."""

    secrets: tuple[str, ...]

    def headers(self) -> dict[str, str]: ...

    def learns(self, reply: Reply, code: str) -> bool:
        """Whether the same call may work now, because of what its refusal told."""
        ...


class KeyProof:
    """A key in a header, or none at all."""

    def __init__(self, key: Key | None) -> None:
        self._headers = key.headers() if key else {}
        self.secrets: tuple[str, ...] = (key.secret,) if key else ()

    def headers(self) -> dict[str, str]:
        return self._headers

    def learns(self, reply: Reply, code: str) -> bool:
        return False


class KlingProof:
    """A JWT a call; a vendor whose clock differs is believed its `Date` (`providers.md` §3, 6)."""

    def __init__(
        self,
        access_key: str,
        secret_key: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._access_key = access_key
        self._secret_key = secret_key
        self._now = now
        self._ahead = timedelta()
        self.secrets: tuple[str, ...] = (secret_key,)

    def headers(self) -> dict[str, str]:
        now = self._now() + self._ahead
        times = {
            "exp": int((now + JWT_LIFE).timestamp()),
            "nbf": int((now - JWT_EARLIER).timestamp()),
        }
        token = jwt.encode({"iss": self._access_key, **times}, self._secret_key, "HS256")
        return {"Authorization": f"Bearer {token}"}

    def learns(self, reply: Reply, code: str) -> bool:
        try:
            theirs = parsedate_to_datetime(reply.headers.get("date", ""))
        except ValueError:
            return False
        if reply.status != 401 or code not in CLOCK_CODES or theirs.tzinfo is None:
            return False
        self._ahead = theirs - self._now()
        return True


def proof_of(auth: Auth, vendor: str, keys: Mapping[str, str]) -> Proof:
    """WillNotWork (invalid) when there is no such key."""
    match auth:
        case Bearer():
            return KeyProof(Key(vendor, _key(keys, auth.key, vendor)))
        case Header():
            secret = _key(keys, auth.key, vendor)
            return KeyProof(Key(vendor, secret, header=auth.name, scheme=auth.prefix))
        case KlingJwt():
            access_key, secret_key = (
                _key(keys, one, vendor) for one in (KLING_ACCESS, KLING_SECRET)
            )
            return KlingProof(access_key, secret_key)
        case NoAuth():
            return KeyProof(None)


def key_names(auth: Auth) -> tuple[str, ...]:
    """The names of the keys that it takes."""
    match auth:
        case Bearer() | Header():
            return (auth.key,)
        case KlingJwt():
            return KLING_ACCESS, KLING_SECRET
    return ()


def _key(keys: Mapping[str, str], name: str, vendor: str) -> str:
    if not keys.get(name):
        raise WillNotWork(f"{vendor}: there is no key called {name}")
    return keys[name]
