"""Takes unlocks and upgrades to their token: watches the wallet's transaction, then mints.

What a wallet has signed is judged by its effect, finalized, since its id need not be known. Before
the proof of a burn nothing is signed; between signing and the chain's word nothing else is. A mint
that cannot be signed or sent is a failed try, visible at once, and tried again with the same
parameters until the token is there. Seed 002, Error Handling 1 and Recovery 1.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog

from commands.command import Command, look
from commands.upgrades import (
    ConfirmBurn,
    DropLevel,
    FailAttempt,
    FailLevel,
    LapseAttempt,
    RecordLevel,
    SeeUpgrade,
    SignLevel,
)
from consumers.gateways.level_ports import FaultClass, LevelTokens, LevelWanted
from consumers.gateways.ports import Failure, WillNotWork
from consumers.gateways.solana_ports import SolanaChain
from consumers.reactions.promise import Desk, Promise
from domain.upgrade import Upgrade
from domain.upgrade_attempt import SUPPORT_AFTER, Attempt
from domain.upgrade_events import LevelMintSigned, UpgradePrepared, UpgradeSubmitted

REASON_MAX = 500

log = structlog.get_logger()


class Levels:
    """`cap` bounds the pause between two tries to mint."""

    def __init__(self, desk: Desk, chain: SolanaChain, tokens: LevelTokens, cap: timedelta) -> None:
        self._desk, self._chain, self._tokens, self._cap = desk, chain, tokens, cap

    async def attend(self, promise: Promise) -> None:
        """One step further with what is open of a pass."""
        upgrade = await self._see(promise.order_id)
        for attempt in upgrade.watched:
            await self._watch(attempt, promise)
        owed = upgrade.recovery
        if owed and not (owed.retry_at and owed.retry_at > self._desk.now()):
            await self._deliver(owed, promise)

    # The wallet's transaction.

    async def _watch(self, attempt: Attempt, promise: Promise) -> None:
        """What was burned is looked for first: an exchange may have been signed as a mere burn."""
        terms = attempt.terms
        if terms.recipe != "nft_upgrade" and await self._landed(attempt, promise):
            return
        if terms.burns and (burned := await self._tokens.burned(terms.burns)):
            confirm = ConfirmBurn(
                owner=terms.pass_id,
                mint=burned.mint,
                burned_by=burned.owner,
                signature=burned.signature,
                slot=burned.slot,
                named=burned.reference,
            )
            await self._do(confirm, promise)
        elif attempt.window:
            await self._unseen(attempt, attempt.window, promise)

    async def _landed(self, attempt: Attempt, promise: Promise) -> bool:
        """Whether its token was minted by the wallet's own transaction."""
        found = await self._tokens.minted(
            wanted_of(attempt, attempt.terms.level, attempt.terms.cid)
        )
        if found is None:
            return False
        await self._record(attempt, attempt.terms.level, attempt.terms.cid, promise, *found)
        return True

    async def _unseen(self, attempt: Attempt, window: UpgradePrepared, promise: Promise) -> None:
        terms, height = attempt.terms, window.last_valid_height
        burn = terms.recipe == "nft_upgrade"
        proof = await (
            self._tokens.never_burned(terms.burns, height)
            if burn
            else self._tokens.never_minted(terms.mint, height)
        )
        if proof:
            await self._do(LapseAttempt(**about(attempt), proof=proof), promise)
        elif attempt.submitted and attempt.open:
            await self._send(attempt, attempt.submitted, promise)

    async def _send(self, attempt: Attempt, submitted: UpgradeSubmitted, promise: Promise) -> None:
        """The same bytes again and again, until the chain knows them or says why it does not."""
        fate = await self._chain.fate(submitted.signature)
        if fate and not (fate.error and submitted.raw):
            return  # of one that we have not seen, nobody knows what it was
        if fate:
            verdict = await self._chain.verdict(submitted.signature)
            if verdict and verdict.error:
                kind = self._tokens.fault(submitted.raw, verdict.error)
                await self._fail(attempt, kind, verdict.error, promise)
        elif submitted.raw:
            try:
                await self._chain.broadcast(submitted.raw)
            except WillNotWork as refused:
                kind = self._tokens.fault(submitted.raw, refused.reason)
                if kind != "RETRYING":
                    await self._fail(attempt, kind, refused.reason, promise)

    async def _fail(
        self, attempt: Attempt, kind: FaultClass, reason: str, promise: Promise
    ) -> None:
        log.warning("upgrade_failed", upgrade=attempt.terms.upgrade_id, kind=kind, why=reason)
        said = {"reason_class": kind, "reason": reason[:REASON_MAX]}
        await self._do(FailAttempt(**about(attempt), **said), promise)

    # The token that is owed.

    async def _deliver(self, owed: Attempt, promise: Promise) -> None:
        try:
            if owed.alive:
                await self._follow(owed, owed.alive, promise)
            else:
                await self._sign(owed, promise)
        except Failure as failure:
            await self._not_minted(owed, failure, promise)

    async def _sign(self, owed: Attempt, promise: Promise) -> None:
        """Looks first: the token may be there, and we have missed it."""
        wanted = wanted_of(owed, owed.level, owed.cid)
        if found := await self._tokens.minted(wanted):
            await self._record(owed, owed.level, owed.cid, promise, *found)
            return
        prepared = self._tokens.sign_mint(wanted, await self._chain.blockhash())
        signing = SignLevel(**about(owed), prepared=prepared, cid=owed.cid)
        for event in (await self._desk.do(signing, cause=promise.todo_id)).events:
            if isinstance(event, LevelMintSigned):
                await self._chain.broadcast(event.raw)

    async def _follow(self, owed: Attempt, signed: LevelMintSigned, promise: Promise) -> None:
        wanted = wanted_of(owed, signed.level, signed.cid)
        if found := await self._tokens.minted(wanted):
            await self._record(owed, signed.level, signed.cid, promise, *found)
            return
        fate = await self._chain.fate(signed.signature)
        if fate is None:
            proof = await self._chain.absence(signed.signature, signed.last_valid_height)
            if proof is None:
                # After a compensation was approved, what was signed before is only let lapse.
                if signed.cid == owed.cid:
                    await self._chain.broadcast(signed.raw)
                return
            place = {"proof_height": proof.height, "proof_slot": proof.slot}
            await self._drop(owed, signed, "it was not taken into a block in time", promise, place)
        elif fate.error:
            verdict = await self._chain.verdict(signed.signature)
            if verdict and verdict.error:
                await self._drop(owed, signed, verdict.error, promise, {"proof_slot": verdict.slot})

    async def _record(
        self, attempt: Attempt, level: int, cid: str, promise: Promise, token: Any, signature: str
    ) -> None:
        said = {"level": level, "cid": cid, "token": token, "signature": signature}
        await self._do(RecordLevel(**about(attempt), **said), promise)

    async def _drop(
        self,
        owed: Attempt,
        signed: LevelMintSigned,
        reason: str,
        promise: Promise,
        place: dict[str, int],
    ) -> None:
        self._cry(owed, reason)
        dropped = DropLevel(
            **about(owed),
            signature=signed.signature,
            error_class="transient",
            reason=reason[:REASON_MAX],
            cap=self._cap,
            **place,
        )
        await self._do(dropped, promise)

    async def _not_minted(self, owed: Attempt, failure: Failure, promise: Promise) -> None:
        self._cry(owed, failure.reason)
        failed = FailLevel(
            **about(owed),
            error_class=failure.error_class,
            reason=failure.reason[:REASON_MAX],
            cap=self._cap,
        )
        await self._do(failed, promise)

    def _cry(self, owed: Attempt, reason: str) -> None:
        """A token was burned and its successor is not there: somebody has to know at once."""
        ids = {"upgrade": owed.terms.upgrade_id, "pass_id": owed.terms.pass_id}
        support = owed.tried + 1 >= SUPPORT_AFTER
        log.critical(
            "burned_but_not_minted", **ids, tried=owed.tried + 1, support=support, why=reason
        )

    # Helpers.

    async def _see(self, owner: str) -> Upgrade:
        see = SeeUpgrade(owner=owner)
        return see.upgrade(await look(self._desk.ledger, see))

    async def _do(self, command: Command, promise: Promise) -> None:
        await self._desk.do(command, cause=promise.todo_id)


def wanted_of(attempt: Attempt, level: int, cid: str) -> LevelWanted:
    terms = attempt.terms
    return LevelWanted(owner=terms.wallet, level=level, cid=cid, reference=terms.upgrade_id)


def about(attempt: Attempt) -> dict[str, str]:
    """The ids by which a command names it."""
    return {"owner": attempt.terms.pass_id, "upgrade_id": attempt.terms.upgrade_id}
