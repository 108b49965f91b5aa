"""Settling on demand: hands a payment in and waits for what comes of it (`contract.md` §4)."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.deps import answered, parts_of, recorded
from api.paying import hand_in, settled
from api.principal import Principal
from api.x402 import payment_in, receipt
from commands.command import KeepAnswer
from domain.x402_events import PaymentType

PENDING: dict[str, Any] = {"success": True, "settled": False, "pending": True}


async def settle(
    request: Request, who: Principal, header: str, fid: int, payment_type: PaymentType
) -> Response:
    parts, payment = parts_of(request), payment_in(header)
    nonce = payment.authorization.nonce
    order = await hand_in(request, who, payment, fid, payment_type)
    known = await settled(parts, order, nonce)
    attempt = known.attempts.get(nonce) if known else None
    if attempt is None or attempt.landing is None:
        keep = KeepAnswer(about=order.stream, status=202, body=PENDING, owner=order.pass_id)
        return answered(await recorded(request, who, keep))
    body = {
        "success": True,
        "settled": True,
        "txHash": attempt.landing.tx_hash,
        "facilitator": attempt.facilitator,
    }
    keep = KeepAnswer(about=order.stream, status=200, body=body, owner=order.pass_id)
    response = answered(await recorded(request, who, keep))
    response.headers.update(receipt(parts.base.terms[payment_type], attempt))
    return response
