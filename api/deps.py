"""What a route needs: its parts, who asks, what is asked, and how to answer.

The order of checks (`contract.md` §1) is the order in which a route calls these: `signed_in` (401,
403), ownership (404), `read_body` (422), then `write` (idempotency key, business).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256
from typing import Any, cast
from urllib.parse import urlsplit

import orjson
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from api.body import canonical
from api.parts import Parts
from api.principal import Principal
from api.problems import InProgress, Invalid, Unauthenticated
from api.tokens import SIGN_IN_LASTS_S, Claims
from commands.command import Command, Context, Outcome, handle, kept_outcome
from commands.passes import BurnNonce, NonceUsed
from tracking_log import tell

COOKIE = "mega_session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PAYMENT_HEADERS = ("payment-signature", "x-payment")
_key = re.compile(r"[\x21-\x7e]{1,255}")


def parts_of(request: HTTPConnection) -> Parts:
    return cast(Parts, request.app.state.parts)


# Who asks.


def signed_in(request: HTTPConnection, *scopes: str) -> Principal:
    """The caller, who must hold one of `scopes` (none named: any token will do)."""
    parts = parts_of(request)
    claims = parts.tokens.verify(_token(request, parts))
    if claims.use:
        raise Unauthenticated()
    return _known(request, parts, claims, scopes)


async def signed_in_to_socket(request: HTTPConnection, *scopes: str) -> Principal:
    """Like `signed_in`, and `?token=` is taken too: once, from /auth/socket-token. The principal
    has the session that the token was made in."""
    token = request.query_params.get("token")
    if token is None:
        return signed_in(request, *scopes)
    parts = parts_of(request)
    claims = parts.tokens.verify(token)
    if claims.use != "socket":
        raise Unauthenticated()
    try:
        await handle(parts.ledger, BurnNonce(nonce=claims.token_id), context(request))
    except NonceUsed:
        raise Unauthenticated() from None
    return _known(request, parts, claims, scopes)


def _known(
    request: HTTPConnection, parts: Parts, claims: Claims, scopes: tuple[str, ...]
) -> Principal:
    who = parts.directory.principal(claims)
    parts.limits.principal.take(who.pass_id)
    return who.must(*scopes) if scopes else who


def _token(request: HTTPConnection, parts: Parts) -> str:
    said = request.headers.get("authorization")
    if said is not None:
        kind, _, token = said.partition(" ")
        if kind.lower() != "bearer":
            raise Unauthenticated()
        return token.strip()
    cookie = request.cookies.get(COOKIE)
    if cookie is None or not (_safe(request) or _same_site(request, parts)):
        raise Unauthenticated()
    return cookie


def from_elsewhere(request: HTTPConnection) -> bool:
    """Whether a browser says that a foreign page is asking."""
    if "origin" in request.headers:
        return not _same_site(request, parts_of(request))
    return request.headers.get("sec-fetch-site") == "cross-site"


def _safe(request: HTTPConnection) -> bool:
    """A foreign page may ask, because it cannot read the answer; of a socket it could."""
    return request.scope["type"] == "http" and request.scope["method"] in SAFE


def _same_site(request: HTTPConnection, parts: Parts) -> bool:
    """Whether a browser says that the page asking is ours or an allowed one."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site") in ("same-origin", "same-site")
    if origin in parts.settings.mega_cors_origins:
        return True
    try:
        host = urlsplit(origin).netloc
    except ValueError:  # no URL at all
        return False
    return host in (parts.settings.mega_public_host, request.headers.get("host"))


def set_session(response: Response, parts: Parts, token: str, lasts_s: int) -> None:
    """The cookie that every sign-in sets; `lasts_s` 0 takes it away."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=min(lasts_s, SIGN_IN_LASTS_S * 365),
        path="/",
        httponly=True,
        secure=not parts.dev,
        samesite="lax",
    )


# What is asked.


def context(request: HTTPConnection, who: Principal | None = None, **more: str) -> Context:
    """The context of a command that this request leads to."""
    return Context(
        at=parts_of(request).clock.now(),
        correlation_id=request.state.correlation_id,
        causation_id=f"request:{request.state.request_id}",
        by=who.pass_id if who else "",
        **more,
    )


async def write(request: Request, who: Principal, command: Command) -> Response:
    """Handles a command under the request's Idempotency-Key and answers with its outcome."""
    async with underway(request, who):
        return answered(await recorded(request, who, command))


@asynccontextmanager
async def underway(request: Request, who: Principal) -> AsyncIterator[None]:
    """Around the work of a request: InProgress for another one with the same key."""
    parts, key = parts_of(request), key_hash(request, who)
    if key in parts.running:
        raise InProgress()
    if key:
        parts.running.add(key)
    try:
        yield
    finally:
        parts.running.discard(key)


Handling = Callable[[Command, Context], Awaitable[Outcome]]


async def recorded(
    request: Request, who: Principal, command: Command, handling: Handling | None = None
) -> Outcome:
    """The outcome of a command under the request's key; the first one again for a known key."""
    parts = parts_of(request)
    handling = handling or partial(handle, parts.ledger)
    outcome = await handling(command, _keyed(request, who))
    parts.directory.learn(outcome.events)
    tell(outcome)
    return outcome


async def recorded_before(request: Request, who: Principal) -> Outcome | None:
    """The outcome that was kept with the request's key, None when there is none."""
    keyed = _keyed(request, who)
    return await kept_outcome(parts_of(request).ledger, keyed) if keyed.key else None


def _keyed(request: Request, who: Principal) -> Context:
    key = key_hash(request, who)
    return context(request, who, key=key, request_hash=_request_hash(request) if key else "")


def key_hash(request: Request, who: Principal) -> str:
    """Names the request's Idempotency-Key within its scope; empty without one."""
    said = request.headers.get("idempotency-key")
    if said is None:
        return ""
    if not _key.fullmatch(said):
        raise Invalid(("Idempotency-Key", "1 to 255 visible ASCII characters"))
    scope = "\n".join((who.pass_id, request.method, request.url.path, said))
    return sha256(scope.encode()).hexdigest()


def _request_hash(request: Request) -> str:
    paid = "\n".join(request.headers.get(name, "") for name in PAYMENT_HEADERS)
    return sha256(canonical(request.state.json) + b"\n" + paid.encode()).hexdigest()


# How to answer.


def spoken(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, "application/json")


def answered(outcome: Outcome, body: Any = None) -> Response:
    """The answer of a command, with the position that a reader may wait for; `body` in its place.

    Names are sorted, because the database does not keep their order for a replay.
    """
    headers = {"X-Ledger-Position": str(outcome.position)}
    if outcome.replayed:
        headers["Idempotent-Replayed"] = "true"
    said = orjson.dumps(body or outcome.answer.body, option=orjson.OPT_SORT_KEYS)
    return Response(said, outcome.answer.status, headers, "application/json")
