"""What people did with a generation: liked, downloaded, talked about it.

A second like is one like, a dislike takes it back; a second download is no news. Seed 001 §12.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.event import Event, secret
from domain.generation_events import (
    EventType,
    FeedbackGiven,
    MmaEventRecorded,
    generation_stream,
)
from domain.generation_refusals import TooMuchFeedback
from domain.state import changed

FEEDBACKS_MAX = 100


@dataclass(frozen=True)
class Echo:
    liked: bool = False
    disliked: bool = False
    downloaded: bool = False
    feedbacks: int = 0

    def say(
        self, generation_id: str, pass_id: str, event_id: str, type_: EventType, more: str = ""
    ) -> list[Event]:
        """`more` is what the page adds, as JSON text."""
        known = {"like": self.liked, "dislike": self.disliked, "download": self.downloaded}
        if known.get(type_, False):
            return []
        meta: dict[str, Any] = {"event_type": type_, **({"more": secret(more)} if more else {})}
        id_ = f"mma_event:{event_id}"
        return [
            MmaEventRecorded(generation_id=generation_id, mg_id=id_, pass_id=pass_id, meta=meta)
        ]

    def give_feedback(
        self, generation_id: str, pass_id: str, feedback_id: str, text: str
    ) -> list[Event]:
        if self.feedbacks >= FEEDBACKS_MAX:
            raise TooMuchFeedback(f"({FEEDBACKS_MAX})")
        given = FeedbackGiven(
            generation_id=generation_id,
            mg_id=f"feedback:{feedback_id}",
            parent_id=generation_stream(generation_id),
            pass_id=pass_id,
            text=text,
        )
        return [given]

    def evolve(self, event: Event) -> Echo:
        match event:
            case MmaEventRecorded(meta={"event_type": "like"}):
                return changed(self, liked=True, disliked=False)
            case MmaEventRecorded(meta={"event_type": "dislike"}):
                return changed(self, liked=False, disliked=True)
            case MmaEventRecorded(meta={"event_type": "download"}):
                return changed(self, downloaded=True)
            case FeedbackGiven():
                return changed(self, feedbacks=self.feedbacks + 1)
        return self
