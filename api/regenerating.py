"""Regenerations: settled, then made, and made again for nothing until one picture is delivered."""

from __future__ import annotations

import base64

from starlette.requests import Request
from starlette.responses import Response

from api.deps import answered, context, parts_of, recorded
from api.parts import Parts
from api.paying import PROVIDER, can_be_made, hand_in, order_in, order_of, settled, until
from api.payment_problems import ContentRefused, GenerationFailed, ImageCreditExhausted
from api.principal import Principal
from api.x402 import ask_to_pay, payment_of, receipt
from commands.command import KeepAnswer, handle
from commands.regeneration import DeliverRegeneration, RequestRegeneration
from domain.x402 import SignedPayment
from domain.x402_order import X402Order
from domain.x402_refusals import PaymentInFlight

WHAT = "Regenerating a Geoplet's image"
PICTURE_PATIENCE_S = 150.0


async def generate(request: Request, who: Principal, fid: int, prompt: str) -> Response:
    """The picture for a payment or for what is paid already; or the 402 that asks for one."""
    parts, payment = parts_of(request), payment_of(request)
    order = await order_in(parts, fid, "regenerate")
    held = await order_of(parts, payment, fid, "regenerate") if payment else X402Order()
    for known in (held, order):
        if known.picture.stored and (known is held or _owed(parts, known)):
            return await _deliver(request, who, known)
    if order.paid and not order.ended:
        return await _make(request, who, order, prompt)
    if order.in_flight and not held.in_flight:
        raise PaymentInFlight()
    if not order.in_flight:
        await can_be_made(parts, order, "regenerate", fid)
    if payment is None:
        return ask_to_pay(request, parts.base.terms["regenerate"], WHAT)
    return await _make(request, who, await _settle(request, who, payment, fid), prompt)


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
    asked = await order_in(parts, order.terms.fid, "regenerate")  # type: ignore[union-attr]
    made = await until(parts, asked, _over, PICTURE_PATIENCE_S)
    if made is None or not made.picture.stored:
        raise _failure(made or order)
    return await _deliver(request, who, made)


def _over(order: X402Order) -> bool:
    picture = order.picture
    return picture.stored is not None or (picture.gave_up and not picture.open)


def _failure(order: X402Order) -> Exception:
    match order.picture.error_class:
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
        "data": base64.b64encode(picture).decode(),
        "settlementTxHash": landing.tx_hash if landing else None,
    }
    keep = KeepAnswer(about=order.stream, status=200, body=body, owner=order.pass_id)
    response = answered(await recorded(request, who, keep))
    if paid and landing:
        response.headers.update(receipt(parts.base.terms["regenerate"], paid))
    return response


def _owed(parts: Parts, order: X402Order) -> bool:
    """Made, but never handed out: who paid gets it without paying again."""
    until_ = order.retry_until
    return not order.picture.delivered and until_ is not None and parts.clock.now() < until_
