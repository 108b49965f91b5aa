"""Gets an x402 payment settled, and follows it and its mint until both are final.

The chain is asked before the facilitator and after it: an answer that never came, a settlement that
somebody else sent, and a hash that leads nowhere are all the same question there. Each call of the
facilitator is recorded before it leaves, and always brings the same authorization.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import structlog

from commands.command import look
from commands.x402_outcome import (
    EndOverdue,
    ForgetUnpaid,
    NameSettlement,
    RejectPayment,
    SeeX402Order,
    SettlementNotSent,
    TrySettlement,
)
from commands.x402_slot import authorization_claim
from consumers.gateways.ports import Failure, OutcomeUnknown
from consumers.gateways.x402_ports import Facilitator, SettleAnswer
from consumers.reactions.promise import Desk, Promise
from consumers.x402_evidence import X402Examiner
from domain.event import ERASED
from domain.x402 import EXPIRY_MARGIN_S, PaymentTerms
from domain.x402_attempt import Attempt
from domain.x402_duty import RETENTION
from domain.x402_events import PaymentType
from domain.x402_header import read_payment
from domain.x402_order import X402Order
from tracking_log import tell

UNTOLD = frozenset(
    {"", "unexpected_settle_error", "invalid_exact_evm_nonce_already_used", "duplicate_settlement"}
)
"""Refusals that do not say that nothing was sent."""

log = structlog.get_logger()


class Settlement:
    def __init__(
        self,
        desk: Desk,
        examiner: X402Examiner,
        facilitator: Facilitator,
        terms: Mapping[PaymentType, PaymentTerms],
    ) -> None:
        self._desk, self._examiner = desk, examiner
        self._facilitator, self._terms = facilitator, terms

    def claim(self, payer: str, nonce: str) -> str:
        """The claim of an authorization of ours."""
        terms = self._terms["mint"]
        return authorization_claim(terms.chain_id, terms.token, payer, nonce)

    async def attend(self, promise: Promise) -> None:
        """Takes in what the chain says; then hands in what is to be settled, and looks again."""
        order = await self.look_up(promise.order_id, cause=promise.todo_id)
        if open_ := order.attempts.in_flight:
            if await self._hand_in(order, open_, promise):
                await self.look_up(promise.order_id, cause=promise.todo_id)
            return
        await self._tidy(order, promise)

    async def look_up(self, order_id: str, *, cause: str) -> X402Order:
        """The order once everything that the chain says of it is recorded."""
        order = await self._order(order_id)
        found = await self._examiner.examine(order)
        for command in found:
            tell(await self._desk.do(command, cause=cause))
        return await self._order(order_id) if found else order

    async def _order(self, order_id: str) -> X402Order:
        see = SeeX402Order(order_id=order_id)
        return see.order(await look(self._desk.ledger, see))

    async def _hand_in(self, order: X402Order, attempt: Attempt, promise: Promise) -> bool:
        """Asks the facilitator once; False when there was no point in it any more."""
        head = await self._examiner.chain.head()
        if attempt.header == ERASED:
            return False
        if attempt.valid_before < head.time + EXPIRY_MARGIN_S:
            return False
        ids = {"order_id": order.order_id, "nonce": attempt.nonce}
        tried = await self._desk.do(TrySettlement(**ids), cause=promise.todo_id)
        if not tried.events:
            return False
        number = attempt.tries + 1
        try:
            answer = await self._settle(order, attempt)
        except OutcomeUnknown as unknown:
            log.warning("settlement_unknown", order=order.order_id, why=unknown.reason)
            return True
        except Failure:
            unsent = SettlementNotSent(**ids, number=number)
            await self._desk.do(unsent, cause=promise.todo_id)
            raise
        await self._take(order, attempt, answer, promise)
        return True

    async def _settle(self, order: X402Order, attempt: Attempt) -> SettleAnswer:
        """By the terms that were signed, whatever is asked today. One that a service told of was
        never verified here, and a facilitator may want that first."""
        assert order.terms is not None
        today = self._terms[order.terms.payment_type]
        terms = replace(today, amount=attempt.amount, pay_to=attempt.pay_to)
        payment, id_ = read_payment(attempt.header), attempt.payment_id
        if not attempt.facilitator:
            verdict = await self._facilitator.verify(payment, terms)
            if not verdict.valid:
                return SettleAnswer(settled=False, reason=verdict.reason)
            id_ = verdict.payment_id
        return await self._facilitator.settle(payment, terms, payment_id=id_)

    async def _take(
        self, order: X402Order, attempt: Attempt, answer: SettleAnswer, promise: Promise
    ) -> None:
        cause = promise.todo_id
        if answer.tx_hash:
            named = NameSettlement(order_id=order.order_id, tx_hash=answer.tx_hash)
            await self._desk.do(named, cause=cause)
        if answer.settled or answer.reason in UNTOLD:
            return
        if answer.pending and not await self._reverted(answer):
            return
        log.info("settlement_refused", order=order.order_id, why=answer.reason)
        now = await self.look_up(order.order_id, cause=cause)
        still = now.attempts.get(attempt.nonce)
        if still and still.alive:
            rejected = RejectPayment(
                order_id=order.order_id, nonce=attempt.nonce, reason=answer.reason[:200]
            )
            await self._desk.do(rejected, cause=cause)

    async def _reverted(self, answer: SettleAnswer) -> bool:
        """What was sent is in a block and failed there, which is as good as a refusal."""
        return bool(answer.tx_hash) and await self._examiner.chain.reverted(answer.tx_hash)

    async def _tidy(self, order: X402Order, promise: Promise) -> None:
        """What ends by time alone."""
        now = self._desk.now()
        if self._forgotten(order, now):
            done = await self._desk.do(ForgetUnpaid(order_id=order.order_id), cause=promise.todo_id)
            tell(done)
        if order.retry_until and now >= order.retry_until:
            await self._desk.do(EndOverdue(order_id=order.order_id), cause=promise.todo_id)

    def _forgotten(self, order: X402Order, now: datetime) -> bool:
        waits = order.attempts.verified if order.status == "verified" else None
        return waits is not None and now >= waits.expires_at + RETENTION
