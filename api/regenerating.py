"""Regenerations: settled, then made, and made again for nothing until one picture is delivered."""

from __future__ import annotations

import base64

from starlette.requests import Request
from starlette.responses import Response

from api.deps import answered, context, parts_of, recorded
from api.parts import Parts
from api.paying import (
    PROVIDER,
    Payer,
    can_be_made,
    hand_in,
    order_in,
    order_now,
    order_of,
    settled,
    until,
)
from api.payment_problems import (
    ContentRefused,
    GenerationFailed,
    ImageCreditExhausted,
    VerificationFailed,
)
from api.principal import Principal
from api.x402 import ask_to_pay, payment_of, receipt
from commands.command import KeepAnswer, Outcome, handle
from commands.regeneration import DeliverRegeneration, RequestRegeneration
from domain.x402 import SignedPayment
from domain.x402_order import X402Order
from domain.x402_refusals import PaymentInFlight

WHAT = "Regenerating a Geoplet's image"
PICTURE_PATIENCE_S = 150.0


async def generate(request: Request, payer: Payer, prompt: str) -> Response:
    """The picture for a payment or for what is paid already; or the 402 that asks for one."""
    parts, who, fid = parts_of(request), payer.who, payer.fid
    order = await order_in(parts, fid, "regenerate")
    held = await _held(request, fid)
    for known in (held, order):
        if known.picture.stored and (known is held or _owed(parts, known)):
            return await _deliver(request, who, known)
    if order.paid and not order.ended:
        return await _make(request, who, order, prompt)
    if order.in_flight and not held.in_flight:
        raise PaymentInFlight()
    if not order.in_flight:
        await can_be_made(parts, order, "regenerate", fid)
    payment = payment_of(request)
    payer.must_be_linked()
    if payment is None:
        return ask_to_pay(request, parts.base.terms["regenerate"], WHAT)
    return await _make(request, who, await _settle(request, who, payment, fid), prompt)


async def _held(request: Request, fid: int) -> X402Order:
    """The order that the request's payment was taken in for. A header that is no payment is for
    none, and no reason to refuse what is owed without any."""
    try:
        payment = payment_of(request)
    except VerificationFailed:
        payment = None
    parts = parts_of(request)
    return await order_of(parts, payment, fid, "regenerate") if payment else X402Order()


async def _settle(request: Request, who: Principal, payment: SignedPayment, fid: int) -> X402Order:
    order = await hand_in(request, who, payment, fid, "regenerate")
    paid = await settled(parts_of(request), order, payment.authorization.nonce)
    if paid is None:
        raise PaymentInFlight()
    return paid


async def _make(request: Request, who: Principal, order: X402Order, prompt: str) -> Response:
    """Asks for the next try, unless one is under way, and waits for what comes of it."""
    parts = parts_of(request)
    ask = RequestRegeneration(
        order_id=order.order_id,
        prompt=prompt,
        provider=PROVIDER,
        model=parts.settings.openai_model,
    )
    await handle(parts.ledger, ask, context(request, who))
    asked = await order_now(parts, order.order_id)
    made = await until(parts, asked, _over, PICTURE_PATIENCE_S) or asked
    if not made.picture.stored:
        raise failure_of(made)
    return await _deliver(request, who, made)


def _over(order: X402Order) -> bool:
    picture = order.picture
    return picture.stored is not None or (picture.gave_up and not picture.open)


def failure_of(order: X402Order) -> Exception:
    """Why there is no picture yet; a try that is still under way has not failed like the last."""
    match order.picture.error_class if not order.picture.open else "":
        case "quota":
            return ImageCreditExhausted(order.retry_until)
        case "refused":
            return ContentRefused(order.retry_until)
    return GenerationFailed(order.retry_until)


async def _deliver(request: Request, who: Principal, order: X402Order) -> Response:
    parts, stored, paid = parts_of(request), order.picture.stored, order.paid
    assert stored is not None
    picture = await parts.base.picture(stored.output_url, stored.sha256)
    given = DeliverRegeneration(order_id=order.order_id)
    await handle(parts.ledger, given, context(request, who))
    landing = paid.landing if paid else None
    body = {
        "success": True,
        "data": {"url": stored.output_url, "sha256": stored.sha256},
        "settlementTxHash": landing.tx_hash if landing else None,
    }
    keep = KeepAnswer(about=order.stream, status=200, body=body, owner=order.pass_id)
    response = await spoken_picture(parts, await recorded(request, who, keep), picture)
    if paid and landing:
        response.headers.update(receipt(parts.base.terms["regenerate"], paid))
    return response


async def spoken_picture(parts: Parts, outcome: Outcome, picture: bytes | None = None) -> Response:
    """The answer with the picture itself; what is kept with a key says only where it is."""
    body, where = outcome.answer.body, outcome.answer.body["data"]
    picture = picture or await parts.base.picture(where["url"], where["sha256"])
    return answered(outcome, {**body, "data": base64.b64encode(picture).decode()})


def _owed(parts: Parts, order: X402Order) -> bool:
    """Made, but never handed out: who paid gets it without paying again."""
    until_ = order.retry_until
    return not order.picture.delivered and until_ is not None and parts.clock.now() < until_
