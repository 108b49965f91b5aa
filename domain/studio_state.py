"""What the studio's one button says: a pure and total table (seed 001 §4.3, §8.4, §14).

The first row that fits wins; docs/studio.md shows the same table, and a test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Mode = Literal["still", "animation"]
Upload = Literal["none", "uploading", "stalled", "done"]
Work = Literal["none", "underway", "failed"]
State = Literal[
    "create",
    "uploading",
    "upload_again",
    "creating",
    "need_matcha",
    "need_image",
    "animate",
    "animating",
    "retry",
]
Action = Literal["create", "wait", "upload", "checkout", "add_image", "animate", "retry"]

LABELS: dict[State, tuple[str, Action]] = {
    "create": ("Create", "create"),
    "uploading": ("Uploading…", "wait"),
    "upload_again": ("Upload image again", "upload"),
    "creating": ("Creating…", "wait"),
    "need_matcha": ("I need matcha", "checkout"),
    "need_image": ("I need an image", "add_image"),
    "animate": ("Animate", "animate"),
    "animating": ("Animating… (3 min)", "wait"),
    "retry": ("Retry", "retry"),
}


@dataclass(frozen=True, slots=True)
class Situation:
    """`affordable`: there is matcha for what the mode makes. `work` is what became of the
    generation that the page shows, if it is one of this mode."""

    mode: Mode
    upload: Upload = "none"
    has_image: bool = False
    affordable: bool = True
    work: Work = "none"


@dataclass(frozen=True, slots=True)
class Row:
    """`when` is how the documentation says it."""

    when: str
    fits: Callable[[Situation], bool]
    still: State
    animation: State


TABLE = (
    Row("it is being made", lambda s: s.work == "underway", "creating", "animating"),
    Row("a file is on its way", lambda s: s.upload == "uploading", "uploading", "uploading"),
    Row("its upload stalled", lambda s: s.upload == "stalled", "upload_again", "upload_again"),
    Row(
        "an animation has no image",
        lambda s: s.mode == "animation" and not s.has_image,
        "need_image",
        "need_image",
    ),
    Row("there is not enough matcha", lambda s: not s.affordable, "need_matcha", "need_matcha"),
    Row("the last try failed", lambda s: s.work == "failed", "retry", "retry"),
    Row("otherwise", lambda s: True, "create", "animate"),
)


def button_of(situation: Situation) -> State:
    row = next(row for row in TABLE if row.fits(situation))
    return row.still if situation.mode == "still" else row.animation


def can_type_for_me(situation: Situation) -> bool:
    """It needs a picture to look at (seed 001 §8.2)."""
    return situation.mode == "animation" and situation.has_image
