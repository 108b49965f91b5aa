"""The table of the studio's button: every situation has one answer, and the document shows it."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import get_args

from domain.studio_state import (
    LABELS,
    TABLE,
    Mode,
    Situation,
    State,
    Upload,
    Work,
    button_of,
    can_type_for_me,
)

ALL = [
    Situation(*each)
    for each in itertools.product(
        get_args(Mode), get_args(Upload), (False, True), (False, True), get_args(Work)
    )
]
DOCUMENT = Path(__file__).parents[2] / "docs" / "studio.md"
OF_STILL = {"create", "uploading", "upload_again", "creating", "need_matcha", "retry"}
OF_ANIMATION = {
    "need_image",
    "uploading",
    "upload_again",
    "animate",
    "animating",
    "need_matcha",
    "retry",
}


def test_every_situation_has_a_state_of_its_mode_and_every_state_a_situation() -> None:
    reached = {mode: {button_of(s) for s in ALL if s.mode == mode} for mode in get_args(Mode)}
    assert reached == {"still": OF_STILL, "animation": OF_ANIMATION}
    assert LABELS.keys() == set(get_args(State)) == OF_STILL | OF_ANIMATION


def test_nothing_is_offered_that_would_be_refused() -> None:
    for situation in ALL:
        _, action = LABELS[button_of(situation)]
        if action in ("create", "animate", "retry"):
            assert situation.affordable and situation.work != "underway"
            assert situation.mode == "still" or situation.has_image
        assert not can_type_for_me(situation) or situation.has_image


def test_the_document_shows_the_table() -> None:
    def shown(state: State) -> str:
        return f"`{state}` {LABELS[state][0]}"

    rows = [f"| {row.when} | {shown(row.still)} | {shown(row.animation)} |" for row in TABLE]
    # A still always has what it needs: the row about images says so.
    rows = [row if "no image" not in row else _without_still(row) for row in rows]
    assert "\n".join(rows) in DOCUMENT.read_text()


def _without_still(row: str) -> str:
    when, _, animation = row.strip("|").split("|")
    return f"|{when}| – |{animation}|"
