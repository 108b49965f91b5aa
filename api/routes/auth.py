"""Signing in, linking and leaving (`contract.md` §2). Idempotency keys are ignored here."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from api import siws
from api.body import Body, NoBody, read_body
from api.deps import answered, parts_of, set_session, signed_in, spoken
from api.problems import NotFound
from api.sessions import (
    FarcasterProof,
    Proof,
    SiweProof,
    SiwsProof,
    anonymous_guest,
    identify,
    new_anonymous_id,
    prove,
    prove_fid,
    prove_solana_wallet,
    prove_wallet,
    run,
    seconds_left,
    start_session,
)
from api.sign_in import MalformedMessage
from api.speech import told
from api.tokens import SCOPES, SIGN_IN_LASTS_S, SOCKET_LASTS_S
from commands.passes import EndSession, OpenPass

router = APIRouter(prefix="/auth", tags=["sign-in"])

DEV_LASTS_MAX_S = 31 * 24 * 3600
_evm = re.compile(r"0x[0-9a-fA-F]{40}")

ADDRESS = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
MESSAGE = (
    f"localhost wants you to sign in with your Ethereum account:\n{ADDRESS}\n\n\n"
    "URI: http://localhost:8000\nVersion: 1\nChain ID: 8453\nNonce: 0a1b2c3d4e5f\n"
    "Issued At: 2026-01-01T00:00:00Z"
)
SIWE = {"message": MESSAGE, "signature": "0x" + "1b" * 65}
SOLANA_ADDRESS = "ExBdaqFDEqkUZHBKkJ9pPjKeMnR6foBiHkPRACg8kwwV"
SOLANA_MESSAGE = (
    f"localhost wants you to sign in with your Solana account:\n{SOLANA_ADDRESS}\n\n"
    "URI: http://localhost:8000\nVersion: 1\nChain ID: mainnet\nNonce: 0a1b2c3d4e5f\n"
    "Issued At: 2026-01-01T00:00:00Z"
)
SIWS = {"address": SOLANA_ADDRESS, "message": SOLANA_MESSAGE, "signature": "3" * 87}
FARCASTER = {"token": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOjY4NDF9.c2ln"}
SIGNED_IN = {
    "access_token": "eyJ…",
    "expires_in": SIGN_IN_LASTS_S,
    "pass_id": f"pass:user:eip155:{ADDRESS.lower()}",
}


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
    "/nonce",
    **told(
        "A nonce for one sign-in message, good for ten minutes",
        body=NoBody,
        example={},
        answers={200: {"nonce": "5f0c"}},
        problems=(422, 429),
        signed_in=False,
    ),
)
async def nonce(request: Request) -> Response:
    await read_body(request, NoBody)
    parts = parts_of(request)
    return spoken({"nonce": parts.nonces.issue(parts.clock.now())})


@router.post(
    "/siwe",
    **told(
        "Sign in with an Ethereum wallet (EIP-4361)",
        body=SiweProof,
        example=SIWE,
        answers={200: SIGNED_IN},
        problems=(401, 413, 422, 429, 503),
        signed_in=False,
    ),
)
async def sign_in_with_ethereum(request: Request) -> Response:
    proof = await read_body(request, SiweProof)
    identity = await prove_wallet(request, proof)
    outcome = await identify(request, identity, anonymous_guest(request), guest=True)
    return start_session(request, outcome)


@router.post(
    "/siws",
    **told(
        "Sign in with a Solana wallet",
        body=SiwsProof,
        example=SIWS,
        answers={200: {**SIGNED_IN, "pass_id": f"pass:user:solana:{SOLANA_ADDRESS}"}},
        problems=(401, 413, 422, 429, 503),
        signed_in=False,
    ),
)
async def sign_in_with_solana(request: Request) -> Response:
    proof = await read_body(request, SiwsProof)
    identity = await prove_solana_wallet(request, proof)
    outcome = await identify(request, identity, anonymous_guest(request), guest=True)
    return start_session(request, outcome)


@router.post(
    "/farcaster",
    **told(
        "Sign in with a token of Farcaster Quick Auth",
        body=FarcasterProof,
        example=FARCASTER,
        answers={200: {**SIGNED_IN, "pass_id": "pass:user:fid:6841"}},
        problems=(401, 413, 422, 429, 503),
        signed_in=False,
    ),
)
async def sign_in_with_farcaster(request: Request) -> Response:
    proof = await read_body(request, FarcasterProof)
    identity = await prove_fid(request, proof)
    outcome = await identify(request, identity, anonymous_guest(request), guest=True)
    return start_session(request, outcome)


@router.post(
    "/anonymous",
    **told(
        "A pass of one's own without any proof",
        body=NoBody,
        example={},
        answers={200: {**SIGNED_IN, "pass_id": "pass:anon:5b1f1c0e-8f0f-4a63-9c56-0d6d1f6f5a10"}},
        problems=(422, 429, 503),
        signed_in=False,
    ),
)
async def sign_in_anonymously(request: Request) -> Response:
    await read_body(request, NoBody)
    return start_session(request, await run(request, OpenPass(new_pass_id=new_anonymous_id())))


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


@router.post(
    "/link",
    **told(
        "Link one more identity to this pass, by the same proof as its sign-in",
        body=Proof,
        example={"siwe": SIWE},
        answers={200: SIGNED_IN},
        problems=(409, 413, 422, 429, 503),
    ),
)
async def link(request: Request) -> Response:
    who = signed_in(request)
    proof = await read_body(request, Proof)
    identity = await prove(request, proof)
    outcome = await identify(request, identity, who.pass_id)
    scope = " ".join(sorted(who.scopes))
    return start_session(request, outcome, scope=scope, lasts_s=seconds_left(who))


@router.post(
    "/logout",
    **told(
        "End this session: its token is refused from now on",
        body=NoBody,
        example={},
        answers={200: {}},
        problems=(422, 429, 503),
    ),
)
async def logout(request: Request) -> Response:
    who = signed_in(request)
    await read_body(request, NoBody)
    until = datetime.fromtimestamp(who.expires_at, UTC)
    ending = EndSession(owner=who.pass_id, session_id=who.session_id, expires_at=until)
    response = answered(await run(request, ending, who))
    set_session(response, parts_of(request), "", 0)
    return response


@router.post(
    "/socket-token",
    **told(
        "A token for one socket or event stream, good once and for a minute",
        body=NoBody,
        example={},
        answers={200: {"token": "eyJ…", "expires_in": SOCKET_LASTS_S}},
        problems=(422, 429),
    ),
)
async def socket_token(request: Request) -> Response:
    who = signed_in(request)
    await read_body(request, NoBody)
    lasts_s = min(SOCKET_LASTS_S, seconds_left(who))
    scope = " ".join(sorted(who.scopes))
    session = {"use": "socket", "sid": who.session_id, "until": who.expires_at}
    token = parts_of(request).tokens.issue(who.pass_id, scope, lasts_s=lasts_s, **session)
    return spoken({"token": token, "expires_in": lasts_s})
