"""kill -9 of whoever records a step of a still or a video, at the very append of it.

In turns it is committed, and nobody hears of it, or rolled back. Whatever was cut goes on: it is
delivered and paid for once, and no video is bought twice.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle
from typing import Any

import pytest

from tests.e2e.creator import Creator
from tests.e2e.gate import gate
from tests.e2e.stage import Stage
from tests.e2e.test_crash import PATIENCE_S, told_until

STILL = (
    "creation_begun.v1",
    "creation_advanced.v1 prompting",
    "step_recorded.v1 gpt_reader",
    "media_requested.v1",
    "step_recorded.v1 seedream_generate",
    "creation_advanced.v1 post_scanning",
    "step_recorded.v1 post_scan",
    "creation_delivered.v1",
)
VIDEO = (
    "creation_advanced.v1 prompting",
    "step_recorded.v1 gpt_reader_motion",
    "media_requested.v1",
    "media_submitted.v1",
    "step_recorded.v1 kling_generate",
    "creation_delivered.v1",
)


@pytest.mark.timeout(600)
def test_a_death_at_any_step_of_a_creation_is_paid_for_once(mortal: Stage, capsys: Any) -> None:
    mortal.vendors.reset()
    mortal.twin.reset()
    creator = Creator(mortal)
    with ThreadPoolExecutor() as pool:
        stills = cut(mortal, pool, STILL, lambda: told(creator, creator.still()))
        videos = cut(mortal, pool, VIDEO, lambda: told(creator, creator.video()))
        ids = [story.result(PATIENCE_S) for story in (*stills, *videos)]
    for id_ in ids:
        creator.check_delivered(id_)
    assert [creator.tasks(id_) for id_ in ids[len(stills) :]] == [1] * len(videos)
    assert recorded(creator, ids[0]) == list(STILL)
    assert recorded(creator, ids[-1]) == ["creation_begun.v1", *VIDEO]
    steps = len(STILL) + len(VIDEO)
    with capsys.disabled():
        sys.stdout.write(f"\nkilled at {steps} of {steps} recorded steps of a still and a video\n")


def told(creator: Creator, id_: str) -> str:
    creator.until(id_, "done", within_s=PATIENCE_S)
    return id_


def cut(
    stage: Stage, pool: ThreadPoolExecutor, steps: tuple[str, ...], tell: Callable[[], str]
) -> list[Future[str]]:
    """A story for each step, cut there; it goes on meanwhile."""
    stories: list[Future[str]] = []
    for step, committed in zip(steps, cycle([True, False]), strict=False):
        name = "api" if step == "creation_begun.v1" else "consumers"
        with ExitStack() as down, gate(stage.database.superuser_url, step) as held:
            stories += told_until(held, lambda: pool.submit(tell))
            down.enter_context(stage.without(name))
            if not committed:
                held.roll_back()
    return stories


def recorded(creator: Creator, id_: str) -> list[str]:
    """The steps of a story, as they are named above; who calls back makes none."""
    named = []
    for fact in creator.facts(id_):
        data = fact.data
        about = data.get("step_type") or (
            data["mma_status"] if fact.name == "creation_advanced" else ""
        )
        named.append(f"{fact.topic} {about}".strip())
    told_only = ("user_message_told.v1", "mma_event_recorded.v1", "provider_called_back.v1")
    return list(dict.fromkeys(name for name in named if name not in told_only))
