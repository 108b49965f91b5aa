"""One act of the studio while it lasts, and the four members that are recorded of it.

Seed 001 §12.2: `input`, `output`, `timing`, `error`. Which end of a generation a failure means:
`providers.md` §0 and `contract.md` §7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from commands.command import look
from commands.generations import RecordStep, SeeGeneration
from consumers.gateways.mma_ports import NotWhole
from consumers.gateways.ports import Failure, WillNotWork
from consumers.reactions.pictures import without
from consumers.reactions.promise import Desk
from domain.generation import Generation
from domain.generation_events import CreationBegun, ErrorCode

log = structlog.get_logger()

TRIES_MAX = 40
"""Rows of one step that failed; whoever tries with pauses meets the deadline first."""
REASON_MAX = 300
CUT = "incomplete"

ENDS: Mapping[str, ErrorCode] = {
    "refused": "CONTENT_REFUSED",
    "quota": "AI_CREDIT_EXHAUSTED",
}


@dataclass(frozen=True, slots=True)
class Act:
    """`words` are what a failure may repeat and nobody may read; `input` has them marked."""

    type: str
    input: dict[str, Any]
    started_at: datetime
    words: str = ""
    provider: str | None = None
    model: str | None = None

    def done(self, output: dict[str, Any], at: datetime) -> dict[str, Any]:
        return self._payload(output, None, at)

    def failed(self, failure: Failure, at: datetime) -> dict[str, Any]:
        class_ = CUT if isinstance(failure, NotWhole) else failure.error_class
        return self._payload({}, {"class": class_, "reason": self.reason(failure)}, at)

    def reason(self, failure: Failure) -> str:
        said = without(self.words, failure.reason) if self.words else failure.reason
        return said[:REASON_MAX]

    def _payload(
        self, output: dict[str, Any], error: dict[str, Any] | None, at: datetime
    ) -> dict[str, Any]:
        ended_at = max(at, self.started_at)
        timing = {
            "started_at": self.started_at.isoformat(),
            "ended_at": ended_at.isoformat(),
            "duration_ms": (ended_at - self.started_at) // timedelta(milliseconds=1),
        }
        return {"input": self.input, "output": output, "timing": timing, "error": error}


class Book:
    """What a reaction sees and records of a generation, on behalf of its promise."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def see(self, generation_id: str) -> Generation:
        asked = SeeGeneration(generation_id=generation_id)
        return asked.generation(await look(self.desk.ledger, asked))

    async def owner(self, generation_id: str) -> str:
        """The pass whose it is today."""
        asked = SeeGeneration(generation_id=generation_id)
        return asked.pass_id(await look(self.desk.ledger, asked))

    async def parent(self, known: Generation) -> Generation | None:
        """What it was made from, if that was one of ours."""
        parent_id = terms_of(known).parent_id
        return await self.see(parent_id.removeprefix("generation:")) if parent_id else None

    async def succeeded(
        self, known: Generation, act: Act, output: dict[str, Any], line: str = ""
    ) -> None:
        await self._record(known, act, act.done(output, self.desk.now()), line=line)

    async def failed(self, known: Generation, act: Act, failure: Failure) -> None:
        """Ends nothing: it is tried again, or nobody needs it."""
        await self._record(known, act, act.failed(failure, self.desk.now()))

    async def gave_up(self, known: Generation, act: Act, failure: Failure) -> None:
        """The generation ends with it."""
        code = ENDS.get(failure.error_class, "PROVIDER_FAILED")
        told = {"generation": terms_of(known).generation_id, "step": act.type}
        log.warning("creation_given_up", **told, code=code, why=act.reason(failure))
        payload = act.failed(failure, self.desk.now())
        await self._record(known, act, payload, ends=(code, act.reason(failure)))

    async def _record(
        self, known: Generation, act: Act, payload: dict[str, Any], **more: Any
    ) -> None:
        command = RecordStep(
            generation_id=terms_of(known).generation_id,
            type=act.type,
            payload=payload,
            after=len(known.steps),
            provider=act.provider,
            model=act.model,
            **more,
        )
        await self.desk.do(command, cause=cause_of(known))


def terms_of(known: Generation) -> CreationBegun:
    assert known.terms is not None
    return known.terms


def cause_of(known: Generation) -> str:
    return f"mma:{terms_of(known).generation_id}"


def is_last(failed_before: int, failure: Failure) -> bool:
    """Whether a step that failed is not tried again."""
    return isinstance(failure, WillNotWork) or failed_before + 1 >= TRIES_MAX
