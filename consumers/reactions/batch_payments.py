"""Follows the payment of a batch until it is finalized, or proven unable to land.

Our signature is the transaction's id and known from the start, so it does not matter who broadcasts
it. What the wallet handed in is sent again and again: the same bytes can land only once. Nothing is
given back before the proof. Spec `providers.md` §6, cases 1–5 and 11.
"""

from __future__ import annotations

import structlog

from commands.batches import Landed, LandedWithToken, PaymentFailed, PaymentLapsed, SeeBatch
from commands.command import Command, look
from consumers.gateways.ports import WillNotWork
from consumers.gateways.solana_ports import MintWanted, SolanaChain, TokenMinter
from consumers.reactions.promise import Desk, Promise
from domain.batch import Batch
from domain.pfp_unit import token_name

log = structlog.get_logger()


class BatchPayments:
    def __init__(self, desk: Desk, chain: SolanaChain, minter: TokenMinter) -> None:
        self._desk, self._chain, self._minter = desk, chain, minter

    async def attend(self, promise: Promise) -> None:
        """Records what the chain says of the transaction; sends it when nothing is known."""
        batch = await self._see(promise.order_id)
        if not batch.watched or batch.window is None:
            return
        if found := await self._outcome(batch):
            await self._desk.do(found, cause=promise.todo_id)

    async def _see(self, batch_id: str) -> Batch:
        see = SeeBatch(batch_id=batch_id)
        return see.batch(await look(self._desk.ledger, see))

    async def _outcome(self, batch: Batch) -> Command | None:
        assert batch.window is not None
        id_, signature = batch.batch_id, batch.window.signature
        fate = await self._chain.fate(signature)
        if fate is None:
            return await self._unseen(batch)
        if fate.commitment != "finalized":
            return None
        if fate.error:
            return PaymentFailed(batch_id=id_, reason=fate.error, slot=fate.slot)
        if batch.recipe == "pfp_single":
            token = await self._minter.token(signature, wanted_of(batch, 1))
            landed = {"batch_id": id_, "signature": signature, "slot": fate.slot}
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


def wanted_of(batch: Batch, index: int) -> MintWanted:
    """The token of a unit whose files are sealed."""
    unit = batch.unit(index)
    return MintWanted(
        owner=batch.wallet,
        name=token_name(unit.seed),
        uri=unit.uri("metadata"),
        reference=f"{batch.batch_id}/{index}",
    )
