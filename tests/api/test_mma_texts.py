"""`Type for me`: a suggestion that costs nothing, recorded as a step whatever comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256

import orjson
import pytest

from api.studio import TextFailed
from domain.contexts import DEFAULT_CONTEXTS, MOTION_SUGGESTION, request_of
from domain.event import plain
from domain.generation_events import StepRecorded
from tests.api.artists import PICTURE, Artist, FakeText, artist, studio
from tests.api.living import Living
from tests.world import TestWorld

PATH = "/mma/video/type-for-me"
IMAGE = {"image": PICTURE}
NO = "I'm sorry, but I can't help with that."


@pytest.fixture(scope="module")
def gpt() -> FakeText:
    return FakeText()


@pytest.fixture(scope="module")
async def here(world: TestWorld, gpt: FakeText) -> AsyncIterator[Living]:
    with world.database() as database:
        async with studio(world, database, ask_text=gpt.ask) as made:
            yield made


@pytest.fixture
async def ada(here: Living, gpt: FakeText) -> Artist:
    gpt.answer, gpt.fails = FakeText().answer, None
    return await artist(here)


async def steps(here: Living, after: int) -> list[StepRecorded]:
    """What was recorded since, secrets open."""
    head = await here.position()
    found = await here.parts.ledger.revealed(range(after + 1, head + 1))
    return [each.event for each in found if isinstance(each.event, StepRecorded)]


async def test_a_suggestion_is_free_and_its_step_can_be_asked_again_byte_for_byte(
    ada: Artist, here: Living, gpt: FakeText
) -> None:
    before = await here.position()
    answer = await ada.post(PATH, IMAGE)
    assert (answer.status_code, answer.json()) == (200, {"prompt": "The steam rises."})
    (step,) = await steps(here, before)
    assert (step.step_no, step.step_type) == (1, "motion_suggestion")
    assert step.payload.keys() == {"input", "output", "timing", "error"}
    assert plain(step.payload["output"]) == {"motion_prompt": "The steam rises."}
    said = step.payload["input"]
    assert said["ctx_id"] == f"app_config:{MOTION_SUGGESTION}:{said['ctx_version']}"
    context = DEFAULT_CONTEXTS[MOTION_SUGGESTION]
    again = request_of(context, orjson.loads(plain(said["said"])), said["images"])
    assert gpt.asked[-1] == again and sha256(again).hexdigest() == said["request_sha256"]
    found = await here.parts.reader.rows(
        "SELECT mg_version FROM mega_admin WHERE mg_id = %s", (said["ctx_id"],)
    )
    assert found == [(1,)]


@pytest.mark.parametrize(
    ("error_class", "status", "code"),
    [
        ("refused", 422, "CONTENT_REFUSED"),
        ("quota", 503, "AI_CREDIT_EXHAUSTED"),
        ("transient", 503, "PROVIDER_FAILED"),
        ("unknown", 503, "PROVIDER_FAILED"),
    ],
)
async def test_what_does_not_come_is_said_and_recorded(
    ada: Artist, here: Living, gpt: FakeText, error_class: str, status: int, code: str
) -> None:
    gpt.fails = TextFailed(error_class, "no")
    before = await here.position()
    answer = await ada.post(PATH, IMAGE, "k-fails")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    (step,) = await steps(here, before)
    assert step.payload["error"] == {"class": error_class, "reason": "no"}
    gpt.fails = None
    assert (await ada.post(PATH, IMAGE, "k-fails")).status_code == 200


@pytest.mark.parametrize("answer", [NO, orjson.dumps({"motion_prompt": NO}).decode()])
async def test_a_refusal_is_no_suggestion(ada: Artist, gpt: FakeText, answer: str) -> None:
    gpt.answer = answer
    assert (await ada.post(PATH, IMAGE)).json()["code"] == "CONTENT_REFUSED"


@pytest.mark.parametrize(
    "answer",
    ["no JSON", "[]", '{"motion_prompt": " "}', '{"motion_prompt": "a\\u0000b"}', '{"other": "x"}'],
)
async def test_an_answer_without_a_suggestion_is_none(
    ada: Artist, gpt: FakeText, answer: str
) -> None:
    gpt.answer = answer
    assert (await ada.post(PATH, IMAGE)).json()["code"] == "PROVIDER_FAILED"


async def test_the_same_key_asks_once(ada: Artist, gpt: FakeText) -> None:
    asked = len(gpt.asked)
    first, again = [await ada.post(PATH, IMAGE, "k-1") for _ in range(2)]
    assert (first.json(), len(gpt.asked)) == (again.json(), asked + 1)


async def test_a_pass_waits_for_two_at_most(ada: Artist, here: Living) -> None:
    here.parts.studio.suggesting[ada.caller.pass_id] = 2
    answer = await ada.post(PATH, IMAGE)
    assert answer.status_code == 429 and answer.headers["Retry-After"]
    del here.parts.studio.suggesting[ada.caller.pass_id]
    both = await asyncio.gather(*[ada.post(PATH, IMAGE) for _ in range(2)])
    assert {each.status_code for each in both} == {200}
    assert ada.caller.pass_id not in here.parts.studio.suggesting


async def test_only_a_picture_of_ours_is_looked_at(ada: Artist, gpt: FakeText) -> None:
    asked = len(gpt.asked)
    answer = await ada.post(PATH, {"image": "https://elsewhere.example/a.png"})
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (422, "body.image")
    assert len(gpt.asked) == asked
