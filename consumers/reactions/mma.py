"""Goes on with a still or a video until it is delivered, or waits for somebody else.

Every step is in the ledger before the next one begins, so that a process that dies loses one step
at most. What was asked for and comes after the end is kept as late, and never charged.
Seed 001 §6–§8, `contract.md` §7.
"""

from __future__ import annotations

from datetime import timedelta

from commands.command import look
from commands.config import SeeConfig
from commands.generations import Advance, Deliver, EndOverdue, KeepLate, StopWaiting
from consumers.gateways.mma_ports import Felt, MediaProviders, MediaStore, Texts
from consumers.reactions.mma_acts import Book, cause_of, terms_of
from consumers.reactions.mma_media import CallbackUrl, Making
from consumers.reactions.mma_steps import LAST_LOOK_S, GptSteps
from consumers.reactions.promise import Desk, Promise
from domain.generation import LATE, Generation
from domain.pipeline import Planned, made_by, next_step, post_scan_of
from domain.studio_config import POST_SCAN_KEY, switch_of

STEPS_MAX = 100
SPARE = timedelta(seconds=LAST_LOOK_S + 5)
"""Closer to its deadline than this, a still is delivered without a last look at it."""


class Creations:
    def __init__(
        self,
        desk: Desk,
        texts: Texts,
        felt: Felt,
        providers: MediaProviders,
        store: MediaStore,
        callback: CallbackUrl,
    ) -> None:
        self._desk, self._book = desk, Book(desk)
        self._steps = GptSteps(self._book, texts, felt)
        self._making = Making(self._book, providers, store, callback)

    async def attend(self, promise: Promise) -> None:
        """As many steps as can be done now. Raises the failure that passes by waiting."""
        for _ in range(STEPS_MAX):
            known = await self._book.see(promise.order_id)
            if not known.begun or not await self._go_on(known):
                return

    async def end(self, promise: Promise) -> None:
        """Its deadline has come, whatever `attend` waits for."""
        await self._desk.do(EndOverdue(generation_id=promise.order_id), cause=promise.todo_id)

    async def _go_on(self, known: Generation) -> bool:
        """One step; False: there is nothing to do now."""
        if known.ended:
            return known.awaits_late and await self._wait_late(known)
        terms = terms_of(known)
        if self._desk.now() >= terms.deadline_at:
            overdue = EndOverdue(generation_id=terms.generation_id)
            await self._desk.do(overdue, cause=cause_of(known))
            return True
        planned = next_step(known)
        if planned is None:
            await self._finish(known)
        elif planned.makes_media:
            return await self._making.go_on(known, planned)
        else:
            await self._tell(known, planned)
            await self._steps.take(known, planned)
        return True

    async def _finish(self, known: Generation) -> None:
        planned = await self._last_look(known)
        if planned:
            await self._tell(known, planned)
            await self._steps.look_back(known, planned)
        else:
            deliver = Deliver(generation_id=terms_of(known).generation_id)
            await self._desk.do(deliver, cause=cause_of(known))

    async def _last_look(self, known: Generation) -> Planned | None:
        asked = SeeConfig(key=POST_SCAN_KEY)
        value = asked.config(await look(self._desk.ledger, asked)).value(POST_SCAN_KEY)
        late = self._desk.now() + SPARE >= terms_of(known).deadline_at
        return None if late or not switch_of(value) else post_scan_of(known)

    async def _wait_late(self, known: Generation) -> bool:
        """The end did not wait for who makes it; what comes still is kept."""
        terms = terms_of(known)
        if self._desk.now() >= terms.deadline_at + LATE:
            await self._stop_waiting(known, "nothing came in time")
            return True
        planned = next_step(known)
        if known.media and planned:
            return await self._making.go_on(known, planned)
        if planned:
            await self._stop_waiting(known, "it was not made")
            return True
        made = made_by(known)
        late = KeepLate(
            generation_id=terms.generation_id,
            url=made["output_url"],
            sha256=made["sha256"],
            bytes=made["bytes"],
            content_type=made["content_type"],
        )
        await self._desk.do(late, cause=cause_of(known))
        return True

    async def _stop_waiting(self, known: Generation, reason: str) -> None:
        stop = StopWaiting(generation_id=terms_of(known).generation_id, reason=reason)
        await self._desk.do(stop, cause=cause_of(known))

    async def _tell(self, known: Generation, planned: Planned) -> None:
        going = Advance(
            generation_id=terms_of(known).generation_id, status=planned.status, line=planned.line
        )
        await self._desk.do(going, cause=cause_of(known))
