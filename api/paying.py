"""What the paid routes do alike: who may pay for a fid, which order a payment is for, whether it is
good, and waiting until it is known to be settled or not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from api.deps import context, parts_of
from api.owners import identities_of
from api.parts import Parts
from api.payment_problems import (
    FidAlreadyMinted,
    FidMismatch,
    ImageCreditExhausted,
    VerificationFailed,
)
from api.principal import Principal
from commands.command import handle, look
from commands.x402_outcome import SeeX402Order
from commands.x402_payment import TrackPayment
from commands.x402_slot import (
    PaymentAlreadyUsed,
    SeeAuthorization,
    SeePayment,
    SubmitPayment,
    authorization_claim,
)
from domain.circuit import Circuit, circuit_stream
from domain.x402 import PaymentTerms, SignedPayment
from domain.x402_attempt import Attempt
from domain.x402_events import PaymentType
from domain.x402_order import X402Order
from domain.x402_refusals import PaymentInFlight, PaymentReplaced, SignatureExpired
from tracking_log import tell

POLL_S, POLL_SLOWER, POLL_MAX_S = 0.02, 1.1, 0.25
"""Between two looks at an order that is waited for: each pause is longer than the one before."""
SETTLE_PATIENCE_S = 12.0
PROVIDER = "openai"


@dataclass(frozen=True, slots=True)
class Payer:
    """Who asks, for which fid, with which wallet (lower case); `linked`: it is their pass's own."""

    who: Principal
    fid: int
    wallet: str
    linked: bool

    def must_be_linked(self) -> None:
        if not self.linked:
            raise VerificationFailed("invalid_payload: userAddress is no wallet of your pass")


async def payer_of(request: Request, who: Principal, fid: int, wallet: str = "") -> Payer:
    """FidMismatch unless the fid is one of the caller's pass."""
    known = await identities_of(request, who)
    if f"fid:{fid}" not in known:
        raise FidMismatch()
    return Payer(who, fid, wallet, f"eip155:{wallet}" in known)


async def order_in(parts: Parts, fid: int, payment_type: PaymentType) -> X402Order:
    """The order that the slot means now, as the ledger has it."""
    see = SeePayment(fid=fid, payment_type=payment_type)
    return see.order(await look(parts.ledger, see))


async def order_now(parts: Parts, order_id: str) -> X402Order:
    see = SeeX402Order(order_id=order_id)
    return see.order(await look(parts.ledger, see))


async def order_of(
    parts: Parts, payment: SignedPayment, fid: int, payment_type: PaymentType
) -> X402Order:
    """The order that a payment was taken in for, one never opened when it is new.

    PaymentAlreadyUsed when it is for another fid or another payment type.
    """
    terms, said = parts.base.terms[payment_type], payment.authorization
    claim = authorization_claim(terms.chain_id, terms.token, said.payer, said.nonce)
    see = SeeAuthorization(claim=claim)
    order = see.order(await look(parts.ledger, see))
    if order.terms and (order.terms.fid, order.terms.payment_type) != (fid, payment_type):
        raise PaymentAlreadyUsed()
    return order


async def can_be_made(parts: Parts, order: X402Order, payment_type: PaymentType, fid: int) -> None:
    """Nobody pays for a fid that is minted, unless it is the token that `order` still has to be
    paid for, nor for a picture while the provider says that our credit is used up."""
    if payment_type == "regenerate":
        stream, circuit = circuit_stream(PROVIDER), Circuit()
        for event in (await parts.ledger.streams([stream]))[stream].events:
            circuit = circuit.evolve(event)
        if circuit.open_at(parts.clock.now()):
            raise ImageCreditExhausted(None)
    elif (order.ended or not order.minting.seen) and await parts.base.fid_minted(fid):
        raise FidAlreadyMinted()


