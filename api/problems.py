"""How the API says no: one table from refusals to RFC 9457 problems (`contract.md` §1, Errors).

A refusal's docstring is what the caller reads. What is not in the table is a bug, and answers 500
without particulars; the log has them.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
import psycopg
import structlog
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.level_problems import LEVEL_TABLE
from api.payment_problems import PAYMENT_TABLE
from api.pfp_problems import PFP_TABLE
from api.shop_problems import SHOP_TABLE
from api.sign_in_problems import SIGN_IN_TABLE
from api.studio_problems import STUDIO_TABLE
from api.upload_problems import UPLOAD_TABLE
from commands.characters import NotPaid
from commands.command import AnswerErased, KeyReused, TooBusy
from commands.orders import WalletRequired
from commands.passes import NonceUsed
from domain.character import NothingToRetry
from domain.event import Refused
from domain.order import NotOffered, TooManyClaims, TooManySteps
from domain.otp import OtpTooSoon
from domain.passes import TooManyIdentities
from domain.roles import UnknownRole
from ledger.errors import LedgerUnavailable

log = structlog.get_logger()


class Unauthenticated(Refused):
    """Sign in first: the token is missing, malformed, expired or ended."""


class Forbidden(Refused):
    """Your token does not have the scope for this."""


class NotFound(Refused):
    """There is nothing here that belongs to you."""


class MethodNotAllowed(Refused):
    """This path exists, but not with this method."""


class TooLarge(Refused):
    """The body is larger than 1 MiB."""


class InProgress(Refused):
    """The first request with this Idempotency-Key is still running; ask again."""


class ProjectionBehind(Refused):
    """What you wrote is recorded but not yet shown; ask again."""


class ChainSilent(Refused):
    """The chain cannot be asked right now; nothing was recorded. Ask again."""


class FarcasterSilent(Refused):
    """The keys of Farcaster cannot be asked right now; nothing was recorded. Ask again."""


class FarcasterNotSetUp(Refused):
    """Sign-in with Farcaster is not set up here: the setting MEGA_FARCASTER_JWKS_URL is missing."""


class Limited(Refused):
    """Too many requests; ask again later."""

    def __init__(self, after_s: int) -> None:
        super().__init__()
        self.after_s = after_s


class Invalid(Refused):
    """The request is malformed."""

    def __init__(self, *fields: tuple[str, str]) -> None:
        """`fields`: the place of each mistake, such as `body.role`, and what is wrong there."""
        super().__init__()
        self.fields = fields

    def of_seed_004(self, request: Request) -> bool:
        """Its routes call a malformed request 400; what a query asks is ours, and 422 everywhere
        (`contract.md` §1, Errors and Time travel)."""
        asked = any(name.partition(".")[0] == "query" for name, _ in self.fields)
        path = request.url.path
        return path.startswith("/api/") and not path.startswith("/api/nft/") and not asked


# class of refusal → status, code, seconds after which asking again makes sense
TABLE: dict[type[Exception], tuple[int, str, int | None]] = {
    Unauthenticated: (401, "UNAUTHENTICATED", None),
    NonceUsed: (401, "UNAUTHENTICATED", None),
    Forbidden: (403, "FORBIDDEN", None),
    NotFound: (404, "NOT_FOUND", None),
    MethodNotAllowed: (405, "METHOD_NOT_ALLOWED", None),
    InProgress: (409, "IN_PROGRESS", 1),
    WalletRequired: (409, "WALLET_REQUIRED", None),
    NotOffered: (409, "NOT_OFFERED", None),
    NothingToRetry: (409, "NOT_OFFERED", None),
    TooManyClaims: (409, "TOO_MANY_CLAIMS", None),
    TooManySteps: (409, "TOO_MANY_STEPS", None),
    NotPaid: (409, "NOT_OFFERED", None),
    TooManyIdentities: (409, "TOO_MANY_IDENTITIES", None),
    TooLarge: (413, "BODY_TOO_LARGE", None),
    Invalid: (422, "INVALID_REQUEST", None),
    UnknownRole: (422, "UNKNOWN_ROLE", None),
    AnswerErased: (410, "ERASED", None),
    KeyReused: (422, "IDEMPOTENCY_KEY_REUSED", None),
    Limited: (429, "RATE_LIMITED", None),
    ProjectionBehind: (503, "PROJECTION_BEHIND", 1),
    ChainSilent: (503, "CHAIN_UNAVAILABLE", 2),
    FarcasterSilent: (503, "FARCASTER_UNAVAILABLE", 2),
    FarcasterNotSetUp: (503, "FARCASTER_NOT_SET_UP", None),
    TooBusy: (503, "TOO_BUSY", 1),
    LedgerUnavailable: (503, "LEDGER_UNAVAILABLE", 1),
    PoolTimeout: (503, "LEDGER_UNAVAILABLE", 1),
    psycopg.OperationalError: (503, "LEDGER_UNAVAILABLE", 1),
    **PAYMENT_TABLE,
    **PFP_TABLE,
    **LEVEL_TABLE,
    **SHOP_TABLE,
    **UPLOAD_TABLE,
    **STUDIO_TABLE,
    **SIGN_IN_TABLE,
}
DOWN = (
    "The ledger cannot be reached. Ask again with the same Idempotency-Key: nothing is done twice."
)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    headers: dict[str, str] | None = None,
    **members: Any,
) -> Response:
    """A problem body; `members` are further members of it, such as `fields`."""
    body = {
        "type": f"/docs/problems#{code.lower()}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "success": False,
        "error": {"code": code, "message": detail},
        **members,
    }
    return Response(orjson.dumps(body), status, headers, "application/problem+json")


async def refused(request: Request, error: Exception) -> Response:
    """Translates a refusal, or the ledger being away, by the table."""
    known = next((TABLE[cls] for cls in type(error).__mro__ if cls in TABLE), None)
    if known is None:
        return problem(409, "REFUSED", _sentence(error))
    status, code, after_s = known
    if isinstance(error, Invalid) and error.of_seed_004(request):
        status = 400
    members: dict[str, Any] = dict(getattr(error, "members", {}))
    if isinstance(error, Invalid):
        members["fields"] = [{"field": name, "message": why} for name, why in error.fields]
    if isinstance(error, Limited | OtpTooSoon):
        after_s = error.after_s
    headers = {} if after_s is None else {"Retry-After": str(after_s)}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(status, code, _sentence(error), headers=headers, **members)


async def spoken_by_framework(request: Request, error: Exception) -> Response:
    """404 and 405 of the router itself."""
    assert isinstance(error, HTTPException)
    said: dict[int, Refused] = {404: NotFound(), 405: MethodNotAllowed()}
    answer = await refused(request, said.get(error.status_code, Invalid()))
    answer.headers.update(error.headers or {})
    return answer


async def crashed(request: Request, error: Exception) -> Response:
    """A bug. The caller learns that it is ours, the log learns what it is."""
    log.error("request_crashed", path=request.url.path, exc_info=error)
    return problem(500, "INTERNAL", "This is our mistake; it is recorded. Ask again.")


def _sentence(error: Exception) -> str:
    return error.sentence if isinstance(error, Refused) else DOWN
