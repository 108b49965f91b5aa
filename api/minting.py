"""Vouchers: given for a good payment, and given again for a settled one (`contract.md` §4)."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.deps import answered, parts_of, recorded
from api.parts import Parts
from api.paying import check, order_in, order_of
from api.payment_problems import FidAlreadyMinted
from api.principal import Principal
from api.problems import ChainSilent
from api.x402 import ask_to_pay, checksum, payment_of
from commands.command import Command, Outcome
from commands.x402_payment import TrackPayment
from commands.x402_slot import IssueVoucher
from domain.x402 import MAX_TIMEOUT_S, SignedPayment, Voucher
from domain.x402_order import X402Order
from domain.x402_refusals import PaymentInFlight, SignatureExpired
from tracking_log import say, tell

WHAT = "Minting a Geoplet"


async def mint_signature(request: Request, who: Principal, fid: int, wallet: str) -> Response:
    """The voucher for a payment, or for what is paid already; or the 402 that asks for one."""
    parts = parts_of(request)
    order = await order_in(parts, fid, "mint")
    if order.minting.seen or (order.failure and order.failure.error_code != "MINTED_UNPAID"):
        raise FidAlreadyMinted()
    if order.in_flight:
        raise PaymentInFlight()
    if order.paid:
        return await _again(request, who, order, wallet)
    payment = payment_of(request)
    if payment and (await order_of(parts, payment, fid, "mint")).opened:
        return await _known(request, who, order, payment, wallet)
    if await parts.base.fid_minted(fid):
        raise FidAlreadyMinted()
    if payment is None:
        return ask_to_pay(request, parts.base.terms["mint"], WHAT)
    return await _first(request, who, fid, payment, wallet)


async def _first(
    request: Request, who: Principal, fid: int, payment: SignedPayment, wallet: str
) -> Response:
    parts = parts_of(request)
    terms = parts.base.terms["mint"]
    facilitator, payment_id = await check(parts, payment, terms, wallet)
    block, voucher = await _voucher(parts, fid, wallet, payment.authorization.nonce)
    track = TrackPayment(
        fid=fid,
        payment_type="mint",
        owner=who.pass_id,
        terms=terms,
        payment=payment,
        facilitator=facilitator,
        payment_id=payment_id,
        seen_block=block,
        voucher=voucher,
        signature=parts.base.sign_voucher(voucher),
        answer_as="voucher",
    )
    return await _signed(request, who, track)


async def _known(
    request: Request, who: Principal, order: X402Order, payment: SignedPayment, wallet: str
) -> Response:
    """The same payment again: its voucher again, while it may still be handed in."""
    parts = parts_of(request)
    attempt = order.attempts.get(payment.authorization.nonce)
    if attempt is None or order.minting.voucher is None:
        return await _first(request, who, order.terms.fid, payment, wallet)  # type: ignore[union-attr]
    attempt.still_good()
    if parts.clock.now() > attempt.expires_at:
        raise SignatureExpired()
    return await _signed(request, who, _same(order, order.minting.voucher.proof_block))


async def _again(request: Request, who: Principal, order: X402Order, wallet: str) -> Response:
    """A settled mint: its voucher, or a new one when the old one is past its deadline and the chain
    shows the fid unminted."""
    parts, known = parts_of(request), order.minting.voucher
    assert order.terms is not None and order.paid is not None
    say("recovery_triggered", order.terms)
    block = await parts.chain.live()
    if block is None:
        raise ChainSilent()
    if known and block.time <= known.deadline:
        return await _signed(request, who, _same(order, known.proof_block))
    if await parts.base.fid_minted(order.terms.fid):
        raise FidAlreadyMinted()
    seed = f"{order.paid.nonce}/{order.minting.vouchers + 1}"
    number, voucher = await _voucher(parts, order.terms.fid, wallet, seed)
    issue = IssueVoucher(
        fid=order.terms.fid,
        payment_type="mint",
        voucher=voucher,
        signature=parts.base.sign_voucher(voucher),
        proof_block=number,
    )
    return await _signed(request, who, issue)


def _same(order: X402Order, proof_block: int) -> IssueVoucher:
    """The voucher that the order has: recorded again, it is nothing new."""
    issued = order.minting.voucher
    assert issued is not None
    voucher = Voucher(issued.to, issued.fid, int(issued.voucher_nonce), issued.deadline)
    return IssueVoucher(
        fid=issued.fid,
        payment_type="mint",
        voucher=voucher,
        signature=issued.signature,
        proof_block=proof_block,
    )


async def _voucher(parts: Parts, fid: int, wallet: str, seed: str) -> tuple[int, Voucher]:
    """(block, voucher) by the chain's clock; its nonce follows from `seed`, so it is used once."""
    block = await parts.chain.live()
    if block is None:
        raise ChainSilent()
    nonce = int.from_bytes(sha256(f"{fid}/{seed}".encode()).digest()[:16])
    return block.number, Voucher(wallet, fid, nonce, block.time + MAX_TIMEOUT_S)


async def _signed(request: Request, who: Principal, command: Command) -> Response:
    outcome = await recorded(request, who, command)
    tell(outcome)
    return spoken_voucher(outcome)


def spoken_voucher(outcome: Outcome) -> Response:
    """The answer with the address as wallets' libraries want it."""
    body: dict[str, Any] = outcome.answer.body
    voucher = body["voucher"]
    return answered(outcome, {**body, "voucher": {**voucher, "to": checksum(voucher["to"])}})
