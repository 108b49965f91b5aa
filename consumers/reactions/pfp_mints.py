"""Takes the units of a batch to their tokens: art, signature recorded, broadcast, finalized, read.

Between signing and the chain's word nothing else is signed for a unit; only a proof, or that the
bytes never left us, makes way for the next try. A tree without room costs no try.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import structlog

from commands.batch_mints import DropMint, FailMint, RecordToken, RequestMint, SignMint
from commands.batches import PaymentFailed, SeeBatch
from commands.command import Command, Outcome, look
from consumers.gateways.ports import Failure, TryAgain, WillNotWork
from consumers.gateways.solana_ports import SolanaChain, TokenMinter
from consumers.reactions.batch_payments import wanted_of
from consumers.reactions.grove import Trees
from consumers.reactions.pfp_art import Art
from consumers.reactions.promise import Desk, Promise
from domain.batch import Batch
from domain.batch_events import PfpMintSigned
from domain.pfp_unit import Unit

REASON_MAX = 500

log = structlog.get_logger()


class PfpMints:
    """`minters` by kind; new mints are signed by `minter`. `cap` bounds the pause of retries."""

    def __init__(
        self,
        desk: Desk,
        chain: SolanaChain,
        minters: Mapping[str, TokenMinter],
        minter: str,
        trees: Trees,
        art: Art,
        cap: timedelta,
    ) -> None:
        self._desk, self._chain, self._trees, self._art = desk, chain, trees, art
        self._minters, self._minter, self._cap = minters, minter, cap

    async def attend(self, promise: Promise) -> None:
        """One step further with each unit that somebody asked for, or that is due by itself."""
        batch = await self._see(promise.order_id)
        if batch.auto_mint and batch.paid and not batch.in_work:
            further = RequestMint(batch_id=batch.batch_id, background=True)
            await self._do(further, promise)
            batch = await self._see(promise.order_id)
        now = self._desk.now()
        due = [unit for unit in batch.in_work if not unit.retry_at or unit.retry_at <= now]
        await asyncio.gather(*(self._advance(batch, unit, promise) for unit in due))

    async def _see(self, batch_id: str) -> Batch:
        see = SeeBatch(batch_id=batch_id)
        return see.batch(await look(self._desk.ledger, see))

    async def _advance(self, batch: Batch, unit: Unit, promise: Promise) -> None:
        if unit.alive:
            await self._follow(batch, unit, unit.alive, promise)
            return
        try:
            await self._art.store(batch.batch_id, unit, cause=promise.todo_id)
            if batch.recipe == "pfp_batch":
                await self._sign(batch.batch_id, unit.index, promise)
        except Failure as failure:
            await self._fail(batch, unit, failure, promise)

    async def _sign(self, batch_id: str, index: int, promise: Promise) -> None:
        batch = await self._see(batch_id)
        unit, minter = batch.unit(index), self._minters[self._minter]
        tree = await self._trees.tree() if minter.kind == "bubblegum" else ""
        if minter.kind == "bubblegum" and not tree:
            return
        blockhash = await self._chain.blockhash()
        prepared = minter.sign_mint(wanted_of(batch, index), tree, blockhash)
        ids = {"batch_id": batch_id, "index": index, "number": unit.signed + 1}
        signing = SignMint(**ids, minter=minter.kind, tree=tree, prepared=prepared)
        for event in (await self._do(signing, promise)).events:
            if isinstance(event, PfpMintSigned):
                await self._first_broadcast(batch, index, event, promise)

    async def _first_broadcast(
        self, batch: Batch, index: int, signed: PfpMintSigned, promise: Promise
    ) -> None:
        """Refused by every node, the bytes are known to nobody but us, and never will be."""
        try:
            await self._chain.broadcast(signed.raw)
        except WillNotWork as refused:
            reason = f"refused: {refused.reason}"
            await self._drop(batch, index, signed, reason, promise, error_class="refused")
        except TryAgain as silent:
            log.info("mint_not_sent", batch=batch.batch_id, index=index, why=silent.reason)

    async def _follow(
        self, batch: Batch, unit: Unit, signed: PfpMintSigned, promise: Promise
    ) -> None:
        fate = await self._chain.fate(signed.signature)
        if fate is None:
            proof = await self._chain.absence(signed.signature, signed.last_valid_height)
            if proof:
                place = {"proof_height": proof.height, "proof_slot": proof.slot}
                await self._drop(batch, unit.index, signed, "lapsed", promise, **place)
            else:
                await self._chain.broadcast(signed.raw)
        elif fate.commitment == "finalized" and fate.error:
            place = {"proof_slot": fate.slot}
            await self._drop(batch, unit.index, signed, fate.error, promise, **place)
        elif fate.commitment == "finalized":
            wanted = wanted_of(batch, unit.index)
            token = await self._minters[signed.minter].token(signed.signature, wanted)
            if token:
                ids = {"batch_id": batch.batch_id, "index": unit.index}
                found = RecordToken(**ids, signature=signed.signature, token=token)
                await self._do(found, promise)

    async def _drop(
        self,
        batch: Batch,
        index: int,
        signed: PfpMintSigned,
        reason: str,
        promise: Promise,
        *,
        error_class: str = "transient",
        **proof: int,
    ) -> None:
        lapsed = reason == "lapsed"
        full = bool(signed.tree) and not lapsed and await self._trees.is_full(signed.tree)
        dropped = DropMint(
            batch_id=batch.batch_id,
            index=index,
            signature=signed.signature,
            reason=reason[:REASON_MAX],
            error_class=error_class,
            cap=self._cap,
            full=full,
            **proof,
        )
        await self._do(dropped, promise)

    async def _fail(self, batch: Batch, unit: Unit, failure: Failure, promise: Promise) -> None:
        log.warning("mint_failed", batch=batch.batch_id, index=unit.index, why=failure.reason)
        after_s = failure.after_s if isinstance(failure, TryAgain) else 0.0
        failed = FailMint(
            batch_id=batch.batch_id,
            index=unit.index,
            error_class=failure.error_class,
            reason=failure.reason[:REASON_MAX],
            cap=self._cap,
            wish=timedelta(seconds=after_s),
        )
        await self._do(failed, promise)
        now = await self._see(batch.batch_id)
        if now.recipe == "pfp_single" and not now.unit(unit.index).open:
            given_up = PaymentFailed(batch_id=batch.batch_id, reason=failure.error_class)
            await self._do(given_up, promise)

    async def _do(self, command: Command, promise: Promise) -> Outcome:
        return await self._desk.do(command, cause=promise.todo_id)
