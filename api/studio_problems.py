"""How the studio's routes say no: from their refusals to status and code (`contract.md` §7)."""

from __future__ import annotations

from typing import Any

from domain import generation_refusals as refusals
from domain.event import Refused
from domain.matcha import InsufficientMatcha


class NeedMatcha(InsufficientMatcha):
    """There is not enough matcha for this; get more at `checkout_url`."""

    def __init__(self, particulars: str, checkout_url: str | None) -> None:
        super().__init__(particulars)
        self.members: dict[str, Any] = {"checkout_url": checkout_url}


class ContentRefused(Refused):
    """The content was refused; try another picture or other words. Nothing was charged."""


class SuggestionsExhausted(Refused):
    """Suggestions are exhausted for now; type your own words. Nothing was charged."""


class SuggestionFailed(Refused):
    """No suggestion came; ask again, or type your own words. Nothing was charged."""


# class of refusal → status, code, seconds after which asking again makes sense
STUDIO_TABLE: dict[type[Exception], tuple[int, str, int | None]] = {
    InsufficientMatcha: (402, "INSUFFICIENT_MATCHA", None),
    refusals.NotFinished: (409, "NOT_FINISHED", 2),
    refusals.NeverFinished: (409, "NOT_FINISHED", None),
    refusals.AlreadyEnded: (409, "ALREADY_ENDED", None),
    refusals.NotAStill: (409, "NOT_A_STILL", None),
    refusals.NotAVideo: (409, "NOT_A_VIDEO", None),
    refusals.TooMuchFeedback: (409, "TOO_MUCH_FEEDBACK", None),
    ContentRefused: (422, "CONTENT_REFUSED", None),
    SuggestionsExhausted: (503, "AI_CREDIT_EXHAUSTED", 60),
    SuggestionFailed: (503, "PROVIDER_FAILED", 5),
}
