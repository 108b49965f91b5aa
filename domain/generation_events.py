"""What can have happened to a still or a video: begun, worked on step by step, delivered or not.

One stream a generation. `mg_id` names a record of one event: `mma_step:<generation>:<number>`,
`mma_event:<id>`, `feedback:<id>` (seed 001 §11.2, §12), `user_message:…`, `mma_call:…`. The other
events are versions of the record `generation:<id>` and carry its `mma_status`. URLs are permanent
ones of ours (§2.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from domain.event import Event, Secret, SecretLeaves, event

Mode = Literal["still", "video"]
Origin = Literal["create", "tweak", "animate", "regenerate"]
Status = Literal[
    "queued",
    "scanning",
    "prompting",
    "generating",
    "post_scanning",
    "done",
    "failed",
    "cancelled",
]
ErrorCode = Literal[
    "CONTENT_REFUSED",
    "AI_CREDIT_EXHAUSTED",
    "PROVIDER_FAILED",
    "TIMED_OUT",
]
EventType = Literal[
    "like",
    "dislike",
    "download",
    "preference_set",
    "create",
    "tweak",
    "feedback",
]


def generation_stream(generation_id: str) -> str:
    return f"generation:{generation_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationEvent(Event):
    generation_id: str

    @property
    def stream(self) -> str:
        return generation_stream(self.generation_id)


# Asked for.


@event("creation_begun.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class CreationBegun(GenerationEvent):
    """`cost` matcha are held until `hold_expires_at`; what is not delivered by `deadline_at` fails.

    `brief` is what the pass said: the brief of a still, the feedback of a tweak, the wish for a
    video (empty: none). `parent_id` (`generation:<id>`) is what it was made from. `assets` are URLs
    by name, `inspiration_images` a list of them. `costs_id` and `provider` are what the configs
    said then.
    """

    pass_id: str
    parent_id: str | None
    mma_mode: Mode
    mma_status: Status = "queued"
    origin: Origin
    brief: Secret
    style: str | None
    settings: dict[str, Any]
    assets: dict[str, Any]
    cost: int
    costs_id: str
    provider: str
    begun_at: datetime
    deadline_at: datetime
    hold_expires_at: datetime


# Worked on.


@event("creation_advanced.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class CreationAdvanced(GenerationEvent):
    mma_status: Status


@event("user_message_told.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class UserMessageTold(GenerationEvent):
    """A friendly line for whoever waits; `number` counts from 1."""

    mg_id: str
    number: int
    text: Secret


@event("step_recorded.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecorded(GenerationEvent):
    """One recorded act, also one that failed. `payload` has exactly `input`, `output`, `timing`
    (`started_at`, `ended_at`, `duration_ms`) and `error` (null, or class and reason). The input of
    a GPT step names its context: `ctx_key`, `ctx_version`, `ctx_id`."""

    mg_id: str
    parent_id: str
    step_no: int
    step_type: str
    provider: str | None
    model: str | None
    payload: SecretLeaves


@event("media_requested.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRequested(GenerationEvent):
    """The intent to have it made by `provider`; recorded before it is asked. `attempt` from 1."""

    mma_status: Status = "generating"
    attempt: int
    provider: str
    model: str
    prompt: Secret
    requested_at: datetime


@event("media_submitted.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MediaSubmitted(GenerationEvent):
    """The provider works on it as `task_id`."""

    mg_id: str
    attempt: int
    task_id: str


@event("provider_called_back.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCalledBack(GenerationEvent):
    """Somebody says that the provider is done: worth a look, and no more."""

    mg_id: str
    number: int


# How it ended.


@event("creation_delivered.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class CreationDelivered(GenerationEvent):
    """`mma_vars` is the canonical map of seed 001 §12.1: assets, scans, prompts, settings,
    userMessages, outputs. `prompt` is the one that it was made with."""

    parent_id: str | None
    mma_mode: Mode
    mma_status: Status = "done"
    output_url: str
    content_type: str
    sha256: str
    bytes: int
    provider: str
    model: str
    prompt: Secret
    mma_vars: SecretLeaves
    delivered_at: datetime


@event("creation_failed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class CreationFailed(GenerationEvent):
    """Nothing was charged. `reason` is for operators, `error_code` for the pass."""

    mma_status: Status = "failed"
    error_code: ErrorCode
    reason: str


@event("creation_cancelled.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class CreationCancelled(GenerationEvent):
    mma_status: Status = "cancelled"


@event("late_output_kept.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class LateOutputKept(GenerationEvent):
    """It came after the end, is kept for administrators, and is never charged."""

    mg_id: str
    late_url: str
    sha256: str
    bytes: int
    content_type: str


@event("late_output_missing.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class LateOutputMissing(GenerationEvent):
    """After the end nothing came, and nobody waits any more."""

    mg_id: str
    reason: str


# What people did with it.


@event("mma_event_recorded.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MmaEventRecorded(GenerationEvent):
    """`meta` has `event_type`, and `more` when the page said more."""

    mg_id: str
    pass_id: str
    meta: SecretLeaves


@event("feedback_given.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackGiven(GenerationEvent):
    """Words about a video; nothing is made from them (seed 001 §8.6)."""

    mg_id: str
    parent_id: str
    pass_id: str
    text: Secret
