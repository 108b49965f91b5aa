"""Signing in: proofs become identities, identities a pass, and a pass a session."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Self
from uuid import uuid4

from pydantic import ConfigDict, StringConstraints, model_validator
from starlette.requests import Request
from starlette.responses import Response

from api import siwe, siws
from api.body import Body
from api.deps import answered, context, from_elsewhere, parts_of, set_session, signed_in
from api.jwks import TOKEN_CHARS_MAX, read_header
from api.otp import OtpProof, prove_email
from api.principal import Principal
from api.problems import FarcasterNotSetUp, Unauthenticated
from api.sign_in import SignInRefused
from api.sign_in_problems import GoogleNotSetUp
from api.tokens import SIGN_IN_LASTS_S
from commands.command import Answer, Command, Outcome, handle, look
from commands.passes import BurnNonce, EndSession, Identify, SeeIdentity

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


class GoogleProof(Body):
    """An ID token of Google."""

    id_token: Annotated[str, StringConstraints(min_length=1, max_length=TOKEN_CHARS_MAX)]


class Proof(Body):
    """Exactly one proof, by its kind."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    siwe: SiweProof = _absent
    siws: SiwsProof = _absent
    farcaster: FarcasterProof = _absent
    google: GoogleProof = _absent
    otp: OtpProof = _absent

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("exactly one proof, by its kind")
        return self


@dataclass(frozen=True, slots=True)
class Proven:
    """An identity that is proven, and the email, case-folded, where it stands for one."""

    identity: str
    email: str = field(default="", repr=False)


async def prove(request: Request, proof: Proof) -> Sequence[Proven]:
    """The identities that a proof of any kind proves, the one it is about first."""
    (kind,) = proof.model_fields_set
    match kind:
        case "siwe":
            return await prove_wallet(request, proof.siwe)
        case "siws":
            return await prove_solana_wallet(request, proof.siws)
        case "farcaster":
            return await prove_fid(request, proof.farcaster)
        case "google":
            return await prove_account(request, proof.google)
    return await prove_code(request, proof.otp)


async def prove_code(request: Request, proof: OtpProof) -> Sequence[Proven]:
    """The email whose code was mailed to it; a wrong one counts as a try."""
    return [_by_mail(request, await prove_email(request, proof))]


async def prove_account(request: Request, proof: GoogleProof) -> Sequence[Proven]:
    """The account of an ID token, and its email if Google has verified it. Nothing is recorded: the
    token is good for its hour."""
    parts = parts_of(request)
    read_header(proof.id_token)
    if parts.proofs.google is None:
        raise GoogleNotSetUp()
    account = await parts.proofs.google.account(proof.id_token, parts.clock.now())
    proven = [Proven(f"google:{account.sub}")]
    return [*proven, _by_mail(request, account.email)] if account.email else proven


def _by_mail(request: Request, email: str) -> Proven:
    return Proven(parts_of(request).proofs.emails.identity(email), email)


async def prove_fid(request: Request, proof: FarcasterProof) -> Sequence[Proven]:
    """The identity of the fid in a token. Nothing is recorded: the token is good for its hour."""
    parts = parts_of(request)
    read_header(proof.token)
    if parts.proofs.farcaster is None:
        raise FarcasterNotSetUp()
    fid = await parts.proofs.farcaster.fid(proof.token, parts.clock.now())
    return [Proven(f"fid:{fid}")]


async def prove_wallet(request: Request, proof: SiweProof) -> Sequence[Proven]:
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
    return [Proven("eip155:" + await siwe.signed_by(message, signature, parts.ask_wallet))]


async def prove_solana_wallet(request: Request, proof: SiwsProof) -> Sequence[Proven]:
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
    return [Proven("solana:" + siws.signed_by(message, signature))]


async def burn(request: Request, nonce: str) -> None:
    """Takes a message's nonce before anything else of it is judged, so that a failed try cannot be
    repeated. Raises SignInRefused when it is none of ours, NonceUsed when it was taken before."""
    parts = parts_of(request)
    if not parts.nonces.good(nonce, parts.clock.now()):
        raise SignInRefused("(its nonce is not ours, or older than ten minutes)")
    await handle(parts.ledger, BurnNonce(nonce=nonce), context(request))


