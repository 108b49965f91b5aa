"""Generation: one still or one video, from a brief to the picture or film that is paid for.

Life: begun → steps (scans, prompt, making, post-scan) → delivered, failed or cancelled; what comes
after the end is kept as late and never charged. The matcha for it is held when it is begun and ends
with it: captured with the delivery, released otherwise, in the same append (`decisions.md` C5).
Steps are numbered from 1 without a gap. Seed 001 §6–§8, `contract.md` §7.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from domain.event import Event
from domain.generation_echo import Echo
from domain.generation_events import (
    CreationAdvanced,
    CreationBegun,
    CreationCancelled,
    CreationDelivered,
    CreationFailed,
    ErrorCode,
    FeedbackGiven,
    LateOutputKept,
    LateOutputMissing,
    MediaRequested,
    MediaSubmitted,
    MmaEventRecorded,
    ProviderCalledBack,
    Status,
    StepRecorded,
    UserMessageTold,
    generation_stream,
)
from domain.generation_lines import DONE, SORRY
from domain.generation_parts import Media, Step
from domain.generation_refusals import (
    AlreadyEnded,
    NeverFinished,
    NotAStill,
    NotAVideo,
    NotFinished,
)
from domain.state import changed

HOLD = timedelta(minutes=60)
DEADLINES = {"still": timedelta(minutes=5), "video": timedelta(minutes=15)}
LATE = timedelta(hours=1)
MESSAGES_MAX = 40
CALLBACKS_MAX = 20


@dataclass(frozen=True)
class Generation:
    terms: CreationBegun | None = None
    status: Status = "queued"
    steps: tuple[Step, ...] = ()
    media: Media | None = None
    messages: tuple[str, ...] = ()
    delivered: CreationDelivered | None = None
    failed: CreationFailed | None = None
    ended: bool = False
    awaits_late: bool = False
    late_url: str = ""
    callbacks: int = 0
    echo: Echo = field(default_factory=Echo)

    # Questions.

    @property
    def begun(self) -> bool:
        return self.terms is not None

    @property
    def pass_id(self) -> str:
        return self.terms.pass_id if self.terms else ""

    @property
    def underway(self) -> bool:
        return self.begun and not self.ended

    @property
    def waits_for_media(self) -> bool:
        """A provider was asked and has neither given nor refused it."""
        return self.media is not None

    def outputs(self, *types: str) -> list[dict[str, Any]]:
        """What the steps of these types gave, oldest first."""
        return [s.output for s in self.steps if s.type in types and s.output is not None]

    def failures(self, type_: str) -> list[Step]:
        """The newest steps of this type, as long as they failed; newest first."""
        newest = [step for step in reversed(self.steps) if step.type == type_]
        return list(takewhile(lambda step: step.output is None, newest))

    # Decisions.

    def begin(self, terms: CreationBegun) -> list[Event]:
        return [] if self.begun else [terms]

    def advance(self, generation_id: str, status: Status) -> list[Event]:
        if self.ended or self.status == status:
            return []
        return [CreationAdvanced(generation_id=generation_id, mma_status=status)]

    def tell(self, generation_id: str, text: str) -> list[Event]:
        """A line, unless it is the last one that was told, or nobody waits."""
        number = len(self.messages) + 1
        if self.ended or number > MESSAGES_MAX or self.messages[-1:] == (text,):
            return []
        id_ = f"user_message:{generation_id}:{number}"
        return [UserMessageTold(generation_id=generation_id, mg_id=id_, number=number, text=text)]

    def record(
        self,
        generation_id: str,
        type_: str,
        payload: dict[str, Any],
        *,
        provider: str | None = None,
        model: str | None = None,
    ) -> list[Event]:
        """The next step; one that ends when the generation has ended already is recorded, too."""
        number = len(self.steps) + 1
        step = StepRecorded(
            generation_id=generation_id,
            mg_id=f"mma_step:{generation_id}:{number}",
            parent_id=generation_stream(generation_id),
            step_no=number,
            step_type=type_,
            provider=provider,
            model=model,
            payload=payload,
        )
        return [step]

    def request_media(
        self, generation_id: str, provider: str, model: str, prompt: str, at: datetime
    ) -> list[Event]:
        """The intent, or silence while an attempt is open."""
        if self.ended or self.media:
            return []
        attempt = len([s for s in self.steps if s.type.endswith("_generate")]) + 1
        return [
            MediaRequested(
                generation_id=generation_id,
                attempt=attempt,
                provider=provider,
                model=model,
                prompt=prompt,
                requested_at=at,
            )
        ]

    def submit_media(self, generation_id: str, attempt: int, task_id: str) -> list[Event]:
        if self.media is None or self.media.attempt != attempt or self.media.task_id:
            return []
        id_ = f"mma_call:{generation_id}:{attempt}"
        submitted = MediaSubmitted(
            generation_id=generation_id, mg_id=id_, attempt=attempt, task_id=task_id
        )
        return [submitted]

    def call_back(self, generation_id: str) -> list[Event]:
        """Somebody says that there is news, which nobody has to believe."""
        if self.media is None or self.callbacks >= CALLBACKS_MAX:
            return []
        number = self.callbacks + 1
        id_ = f"mma_call:{generation_id}:callback:{number}"
        return [ProviderCalledBack(mg_id=id_, generation_id=generation_id, number=number)]

    def deliver(self, delivered: CreationDelivered) -> list[Event]:
        if not self.underway:
            return []
        return [*self.tell(delivered.generation_id, DONE[delivered.mma_mode]), delivered]

    def fail(self, generation_id: str, code: ErrorCode, reason: str) -> list[Event]:
        if not self.underway:
            return []
        failed = CreationFailed(generation_id=generation_id, error_code=code, reason=reason)
        return [*self.tell(generation_id, SORRY[code]), failed]

    def overdue(self, generation_id: str, at: datetime) -> list[Event]:
        """Fails it once its deadline has passed."""
        if self.terms is None or at < self.terms.deadline_at:
            return []
        return self.fail(generation_id, "TIMED_OUT", "the deadline has passed")

    def cancel(self, generation_id: str) -> list[Event]:
        if self.status == "cancelled":
            return []
        if not self.underway:
            raise AlreadyEnded()
        return [CreationCancelled(generation_id=generation_id)]

    def keep_late(
        self, generation_id: str, url: str, sha256: str, size: int, content_type: str
    ) -> list[Event]:
        if not self.awaits_late:
            return []
        late = LateOutputKept(
            generation_id=generation_id,
            mg_id=f"mma_call:{generation_id}:late",
            late_url=url,
            sha256=sha256,
            bytes=size,
            content_type=content_type,
        )
        return [late]

    def stop_waiting(self, generation_id: str, reason: str) -> list[Event]:
        if not self.awaits_late:
            return []
        id_ = f"mma_call:{generation_id}:late"
        return [LateOutputMissing(mg_id=id_, generation_id=generation_id, reason=reason)]

    def must_be_still(self) -> None:
        """That it can be tweaked."""
        if self.terms is None or self.terms.mma_mode != "still":
            raise NotAStill()
        self.must_be_delivered()

    def must_be_video(self) -> None:
        """That feedback can be given about it."""
        if self.terms is None or self.terms.mma_mode != "video":
            raise NotAVideo()
        self.must_be_delivered()

    def must_be_delivered(self) -> None:
        if not self.delivered:
            raise NeverFinished() if self.ended else NotFinished()

    # History.

    def evolve(self, event: Event) -> Generation:
        match event:
            case CreationBegun():
                return changed(self, terms=event, status=event.mma_status)
            case CreationAdvanced(mma_status=status):
                return changed(self, status=status)
            case UserMessageTold(text=text):
                return changed(self, messages=(*self.messages, text))
            case StepRecorded():
                return self._step(event)
            case MediaRequested() as asked:
                media = Media(asked.attempt, asked.provider, asked.model, asked.requested_at)
                return changed(self, media=media, status=event.mma_status)
            case MediaSubmitted(task_id=task_id) if self.media:
                return changed(self, media=changed(self.media, task_id=task_id))
            case CreationDelivered() | CreationFailed() | CreationCancelled():
                return self._end(event)
            case LateOutputKept(late_url=url):
                return changed(self, late_url=url, awaits_late=False, media=None)
            case LateOutputMissing():
                return changed(self, awaits_late=False, media=None)
            case ProviderCalledBack(number=number):
                return changed(self, callbacks=number)
            case MmaEventRecorded() | FeedbackGiven():
                return changed(self, echo=self.echo.evolve(event))
        return self

    def _step(self, event: StepRecorded) -> Generation:
        error = event.payload["error"]
        output = event.payload["output"] if error is None else None
        step = Step(event.step_no, event.step_type, output, error["class"] if error else "")
        media = None if event.step_type.endswith("_generate") else self.media
        return changed(self, steps=(*self.steps, step), media=media)

    def _end(self, event: CreationDelivered | CreationFailed | CreationCancelled) -> Generation:
        made = any(step.output for step in self.steps if step.type.endswith("_generate"))
        late = made or self.media is not None
        ended = changed(self, status=event.mma_status, ended=True, awaits_late=late)
        match event:
            case CreationDelivered():
                return changed(ended, delivered=event, awaits_late=False)
            case CreationFailed():
                return changed(ended, failed=event)
        return ended
