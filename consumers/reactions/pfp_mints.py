"""Takes units whose files are stored to their tokens: signed, recorded, broadcast, final, read.

Between signing and the chain's word nothing else is signed for a unit: only the proof that its
bytes can never land makes way for the next try. A node that refuses them proves nothing. A tree
without room costs no try.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from commands.batch_mints import DropMint, RecordToken, SignMint
from consumers.gateways.ports import Failure, TryAgain, WillNotWork
from consumers.gateways.solana_ports import SolanaChain, TokenMinter
from consumers.reactions.grove import Trees
from consumers.reactions.pfp_units import REASON_MAX, Units, wanted_of
from consumers.reactions.promise import Promise
from domain.batch import Batch
from domain.batch_events import PfpMintSigned
from domain.pfp_unit import Unit

log = structlog.get_logger()


class PfpMints:
    """`minters` by kind; new mints are signed by `minter`."""

    def __init__(
        self,
        units: Units,
        chain: SolanaChain,
        minters: Mapping[str, TokenMinter],
        minter: str,
        trees: Trees,
    ) -> None:
        self._units, self._chain, self._trees = units, chain, trees
        self._minters, self._minter = minters, minter

    async def attend(self, promise: Promise) -> None:
        """One step further with each unit that is ready for the chain, or on it."""
        batch = await self._units.batch(promise.order_id)
        if batch.recipe == "pfp_single":
            await self._tree()
            return
        stored = [unit for unit in batch.in_work if unit.art_stored]
        await self._units.each(stored, lambda unit: self._advance(batch, unit, promise))

    async def _tree(self) -> str | None:
        """The tree to mint into, empty for a minter that needs none; None while one grows."""
        if self._minters[self._minter].kind == "spl":
            return ""
        return await self._trees.tree() or None

    async def _advance(self, batch: Batch, unit: Unit, promise: Promise) -> None:
        if unit.alive:
            await self._follow(batch, unit, unit.alive, promise)
            return
        try:
            await self._sign(batch, unit, promise)
        except Failure as failure:
            await self._units.fail(batch, unit, failure, promise)

    async def _sign(self, batch: Batch, unit: Unit, promise: Promise) -> None:
        minter, tree = self._minters[self._minter], await self._tree()
        if tree is None:
            return
        blockhash = await self._chain.blockhash()
        prepared = minter.sign_mint(wanted_of(batch, unit.index), tree, blockhash)
        ids = {"batch_id": batch.batch_id, "index": unit.index, "number": unit.signed + 1}
        signing = SignMint(**ids, minter=minter.kind, tree=tree, prepared=prepared)
        for event in (await self._units.do(signing, promise)).events:
            if isinstance(event, PfpMintSigned):
                await self._broadcast(batch, event)

    async def _broadcast(self, batch: Batch, signed: PfpMintSigned) -> None:
        try:
            await self._chain.broadcast(signed.raw)
        except (TryAgain, WillNotWork) as unsent:
            ids = {"batch": batch.batch_id, "index": signed.index}
            log.warning("mint_not_sent", **ids, why=unsent.reason)

    async def _follow(
        self, batch: Batch, unit: Unit, signed: PfpMintSigned, promise: Promise
    ) -> None:
        fate = await self._chain.fate(signed.signature)
        if fate is None:
            proof = await self._chain.absence(signed.signature, signed.last_valid_height)
            if proof is None:
                await self._broadcast(batch, signed)
                return
            place = {"proof_height": proof.height, "proof_slot": proof.slot}
            await self._drop(batch, unit.index, signed, "lapsed", promise, **place)
        elif fate.commitment != "finalized":
            return
        elif verdict := await self._chain.verdict(signed.signature):
            if verdict.error:
                place = {"proof_slot": verdict.slot}
                await self._drop(batch, unit.index, signed, verdict.error, promise, **place)
            else:
                await self._record(batch, unit.index, signed, promise)

    async def _record(
        self, batch: Batch, index: int, signed: PfpMintSigned, promise: Promise
    ) -> None:
        wanted = wanted_of(batch, index)
        token = await self._minters[signed.minter].token(signed.signature, wanted)
        if token:
            ids = {"batch_id": batch.batch_id, "index": index}
            found = RecordToken(**ids, signature=signed.signature, token=token)
            await self._units.do(found, promise)

    async def _drop(
        self,
        batch: Batch,
        index: int,
        signed: PfpMintSigned,
        reason: str,
        promise: Promise,
        **proof: int,
    ) -> None:
        full = bool(signed.tree) and await self._trees.is_full(signed.tree)
        dropped = DropMint(
            batch_id=batch.batch_id,
            index=index,
            signature=signed.signature,
            reason=reason[:REASON_MAX],
            error_class="transient",
            cap=self._units.cap,
            full=full,
            **proof,
        )
        await self._units.do(dropped, promise)