async def sign_in(request: Request, proven: Sequence[Proven]) -> Response:
    """A session of the pass that a proof leads to; an anonymous caller's pass becomes that pass."""
    ordered, guest = await _leading_first(request, proven), anonymous_guest(request)
    current = guest.pass_id if guest else None
    outcome = await identify(request, ordered, current, guest=True)
    if guest and "authorization" not in request.headers:
        ended = await _end_guest(request, guest, outcome)
        outcome = replace(outcome, position=max(ended, outcome.position))
    return start_session(request, outcome)


async def _end_guest(request: Request, guest: Principal, found: Outcome) -> int:
    """Ends the session that a guest's cookie was of, once it would open the pass of whoever has
    signed in: somebody else may have put it there, and know its token. The position until which
    that is recorded."""
    if parts_of(request).directory.canonical(guest.pass_id) != found.answer.body["pass_id"]:
        return found.position
    until = datetime.fromtimestamp(guest.expires_at, UTC)
    ending = EndSession(owner=guest.pass_id, session_id=guest.session_id, expires_at=until)
    return (await run(request, ending, guest)).position


async def _leading_first(request: Request, proven: Sequence[Proven]) -> Sequence[Proven]:
    """An account whose email leads to a pass becomes another identity of that pass, unless it has a
    pass already: a sign-in never makes one of two passes that both are known. `/auth/link` does."""
    if len(proven) == 1:
        return proven
    account, by_mail = [await _leads_to(request, one.identity) for one in proven]
    if account and by_mail and account != by_mail:
        return proven[:1]
    return proven if account or not by_mail else proven[::-1]


async def _leads_to(request: Request, identity: str) -> str | None:
    asked = SeeIdentity(identity=identity)
    return asked.pass_id(await look(parts_of(request).ledger, asked))


async def identify(
    request: Request, proven: Sequence[Proven], current: str | None, *, guest: bool = False
) -> Outcome:
    """Finds or opens the pass of the first identity and links the others to it; `current` is the
    pass that links them, or that of a guest who signs in."""
    first, *others = [
        Identify(identity=one.identity, new_pass_id=f"pass:user:{one.identity}", email=one.email)
        for one in proven
    ]
    outcome = await run(request, first.model_copy(update={"current": current, "guest": guest}))
    for other in others:
        found = {"current": outcome.answer.body["pass_id"]}
        linked = await run(request, other.model_copy(update=found))
        outcome = replace(linked, position=max(linked.position, outcome.position))
    return outcome


async def run(request: Request, command: Command, who: Principal | None = None) -> Outcome:
    """Handles a command without an idempotency key: `/auth` ignores them."""
    parts = parts_of(request)
    outcome = await handle(parts.ledger, command, context(request, who))
    parts.directory.learn(outcome.events)
    return outcome


def anonymous_guest(request: Request) -> Principal | None:
    """Whose token accompanies a sign-in, if that is an anonymous pass: it keeps its id by it."""
    try:
        who = signed_in(request)
    except Unauthenticated:
        return None
    return who if who.pass_id.startswith(ANONYMOUS) else None


def start_session(
    request: Request, outcome: Outcome, *, scope: str = "user", lasts_s: int = SIGN_IN_LASTS_S
) -> Response:
    """The answer of every sign-in, with its cookie, unless a foreign page asks: it could sign a
    browser in to a pass of its own. `outcome` tells the pass."""
    parts, pass_id = parts_of(request), outcome.answer.body["pass_id"]
    token = parts.tokens.issue(pass_id, scope, lasts_s=lasts_s)
    body = {"access_token": token, "expires_in": lasts_s, "pass_id": pass_id}
    response = answered(Outcome(outcome.position, Answer(200, body)))
    if not from_elsewhere(request):
        set_session(response, parts, token, lasts_s)
    return response


def seconds_left(who: Principal) -> int:
    """How long the token of the caller is still good; at least one second."""
    return max(1, who.expires_at - int(time.time()))


def new_anonymous_id() -> str:
    return f"{ANONYMOUS}{uuid4()}"
