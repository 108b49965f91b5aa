"""Follows the payment of a batch until it is finalized, or proven unable to land.

Our signature is the transaction's id and known from the start, so it does not matter who broadcasts
it. What the wallet handed in is sent again and again: the same bytes can land only once. Nothing is
given back before the proof. Spec `providers.md` §6, cases 1–5 and 11.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from commands.batches import GiveUp, Landed, LandedWithToken, PaymentFailed, PaymentLapsed
from commands.command import Command
from consumers.gateways.ports import WillNotWork
from consumers.gateways.solana_ports import SolanaChain, TokenMinter
from consumers.reactions.pfp_units import Units, wanted_of
from consumers.reactions.promise import Promise
from domain.batch import Batch

log = structlog.get_logger()


class BatchPayments:
    """`minters` by kind: who mints in a transaction that pays, too."""

    def __init__(
        self, units: Units, chain: SolanaChain, minters: Mapping[str, TokenMinter]
    ) -> None:
        self._units, self._chain, self._minters = units, chain, minters

    async def attend(self, promise: Promise) -> None:
        """Records what the chain says of the transaction; sends it when nothing is known."""
        batch = await self._units.batch(promise.order_id)
        if batch.window is None:
            await self._units.do(GiveUp(batch_id=batch.batch_id, reason="not prepared"), promise)
        elif batch.watched and (found := await self._outcome(batch)):
            await self._units.do(found, promise)

    async def _outcome(self, batch: Batch) -> Command | None:
        assert batch.window is not None
        id_, signature = batch.batch_id, batch.window.signature
        fate = await self._chain.fate(signature)
        if fate is None:
            return await self._unseen(batch)
        finalized = fate.commitment == "finalized"
        verdict = await self._chain.verdict(signature) if finalized else None
        if verdict is None:
            return None
        if verdict.error:
            return PaymentFailed(batch_id=id_, reason=verdict.error, slot=verdict.slot)
        if batch.recipe == "pfp_single":
            minter = self._minters[batch.window.minter]
            token = await minter.token(signature, wanted_of(batch, 1))
            landed = {"batch_id": id_, "signature": signature, "slot": verdict.slot}
            return LandedWithToken(**landed, token=token) if token else None
        paid = await self._chain.paid(signature)
        if paid is None:
            return None
        if paid.lamports < batch.lamports:
            log.critical("payee_gained_too_little", batch=id_, gained=paid.lamports)
        return Landed(batch_id=id_, signature=signature, slot=paid.slot)

    async def _unseen(self, batch: Batch) -> Command | None:
        assert batch.window is not None
        window = batch.window
        proof = await self._chain.absence(window.signature, window.last_valid_height)
        if proof:
            return PaymentLapsed(batch_id=batch.batch_id, proof=proof)
        if batch.submitted and not batch.ended:
            try:
                await self._chain.broadcast(batch.submitted.raw)
            except WillNotWork as refused:
                log.info("payment_refused", batch=batch.batch_id, why=refused.reason)
        return None
