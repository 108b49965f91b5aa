"""What the reactions to a batch share: a look at it, its units in turn, and a try that failed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta

import structlog

from commands.batch_mints import FailMint, SeeUnits
from commands.command import Command, Outcome, look
from consumers.gateways.ports import Failure, TryAgain
from consumers.gateways.solana_ports import MintWanted
from consumers.reactions.promise import Desk, Promise
from domain.batch import Batch
from domain.pfp_unit import Unit, token_name

REASON_MAX = 500

log = structlog.get_logger()


class Units:
    """`cap` bounds the pause between two tries with a unit."""

    def __init__(self, desk: Desk, cap: timedelta) -> None:
        self._desk, self.cap = desk, cap

    async def batch(self, batch_id: str) -> Batch:
        see = SeeUnits(batch_id=batch_id)
        return see.batch(await look(self._desk.ledger, see))

    async def do(self, command: Command, promise: Promise) -> Outcome:
        return await self._desk.do(command, cause=promise.todo_id)

    async def each(self, units: Iterable[Unit], step: Callable[[Unit], Awaitable[None]]) -> None:
        """One step with every unit whose time has come, all at once. What ends one of them is
        raised when the others are through, since nobody else may touch the batch before."""
        now = self._desk.now()
        due = [unit for unit in units if not unit.retry_at or unit.retry_at <= now]
        ended = await asyncio.gather(*map(step, due), return_exceptions=True)
        for how in ended:
            if how is not None:
                raise how

    async def fail(self, batch: Batch, unit: Unit, failure: Failure, promise: Promise) -> None:
        """A try came to nothing before anything was signed."""
        log.warning("mint_failed", batch=batch.batch_id, index=unit.index, why=failure.reason)
        after_s = failure.after_s if isinstance(failure, TryAgain) else 0.0
        failed = FailMint(
            batch_id=batch.batch_id,
            index=unit.index,
            error_class=failure.error_class,
            reason=failure.reason[:REASON_MAX],
            cap=self.cap,
            wish=timedelta(seconds=after_s),
        )
        await self.do(failed, promise)


def wanted_of(batch: Batch, index: int) -> MintWanted:
    """The token of a unit whose files are sealed."""
    unit = batch.unit(index)
    return MintWanted(
        owner=batch.wallet,
        name=token_name(unit.seed),
        uri=unit.uri("metadata"),
        reference=f"{batch.batch_id}/{index}",
    )
