"""What passes hear from the studio: how a generation goes on, line by line.

The lines are personal texts: they stay sealed in the feed, and whoever sends one reveals it under
the pass that its row names (`contract.md` §6, seed 001 §2.2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from domain import generation_events as happened
from ledger.codec import Recorded
from projections.announcer import Announcer
from projections.topics import topics_of

TOLD = "generation:message"


@dataclass(frozen=True, slots=True)
class Progress:
    """`pass_id` is whose the newest event is, whose key its text is sealed with."""

    generation_id: str
    pass_id: str
    mode: str
    status: str = ""
    over: bool = False


class GenerationMessages(Announcer[Progress]):
    """`kind` of the data says what it is: `message` (text), `status`, `done` (output_url) or
    `failed` (code; `CANCELLED` is one, too). Only what is under way is shown in a snapshot."""

    kind = "generations"
    type = TOLD
    topics = topics_of(
        happened.CreationBegun,
        happened.CreationAdvanced,
        happened.UserMessageTold,
        happened.MediaRequested,
        happened.CreationDelivered,
        happened.CreationFailed,
        happened.CreationCancelled,
    )
    state = Progress

    def key(self, event: Any) -> str:
        return str(event.generation_id)

    def fold(self, state: Progress | None, recorded: Recorded) -> Progress:
        event = recorded.event
        if isinstance(event, happened.CreationBegun):
            state = Progress(event.generation_id, event.pass_id, event.mma_mode)
        assert state is not None
        over = isinstance(
            event,
            happened.CreationDelivered | happened.CreationFailed | happened.CreationCancelled,
        )
        return replace(
            state,
            pass_id=recorded.metadata.get("pass_id") or state.pass_id,
            status=getattr(event, "mma_status", state.status),
            over=over,
        )

    def owner(self, state: Progress) -> str:
        return state.pass_id

    def show(self, state: Progress) -> dict[str, Any] | None:
        if state.over:
            return None
        about = {"generation_id": state.generation_id, "mode": state.mode}
        return {**about, "status": state.status}

    def tell(
        self, before: Progress | None, after: Progress, recorded: Recorded
    ) -> tuple[str, dict[str, Any]] | None:
        said = _said(before, after, recorded.event)
        return (self.type, {"generation_id": after.generation_id, **said}) if said else None


def _said(before: Progress | None, after: Progress, event: Any) -> dict[str, Any] | None:
    status = {"status": after.status}
    match event:
        case happened.UserMessageTold(text=text):
            return {"kind": "message", "text": text}
        case happened.CreationDelivered(output_url=url):
            return {"kind": "done", **status, "output_url": url}
        case happened.CreationFailed(error_code=code):
            return {"kind": "failed", **status, "code": code}
        case happened.CreationCancelled():
            return {"kind": "failed", **status, "code": "CANCELLED"}
    if before is not None and before.status == after.status:
        return None
    return {"kind": "status", **status}