async def check(
    parts: Parts, payment: SignedPayment, terms: PaymentTerms, wallet: str
) -> tuple[str, str]:
    """VerificationFailed unless the payment is good and `wallet`'s own; else who will settle it,
    and by which id."""
    now = int(parts.clock.now().timestamp())
    if reason := terms.fault(payment, now):
        raise VerificationFailed(reason)
    if payment.authorization.payer != wallet:
        raise VerificationFailed("invalid_payload: authorization.from is not userAddress")
    if not await parts.base.signed_by(payment, terms):
        raise VerificationFailed("invalid_exact_evm_payload_signature")
    verdict = await parts.base.verify(payment, terms)
    if not verdict.valid:
        raise VerificationFailed(verdict.reason)
    return verdict.facilitator, verdict.payment_id


async def hand_in(
    request: Request, who: Principal, payment: SignedPayment, fid: int, payment_type: PaymentType
) -> X402Order:
    """Sees to it that a payment is submitted; answers its order. Raises what stands against it."""
    parts = parts_of(request)
    order = await order_of(parts, payment, fid, payment_type)
    nonce = payment.authorization.nonce
    if not order.opened:
        await _take_in(request, who, payment, fid, payment_type)
    elif not (attempt := _known(order, nonce)).landed:
        if payment_type == "regenerate" and attempt.standing == "verified":
            await can_be_made(parts, order, payment_type, fid)
        submit = SubmitPayment(fid=fid, payment_type=payment_type, nonce=nonce)
        await done(request, who, submit)
    order = await order_of(parts, payment, fid, payment_type)
    if _known(order, nonce).standing == "expired":
        raise SignatureExpired()
    return order


async def settled(
    parts: Parts, order: X402Order, nonce: str, patience_s: float = SETTLE_PATIENCE_S
) -> X402Order | None:
    """The order once the payment has landed, None when that is not known in time. Raises
    SettlementFailed or SignatureExpired once it is known that nothing was taken."""

    def over(now: X402Order) -> bool:
        attempt = _known(now, nonce)
        if not attempt.landed:
            attempt.still_good()
        return attempt.landed

    return await until(parts, order, over, patience_s)


async def until(
    parts: Parts, order: X402Order, over: Callable[[X402Order], bool], patience_s: float
) -> X402Order | None:
    """The order as soon as it is `over`; None when it is not in time."""
    deadline, pause_s = asyncio.get_running_loop().time() + patience_s, POLL_S
    while not over(order):
        if asyncio.get_running_loop().time() >= deadline:
            return None
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * POLL_SLOWER, POLL_MAX_S)
        order = await order_now(parts, order.order_id)
    return order


async def done(request: Request, who: Principal, command: SubmitPayment | TrackPayment) -> None:
    """Handles a command that is not what the request is answered with, and tells of it."""
    outcome = await handle(parts_of(request).ledger, command, context(request, who))
    tell(outcome)


async def _take_in(
    request: Request, who: Principal, payment: SignedPayment, fid: int, payment_type: PaymentType
) -> None:
    """A payment that nobody has seen before, verified and submitted at once."""
    parts = parts_of(request)
    order = await order_in(parts, fid, payment_type)
    if order.in_flight:
        raise PaymentInFlight()
    if order.paid and not order.ended:
        raise PaymentReplaced()
    terms, payer = parts.base.terms[payment_type], payment.authorization.payer
    (await payer_of(request, who, fid, payer)).must_be_linked()
    await can_be_made(parts, order, payment_type, fid)
    facilitator, payment_id = await check(parts, payment, terms, payer)
    track = TrackPayment(
        fid=fid,
        payment_type=payment_type,
        owner=who.pass_id,
        terms=terms,
        payment=payment,
        facilitator=facilitator,
        payment_id=payment_id,
        seen_block=await parts.chain.known(),
        hand_in=True,
    )
    await done(request, who, track)


def _known(order: X402Order, nonce: str) -> Attempt:
    attempt = order.attempts.get(nonce)
    if attempt is None:
        raise PaymentReplaced()
    return attempt
