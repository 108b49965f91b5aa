"""Signing in as anybody, in development only (`contract.md` §2)."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from api import siws
from api.body import Body, read_body
from api.deps import parts_of
from api.problems import NotFound
from api.routes.auth import ADDRESS, SIGNED_IN
from api.sessions import run, start_session
from api.sign_in import MalformedMessage
from api.speech import told
from api.tokens import SCOPES, SIGN_IN_LASTS_S
from commands.passes import OpenPass

router = APIRouter(prefix="/auth", tags=["sign-in"])

DEV_LASTS_MAX_S = 31 * 24 * 3600
_evm = re.compile(r"0x[0-9a-fA-F]{40}")


def _words(value: str) -> str:
    """Scope words, each once; an empty scope opens nothing."""
    words = list(dict.fromkeys(value.split()))
    if unknown := sorted(set(words) - set(SCOPES)):
        raise ValueError(f"unknown scope {unknown[0]}; known: {' '.join(SCOPES)}")
    return " ".join(words)


def _identity(value: Any) -> str:
    """A wallet as `"0x…"`, `"<solana address>"` or `{kind, address}`, as the identity it is."""
    kind, address = None, value
    if isinstance(value, dict) and value.keys() == {"kind", "address"}:
        kind, address = value["kind"], value["address"]
    if isinstance(address, str) and kind in (None, "evm") and _evm.fullmatch(address):
        return f"eip155:{address.lower()}"
    if isinstance(address, str) and kind in (None, "solana") and _on_solana(address):
        return f"solana:{address}"
    raise ValueError("must be an EVM or Solana address, or {kind: evm|solana, address}")


def _on_solana(address: str) -> bool:
    try:
        return bool(siws.address(address))
    except MalformedMessage:
        return False


_few = Field(max_length=20, strict=False)


class DevSignIn(Body):
    """`expires_in` in seconds, at most 31 days."""

    user_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@+-]{1,120}$")]
    fid: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    wallets: Annotated[tuple[Annotated[str, BeforeValidator(_identity)], ...], _few] = ()
    scope: Annotated[str, StringConstraints(max_length=100), AfterValidator(_words)] = "user"
    expires_in: Annotated[int, Field(ge=1, le=DEV_LASTS_MAX_S)] = SIGN_IN_LASTS_S


@router.post(
    "/dev",
    **told(
        "Sign in as anybody, in development only",
        body=DevSignIn,
        example={"user_id": "ada", "wallets": [ADDRESS], "scope": "user auditor"},
        answers={200: {**SIGNED_IN, "pass_id": "pass:user:ada"}},
        problems=(404, 413, 422, 429, 503),
        signed_in=False,
    ),
)
async def sign_in_for_development(request: Request) -> Response:
    if not parts_of(request).dev:
        raise NotFound()
    body = await read_body(request, DevSignIn)
    fid = () if body.fid is None else (f"fid:{body.fid}",)
    opening = OpenPass(
        new_pass_id=f"pass:user:{body.user_id}",
        identities=tuple(dict.fromkeys((*fid, *body.wallets))),
    )
    outcome = await run(request, opening)
    return start_session(request, outcome, scope=body.scope, lasts_s=body.expires_in)
