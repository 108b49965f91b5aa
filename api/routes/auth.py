"""Signing in, linking and leaving (`contract.md` §2). Idempotency keys are ignored here."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from api.body import NoBody, read_body
from api.deps import answered, parts_of, set_session, signed_in, spoken
from api.otp import EmailAsked, OtpProof, send_code
from api.sessions import (
    FarcasterProof,
    GoogleProof,
    Proof,
    SiweProof,
    SiwsProof,
    identify,
    new_anonymous_id,
    prove,
    prove_account,
    prove_code,
    prove_fid,
    prove_solana_wallet,
    prove_wallet,
    run,
    seconds_left,
    sign_in,
    start_session,
)
from api.speech import told
from api.tokens import SIGN_IN_LASTS_S, SOCKET_LASTS_S
from commands.passes import EndSession, OpenPass
from domain.otp import LASTS, RESEND

router = APIRouter(prefix="/auth", tags=["sign-in"])

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
GOOGLE = {"id_token": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMDgifQ.c2ln"}
EMAIL = {"email": "ada@example.com"}
OTP = {**EMAIL, "code": "042817"}
CODE_SENT = {"expires_in": int(LASTS.total_seconds()), "resend_in": int(RESEND.total_seconds())}
SIGNED_IN = {
    "access_token": "eyJ…",
    "expires_in": SIGN_IN_LASTS_S,
    "pass_id": f"pass:user:eip155:{ADDRESS.lower()}",
}


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
    return await sign_in(request, await prove_wallet(request, proof))


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
    return await sign_in(request, await prove_solana_wallet(request, proof))


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
    return await sign_in(request, await prove_fid(request, proof))


@router.post(
    "/google",
    **told(
        "Sign in with an ID token of Google",
        body=GoogleProof,
        example=GOOGLE,
        answers={200: {**SIGNED_IN, "pass_id": "pass:user:google:108"}},
        problems=(401, 409, 413, 422, 429, 503),
        signed_in=False,
    ),
)
async def sign_in_with_google(request: Request) -> Response:
    proof = await read_body(request, GoogleProof)
    return await sign_in(request, await prove_account(request, proof))


@router.post(
    "/otp/request",
    **told(
        "Mail a code to an email, whether or not anybody here has it",
        body=EmailAsked,
        example=EMAIL,
        answers={200: CODE_SENT},
        problems=(413, 422, 429, 503),
        signed_in=False,
    ),
)
async def request_code(request: Request) -> Response:
    asked = await read_body(request, EmailAsked)
    return answered(await send_code(request, asked.email), CODE_SENT)


@router.post(
    "/otp/verify",
    **told(
        "Sign in with the code that was mailed",
        body=OtpProof,
        example=OTP,
        answers={200: {**SIGNED_IN, "pass_id": f"pass:user:email:{'5e' * 16}"}},
        problems=(401, 413, 422, 429, 503),
        signed_in=False,
    ),
)
async def sign_in_with_code(request: Request) -> Response:
    proof = await read_body(request, OtpProof)
    return await sign_in(request, await prove_code(request, proof))


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
    outcome = await identify(request, await prove(request, proof), who.pass_id)
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
