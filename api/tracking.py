"""The tracking routes' reading and the service's writing; shapes of seed 004 "API Endpoints"."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import Any

from pydantic import BaseModel, ConfigDict

from api.asking import Moment
from api.parts import Parts
from api.paying import can_be_made, check, order_in, order_of
from api.payment_problems import VerificationFailed
from api.problems import Invalid, NotFound
from api.x402 import checksum
from commands.command import KeepAnswer
from commands.x402_payment import TrackPayment
from domain.geoplet_view import describe_tracking
from domain.payment_slot import PaymentSlot, PaymentSlotTaken, slot_stream
from domain.x402 import PaymentTerms, SignedPayment, Voucher
from domain.x402_events import PaymentType, X402Event, x402_stream
from domain.x402_header import BadHeader, read_payment
from domain.x402_order import X402Order
from tracking_log import say


class Given(BaseModel):
    """What a service says of a payment that it has verified."""

    model_config = ConfigDict(frozen=True)

    fid: int
    payment_type: PaymentType
    user_address: str
    payment_header: str
    voucher: dict[str, Any] | None
    signature: str | None
    settlement_tx_hash: str | None


async def tracking(parts: Parts, given: Given) -> TrackPayment | KeepAnswer:
    """The command that takes it in. Invalid or VerificationFailed when it is no good payment."""
    payment, terms = _payment(given), parts.base.terms[given.payment_type]
    voucher = _voucher(given)
    order = await order_of(parts, payment, given.fid, given.payment_type)
    current = await order_in(parts, given.fid, given.payment_type)
    if order.ended:
        return _over(order, parts.clock.now())
    facilitator, payment_id = "", ""
    # What is known is told, and what is paid is not overwritten: neither is checked again. What is
    # said to be settled already would fail a facilitator's check; the chain is asked later.
    if given.settlement_tx_hash:
        await _signed(parts, payment, terms, given.user_address)
    elif not order.opened and (current.ended or not current.paid):
        await can_be_made(parts, current, given.payment_type, given.fid)
        facilitator, payment_id = await check(parts, payment, terms, given.user_address)
    return TrackPayment(
        fid=given.fid,
        payment_type=given.payment_type,
        terms=terms,
        payment=payment,
        facilitator=facilitator,
        payment_id=payment_id,
        seen_block=await parts.chain.known(),
        voucher=voucher,
        signature=given.signature or "",
        settlement_tx_hash=given.settlement_tx_hash or "",
    )


def _over(order: X402Order, at: datetime) -> KeepAnswer:
    """A payment of an order that has ended: its end again."""
    told = describe_tracking(order, at)
    body = {"status": told["status"], "expiresAt": told.get("expiresAt")}
    return KeepAnswer(about=order.stream, status=200, body=body, owner=order.pass_id)


async def shown(
    parts: Parts, fid: int, payment_type: PaymentType, then: Moment | None, *, header: bool
) -> dict[str, Any]:
    """The body of the GET, now or then; the payment's header only for its payer (`header`)."""
    if then is None:
        at, order = parts.clock.now(), await order_in(parts, fid, payment_type)
    else:
        at, order = await _order_then(parts, fid, payment_type, then)
    body = dict(describe_tracking(order, at))
    if body["canResume"] and then is None and order.terms:
        say("recovery_triggered", order.terms)
    if body.get("mintVoucher"):
        body["mintVoucher"] = {**body["mintVoucher"], "to": checksum(body["mintVoucher"]["to"])}
    if "paymentHeader" in body and not header:
        body["paymentHeader"] = None
    return body


async def _order_then(
    parts: Parts, fid: int, payment_type: PaymentType, then: Moment
) -> tuple[datetime, X402Order]:
    """(when, the order that the slot meant then); NotFound before there was one."""
    slot = then.past(await parts.ledger.history([slot_stream(fid, payment_type)]))
    taken = [recorded.event for recorded in slot if isinstance(recorded.event, PaymentSlotTaken)]
    if not taken:
        raise NotFound()
    order_id = reduce(PaymentSlot.evolve, taken, PaymentSlot()).order_id
    past = then.past(await parts.ledger.history([x402_stream(order_id)]))
    events = [recorded.event for recorded in past if isinstance(recorded.event, X402Event)]
    at = then.time or max(recorded.recorded_at for recorded in past)
    return at, reduce(X402Order.evolve, events, X402Order())


def _payment(given: Given) -> SignedPayment:
    try:
        return read_payment(given.payment_header)
    except BadHeader as bad:
        raise Invalid(("body.paymentHeader", f"not an x402 payment: {bad.reason}")) from None


def _voucher(given: Given) -> Voucher | None:
    if given.voucher is None or given.payment_type != "mint":
        return None
    said = {name: int(given.voucher[name]) for name in ("fid", "nonce", "deadline")}
    if said["fid"] != given.fid or not given.signature:
        raise Invalid(("body.voucher", "must be of this fid, and signed"))
    return Voucher(to=given.voucher["to"], **said)


async def _signed(parts: Parts, payment: SignedPayment, terms: PaymentTerms, wallet: str) -> None:
    """Right terms and signature, whatever the time is."""
    said, now = payment.authorization, int(parts.clock.now().timestamp())
    then = max(said.valid_after, min(now, said.valid_before - 1))
    if reason := replace(terms, least_validity_s=1).fault(payment, then):
        raise VerificationFailed(reason)
    if said.payer != wallet or not await parts.base.signed_by(payment, terms):
        raise VerificationFailed("invalid_exact_evm_payload_signature")
