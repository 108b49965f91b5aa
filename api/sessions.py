"""Signing in: proofs become identities, identities a pass, and a pass a session."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, Any, Self
from uuid import uuid4

from pydantic import ConfigDict, StringConstraints, model_validator
from starlette.requests import Request
from starlette.responses import Response

from api import siwe, siws
from api.body import Body
from api.deps import answered, context, parts_of, set_session, signed_in
from api.farcaster import TOKEN_CHARS_MAX, read_header
from api.principal import Principal
from api.problems import FarcasterNotSetUp, Unauthenticated
from api.sign_in import SignInRefused
from api.tokens import SIGN_IN_LASTS_S
from commands.command import Answer, Command, Outcome, handle
from commands.passes import BurnNonce, Identify

ANONYMOUS = "pass:anon:"
_absent: Any = None  # a proof that is not given; one that is given is never null


class SiweProof(Body):
    """An EIP-4361 message and its signature, 0x and hexadecimal digits."""

    message: Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
    signature: Annotated[str, StringConstraints(max_length=2 * siwe.SIGNATURE_BYTES_MAX + 2)]


class SiwsProof(Body):
    """A message of Sign-In with Solana and its signature, in base58 (or base64) as `address`."""

    address: Annotated[str, StringConstraints(min_length=1, max_length=44)]
    message: Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
    signature: Annotated[str, StringConstraints(max_length=siws.SIGNATURE_CHARS_MAX)]


class FarcasterProof(Body):
    """A token of Farcaster Quick Auth."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=TOKEN_CHARS_MAX)]


class Proof(Body):
    """Exactly one proof, by its kind."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    siwe: SiweProof = _absent
    siws: SiwsProof = _absent
    farcaster: FarcasterProof = _absent

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("exactly one proof, by its kind")
        return self


async def prove(request: Request, proof: Proof) -> str:
    """The identity that a proof of any kind proves."""
    if "siwe" in proof.model_fields_set:
        return await prove_wallet(request, proof.siwe)
    if "siws" in proof.model_fields_set:
        return await prove_solana_wallet(request, proof.siws)
    return await prove_fid(request, proof.farcaster)


async def prove_fid(request: Request, proof: FarcasterProof) -> str:
    """The identity of the fid in a token. Nothing is recorded: the token is good for its hour."""
    parts = parts_of(request)
    read_header(proof.token)
    if parts.farcaster is None:
        raise FarcasterNotSetUp()
    return f"fid:{await parts.farcaster.fid(proof.token, parts.clock.now())}"


async def prove_wallet(request: Request, proof: SiweProof) -> str:
    """The identity that an Ethereum wallet's message and its signature prove."""
    parts = parts_of(request)
    message = siwe.parse(proof.message)
    signature = siwe.signature_bytes(proof.signature)
    await burn(request, message.nonce)
    siwe.judge(
        message,
        domain=parts.settings.mega_public_host,
        chain_id=parts.settings.evm_chain_id,
        at=parts.clock.now(),
        loopback=parts.dev,
    )
    return "eip155:" + await siwe.signed_by(message, signature, parts.ask_wallet)


async def prove_solana_wallet(request: Request, proof: SiwsProof) -> str:
    """The identity that a Solana wallet's message and its signature prove."""
    parts = parts_of(request)
    address = siws.address(proof.address)
    message = siws.parse(proof.message)
    signature = siws.signature_bytes(proof.signature)
    await burn(request, message.nonce)
    siws.judge(
        message,
        address=address,
        domain=parts.settings.mega_public_host,
        at=parts.clock.now(),
        wallet_at=datetime.now(UTC),
        loopback=parts.dev,
    )
    return "solana:" + siws.signed_by(message, signature)


async def burn(request: Request, nonce: str) -> None:
    """Takes a message's nonce before anything else of it is judged, so that a failed try cannot be
    repeated. Raises SignInRefused when it is none of ours, NonceUsed when it was taken before."""
    parts = parts_of(request)
    if not parts.nonces.good(nonce, parts.clock.now()):
        raise SignInRefused("(its nonce is not ours, or older than ten minutes)")
    await handle(parts.ledger, BurnNonce(nonce=nonce), context(request))


async def identify(
    request: Request, identity: str, current: str | None, *, guest: bool = False
) -> Outcome:
    """Finds or opens the pass of a proven identity; `current` is the pass that links it, or that of
    a guest who signs in."""
    command = Identify(
        identity=identity, new_pass_id=f"pass:user:{identity}", current=current, guest=guest
    )
    return await run(request, command)


async def run(request: Request, command: Command, who: Principal | None = None) -> Outcome:
    """Handles a command without an idempotency key: `/auth` ignores them."""
    parts = parts_of(request)
    outcome = await handle(parts.ledger, command, context(request, who))
    parts.directory.learn(outcome.events)
    return outcome


def anonymous_guest(request: Request) -> str | None:
    """The anonymous pass whose token accompanies a sign-in, which keeps its id by it."""
    try:
        who = signed_in(request)
    except Unauthenticated:
        return None
    return who.pass_id if who.pass_id.startswith(ANONYMOUS) else None


def start_session(
    request: Request, outcome: Outcome, *, scope: str = "user", lasts_s: int = SIGN_IN_LASTS_S
) -> Response:
    """The answer of every sign-in, with its cookie. `outcome` tells the pass."""
    parts, pass_id = parts_of(request), outcome.answer.body["pass_id"]
    token = parts.tokens.issue(pass_id, scope, lasts_s=lasts_s)
    body = {"access_token": token, "expires_in": lasts_s, "pass_id": pass_id}
    response = answered(Outcome(outcome.position, Answer(200, body)))
    set_session(response, parts, token, lasts_s)
    return response


def seconds_left(who: Principal) -> int:
    """How long the token of the caller is still good; at least one second."""
    return max(1, who.expires_at - int(time.time()))


def new_anonymous_id() -> str:
    return f"{ANONYMOUS}{uuid4()}"
