"""A generation: one end, steps without a gap, one open attempt, and nothing said twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.event import Event
from domain.generation import Generation
from domain.generation_events import (
    CreationBegun,
    CreationCancelled,
    CreationDelivered,
    CreationFailed,
    MmaEventRecorded,
    StepRecorded,
)
from domain.generation_refusals import AlreadyEnded, NotAStill, NotAVideo, NotFinished
from domain.pipeline import next_step, plan_of, post_scan_of

ID = "9f0b7c1e-0000-4000-8000-000000000001"
AT = datetime(2026, 1, 1, tzinfo=UTC)
PICTURE = "https://assets.example/a.png"


def begun(origin: str = "create", mode: str = "still", **assets: Any) -> CreationBegun:
    return CreationBegun(
        generation_id=ID,
        pass_id="pass:user:ada",
        parent_id=None,
        mma_mode=mode,  # type: ignore[arg-type]
        origin=origin,  # type: ignore[arg-type]
        brief="tea",
        style=None,
        settings={},
        assets=assets,
        cost=1,
        costs_id="app_config:mma.costs:0",
        provider="seedream",
        begun_at=AT,
        deadline_at=AT + timedelta(minutes=5),
        hold_expires_at=AT + timedelta(minutes=60),
    )


def delivered() -> CreationDelivered:
    return CreationDelivered(
        generation_id=ID,
        parent_id=None,
        mma_mode="still",
        output_url=PICTURE,
        content_type="image/png",
        sha256="ab",
        bytes=3,
        provider="seedream",
        model="m",
        prompt="p",
        mma_vars={},
        delivered_at=AT,
    )


def after(events: list[Event], known: Generation | None = None) -> Generation:
    return reduce(Generation.evolve, events, known or Generation())


def payload(output: dict[str, Any] | None) -> dict[str, Any]:
    error = None if output is not None else {"class": "transient", "reason": "-"}
    return {"input": {}, "output": output or {}, "timing": {}, "error": error}


@pytest.mark.parametrize("there", list(product((False, True), repeat=3)))
def test_scans_are_of_what_is_there_and_of_nothing_else(there: tuple[bool, bool, bool]) -> None:
    has_product, has_logo, has_inspiration = there
    assets: dict[str, Any] = {}
    expected = []
    if has_product:
        assets["product_image"] = PICTURE
        expected.append("scan_product")
    if has_logo:
        assets["logo_image"] = PICTURE
        expected.append("scan_logo")
    if has_inspiration:
        assets["inspiration_images"] = [PICTURE, PICTURE]
        expected += ["scan_inspiration", "scan_inspiration"]
    planned = [one.type for one in plan_of(begun(**assets))]
    assert planned == [*expected, "gpt_reader", "seedream_generate"]


@pytest.mark.parametrize(
    ("origin", "mode", "prompt"),
    [
        ("tweak", "still", "gpt_feedback_still"),
        ("animate", "video", "gpt_reader_motion"),
        ("regenerate", "video", "gpt_feedback_motion"),
    ],
)
def test_only_a_first_still_is_scanned_for(origin: str, mode: str, prompt: str) -> None:
    terms = begun(origin, mode, product_image=PICTURE, logo_image=PICTURE)
    assert [one.type for one in plan_of(terms)] == [prompt, "seedream_generate"]


@given(st.lists(st.booleans(), max_size=12), st.integers(0, 4))
def test_a_failed_step_is_taken_again_and_numbers_have_no_gap(
    luck: list[bool], inspirations: int
) -> None:
    terms = begun(product_image=PICTURE, inspiration_images=[PICTURE] * inspirations)
    known, done = after([terms]), []
    for lucky in luck:
        planned = next_step(known)
        if planned is None:
            break
        outcome = payload({planned.gives or "output_url": PICTURE} if lucky else None)
        (step,) = known.record(ID, planned.type, outcome)
        assert isinstance(step, StepRecorded)
        assert step.step_no == len(known.steps) + 1
        known = known.evolve(step)
        done += [planned.type] if lucky else []
    assert done == [one.type for one in plan_of(terms)][: len(done)]


def test_a_post_scan_is_tried_once_and_only_for_a_still() -> None:
    known = after([begun()])
    for planned in plan_of(begun()):
        output = {planned.gives or "output_url": PICTURE}
        known = after(known.record(ID, planned.type, payload(output)), known)
    scan = post_scan_of(known)
    assert scan is not None and scan.image == PICTURE
    assert post_scan_of(after(known.record(ID, "post_scan", payload(None)), known)) is None


ENDS = ("deliver", "fail", "cancel", "overdue")
ENDED = (CreationCancelled, CreationDelivered, CreationFailed)


@given(st.lists(st.sampled_from(ENDS), min_size=1, max_size=6))
def test_it_ends_once_whatever_comes(ends: list[str]) -> None:
    known, ended = after([begun()]), 0
    for end in ends:
        try:
            events = {
                "deliver": lambda k: k.deliver(delivered()),
                "fail": lambda k: k.fail(ID, "PROVIDER_FAILED", "-"),
                "cancel": lambda k: k.cancel(ID),
                "overdue": lambda k: k.overdue(ID, AT + timedelta(minutes=5)),
            }[end](known)
        except AlreadyEnded:
            events = []
        ended += sum(isinstance(event, ENDED) for event in events)
        known = after(events, known)
    assert ended == 1 and known.ended


def test_a_deadline_counts_from_its_very_second() -> None:
    known = after([begun()])
    assert known.overdue(ID, AT + timedelta(minutes=5, microseconds=-1)) == []
    assert known.overdue(ID, AT + timedelta(minutes=5)) != []


def test_one_attempt_is_open_and_its_result_after_the_end_is_late() -> None:
    known = after([begun()])
    asked = known.request_media(ID, "kling", "v", "p", AT)
    known = after(asked, known)
    assert known.request_media(ID, "kling", "v", "p", AT) == []
    known = after(known.submit_media(ID, 1, "t-1"), known)
    assert known.submit_media(ID, 1, "t-2") == []
    known = after(known.fail(ID, "TIMED_OUT", "-"), known)
    assert known.awaits_late and known.deliver(delivered()) == []
    known = after(known.keep_late(ID, PICTURE, "ab", 3, "video/mp4"), known)
    assert known.keep_late(ID, PICTURE, "ab", 3, "video/mp4") == []
    assert (known.status, known.delivered, known.late_url) == ("failed", None, PICTURE)


def test_a_second_like_is_one_like_and_a_dislike_takes_it_back() -> None:
    known = after([begun(), delivered()])
    liked = known.echo.say(ID, "pass:user:ada", "1", "like")
    known = after(liked, known)
    assert known.echo.liked and known.echo.say(ID, "pass:user:ada", "2", "like") == []
    known = after(known.echo.say(ID, "pass:user:ada", "3", "dislike"), known)
    assert not known.echo.liked
    (again,) = known.echo.say(ID, "pass:user:ada", "4", "like", '{"from":"archive"}')
    assert isinstance(again, MmaEventRecorded)
    assert again.meta == {"event_type": "like", "more": {"$secret": '{"from":"archive"}'}}


def test_what_fits_the_other_kind_is_refused() -> None:
    with pytest.raises(NotFinished):
        after([begun()]).must_be_still()
    after([begun(), delivered()]).must_be_still()
    with pytest.raises(NotAVideo):
        after([begun(), delivered()]).must_be_video()
    with pytest.raises(NotAStill):
        after([begun("animate", "video"), delivered()]).must_be_still()


def test_lines_are_told_in_order_once_and_not_without_end() -> None:
    known = after([begun()])
    for _ in range(2):
        known = after(known.tell(ID, "Looking."), known)
    assert known.messages == ("Looking.",)
    for number in range(100):
        known = after(known.tell(ID, f"line {number}"), known)
    assert len(known.messages) == 40
