"""Vouchers: given for a good payment, and given again for a settled one (`contract.md` §4)."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.chain_head import Block
from api.deps import answered, parts_of, recorded
from api.parts import Parts
from api.paying import Payer, check, order_in, order_of
from api.payment_problems import FidAlreadyMinted, WalletNotLinked
from api.problems import ChainSilent
from api.x402 import ask_to_pay, checksum, payment_of
from commands.command import Command, Outcome
from commands.x402_payment import TrackPayment
from commands.x402_slot import IssueVoucher
from domain.x402 import MAX_TIMEOUT_S, SignedPayment, Voucher
from domain.x402_order import X402Order
from domain.x402_refusals import PaymentInFlight, PaymentReplaced, SignatureExpired
from tracking_log import say

WHAT = "Minting a Geoplet"


async def mint_signature(request: Request, payer: Payer) -> Response:
    """The voucher for a payment, or for what is paid already; or the 402 that asks for one."""
    parts = parts_of(request)
    order = await order_in(parts, payer.fid, "mint")
    if order.minting.seen and not order.failure:
        raise FidAlreadyMinted()
    if order.in_flight:
        raise PaymentInFlight()
    if order.paid and not order.failure:
        return await _again(request, payer, order)
    if await parts.base.fid_minted(payer.fid):
        raise FidAlreadyMinted()
    payment = payment_of(request)
    known = await order_of(parts, payment, payer.fid, "mint") if payment else X402Order()
    payer.must_be_linked()
    if payment is None:
        return ask_to_pay(request, parts.base.terms["mint"], WHAT)
    if known.opened:
        return await _known(request, payer, known, payment)
    return await _first(request, payer, payment)


async def _first(request: Request, payer: Payer, payment: SignedPayment) -> Response:
    parts = parts_of(request)
    terms = parts.base.terms["mint"]
    facilitator, payment_id = await check(parts, payment, terms, payer.wallet)
    block, voucher = await _voucher(parts, payer, payment.authorization.nonce)
    track = TrackPayment(
        fid=payer.fid,
        payment_type="mint",
        owner=payer.who.pass_id,
        terms=terms,
        payment=payment,
        facilitator=facilitator,
        payment_id=payment_id,
        seen_block=block.number,
        voucher=voucher,
        signature=parts.base.sign_voucher(voucher),
        answer_as="voucher",
    )
    return await _signed(request, payer, track)


async def _known(
    request: Request, payer: Payer, order: X402Order, payment: SignedPayment
) -> Response:
    """The same payment again: its voucher again, while it may still be handed in."""
    parts, voucher = parts_of(request), order.minting.voucher
    attempt = order.attempts.get(payment.authorization.nonce)
    if attempt is None:
        raise PaymentReplaced()
    if voucher is None or not voucher.ours:
        return await _first(request, payer, payment)
    attempt.still_good()
    if parts.clock.now() > attempt.expires_at:
        raise SignatureExpired()
    return await _signed(request, payer, _same(order))


async def _again(request: Request, payer: Payer, order: X402Order) -> Response:
    """A settled mint: its voucher, or a new one when the old one is past its deadline and the chain
    shows the fid unminted."""
    parts, known = parts_of(request), order.minting.voucher
    assert order.terms is not None and order.paid is not None
    say("recovery_triggered", order.terms)
    if not payer.linked and payer.wallet != order.paid.payer:
        raise WalletNotLinked()
    seed = f"{order.paid.nonce}/{order.minting.vouchers + 1}"
    block, voucher = await _voucher(parts, payer, seed)
    if known and known.ours and block.time <= known.deadline:
        return await _signed(request, payer, _same(order))
    if await parts.base.fid_minted(payer.fid):
        raise FidAlreadyMinted()
    issue = IssueVoucher(
        fid=payer.fid,
        payment_type="mint",
        voucher=voucher,
        signature=parts.base.sign_voucher(voucher),
        proof_block=block.number,
        proof_time=block.time,
    )
    return await _signed(request, payer, issue)


def _same(order: X402Order) -> IssueVoucher:
    """The voucher that the order has: recorded again, it is nothing new."""
    issued = order.minting.voucher
    assert issued is not None
    voucher = Voucher(issued.to, issued.fid, int(issued.voucher_nonce), issued.deadline)
    return IssueVoucher(
        fid=issued.fid,
        payment_type="mint",
        voucher=voucher,
        signature=issued.signature,
        proof_block=issued.proof_block,
        proof_time=issued.deadline,
    )


async def _voucher(parts: Parts, payer: Payer, seed: str) -> tuple[Block, Voucher]:
    """A voucher by the chain's clock; its nonce follows from `seed`, so it is used once."""
    block = await parts.chain.live()
    if block is None:
        raise ChainSilent()
    nonce = int.from_bytes(sha256(f"{payer.fid}/{seed}".encode()).digest()[:16])
    return block, Voucher(payer.wallet, payer.fid, nonce, block.time + MAX_TIMEOUT_S)


async def _signed(request: Request, payer: Payer, command: Command) -> Response:
    return spoken_voucher(await recorded(request, payer.who, command))


def spoken_voucher(outcome: Outcome) -> Response:
    """The answer with the address as wallets' libraries want it."""
    body: dict[str, Any] = outcome.answer.body
    voucher = body["voucher"]
    return answered(outcome, {**body, "voucher": {**voucher, "to": checksum(voucher["to"])}})
