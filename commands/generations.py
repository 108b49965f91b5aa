"""What happens to a generation that was begun: its steps, its end, and what people say about it.

Its end and the end of its hold are one append: delivered and captured, or ended and released.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from commands.command import Answer, Command, Seen
from commands.passes import current_pass, followed, matcha_of, survivors
from domain.event import Event
from domain.generation import Generation
from domain.generation_events import (
    CreationDelivered,
    ErrorCode,
    EventType,
    Status,
    generation_stream,
)
from domain.matcha import MatchaAccount, matcha_stream
from domain.matcha_lots import Why
from domain.pipeline import made_by, prompt_of, vars_of


class WithGeneration(Command):
    """Sees a generation and the matcha of the pass whose it is today."""

    generation_id: str

    @property
    def stream(self) -> str:
        return generation_stream(self.generation_id)

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.stream
        if self.stream in seen and self.generation(seen).begun:
            owner = self.generation(seen).pass_id
            yield from survivors(seen, owner)
            if followed(seen, owner):
                yield matcha_stream(self.pass_id(seen))

    def generation(self, seen: Seen) -> Generation:
        return seen.get(Generation, self.stream)

    def account(self, seen: Seen) -> MatchaAccount:
        return matcha_of(seen, self.pass_id(seen))

    def pass_id(self, seen: Seen) -> str:
        owner = self.generation(seen).pass_id
        known = current_pass(seen, owner) if owner in seen else None
        return known.pass_id or owner if known else owner

    def released(self, seen: Seen, ended: list[Event], reason: Why, at: datetime) -> list[Event]:
        """`ended`, and with it the hold."""
        if not ended:
            return []
        freed = self.account(seen).release(self.pass_id(seen), self.generation_id, reason, at)
        return [*ended, *freed]


class SeeGeneration(WithGeneration):
    """Decides nothing: what a reaction or a route looks at."""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []


class Advance(WithGeneration):
    """It goes on: a status, and a friendly line for whoever waits."""

    status: Status
    line: str = ""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        known = self.generation(seen)
        told = known.tell(self.generation_id, self.line) if self.line else []
        return [*known.advance(self.generation_id, self.status), *told]


class RecordStep(WithGeneration):
    """One act, done or failed, seen while there were `after` steps: a second worker's is dropped.
    `line` is what is told with it; `ends` (code, reason) ends the generation."""

    type: str
    payload: dict[str, Any]
    after: int
    provider: str | None = None
    model: str | None = None
    line: str = ""
    ends: tuple[ErrorCode, str] | None = None

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        known, id_ = self.generation(seen), self.generation_id
        if len(known.steps) != self.after:
            return []
        step = known.record(id_, self.type, self.payload, provider=self.provider, model=self.model)
        told = known.tell(id_, self.line) if self.line else []
        if self.ends is None:
            return [*step, *told]
        failed = known.evolve(step[0]).fail(id_, *self.ends)
        return [*step, *self.released(seen, failed, "failed", at)]


class RequestMedia(WithGeneration):
    """The intent to have it made, before the provider is asked."""

    provider: str
    model: str
    line: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        known, id_ = self.generation(seen), self.generation_id
        asked = known.request_media(id_, self.provider, self.model, prompt_of(known), at)
        return [*asked, *(known.tell(id_, self.line) if asked else [])]


class MediaTaken(WithGeneration):
    """The provider has taken it on as `task_id`."""

    attempt: int
    task_id: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.generation(seen).submit_media(self.generation_id, self.attempt, self.task_id)


class CallBack(WithGeneration):
    """A provider, or somebody in its name, says that there is news."""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.generation(seen).call_back(self.generation_id)


class Deliver(WithGeneration):
    """What was made and stored is delivered, and paid for with what is held. After the deadline
    it fails instead: what is held ends with the deadline, too. So it does when the hold has ended
    first, which a process can find that stood still since it looked at the clock."""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        known = self.generation(seen)
        if overdue := known.overdue(self.generation_id, at) or self._unpaid(seen):
            return self.released(seen, overdue, "failed", at)
        delivered = known.deliver(self._delivered(known, at))
        if not delivered:
            return []
        return [*delivered, *self.account(seen).capture(self.pass_id(seen), self.generation_id, at)]

    def _unpaid(self, seen: Seen) -> list[Event]:
        known, id_ = self.generation(seen), self.generation_id
        if not known.terms or not known.terms.cost or id_ in self.account(seen).holds:
            return []
        return known.fail(id_, "TIMED_OUT", "the hold has ended")

    def _delivered(self, known: Generation, at: datetime) -> CreationDelivered:
        made, terms = made_by(known), known.terms
        assert terms is not None
        return CreationDelivered(
            generation_id=self.generation_id,
            parent_id=terms.parent_id,
            mma_mode=terms.mma_mode,
            output_url=made["output_url"],
            content_type=made["content_type"],
            sha256=made["sha256"],
            bytes=made["bytes"],
            provider=terms.provider,
            model=made["model"],
            prompt=prompt_of(known),
            mma_vars=vars_of(known),
            delivered_at=at,
        )


class FailCreation(WithGeneration):
    code: ErrorCode
    reason: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        failed = self.generation(seen).fail(self.generation_id, self.code, self.reason)
        return self.released(seen, failed, "failed", at)


class EndOverdue(WithGeneration):
    """Fails it once its deadline has passed."""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        overdue = self.generation(seen).overdue(self.generation_id, at)
        return self.released(seen, overdue, "failed", at)


class CancelCreation(WithGeneration):
    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        cancelled = self.generation(seen).cancel(self.generation_id)
        return self.released(seen, cancelled, "cancelled", at)

    def answer(self, seen: Seen, new: bool) -> Answer:
        status = self.generation(seen).status
        return Answer(200, {"generation_id": self.generation_id, "status": status})


class KeepLate(WithGeneration):
    """What came after the end; administrators see it, nobody pays."""

    url: str
    sha256: str
    bytes: int
    content_type: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        late = (self.url, self.sha256, self.bytes, self.content_type)
        return self.generation(seen).keep_late(self.generation_id, *late)


class StopWaiting(WithGeneration):
    """Nothing came after the end."""

    reason: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.generation(seen).stop_waiting(self.generation_id, self.reason)


class SayEvent(WithGeneration):
    """Somebody liked, disliked or downloaded it; `more` is JSON of the page."""

    event_id: str
    type: EventType
    more: str = ""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        known, id_ = self.generation(seen), self.generation_id
        if self.type in ("like", "dislike", "download"):
            known.must_be_delivered()
        return known.echo.say(id_, self.pass_id(seen), self.event_id, self.type, self.more)

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, {"event_type": self.type, "liked": self.generation(seen).echo.liked})


class GiveFeedback(WithGeneration):
    """Words about a video, kept and nothing else."""

    feedback_id: str
    event_id: str
    text: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        known, id_ = self.generation(seen), self.generation_id
        known.must_be_video()
        given = known.echo.give_feedback(id_, self.pass_id(seen), self.feedback_id, self.text)
        said = known.echo.say(id_, self.pass_id(seen), self.event_id, "feedback")
        return [*given, *said]

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, {"generation_id": self.generation_id, "stored": True})
