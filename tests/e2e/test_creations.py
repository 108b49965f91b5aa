"""Stills and videos as they are really made: every vendor a twin, every process a process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from hashlib import sha256

import httpx
import pytest

from consumers.reactions.mma_steps import rerun
from domain.config import Config, config_stream
from domain.event import plain
from domain.generation_events import StepRecorded, generation_stream
from ledger.ledger import Ledger
from tests.e2e.creator import Creator
from tests.e2e.stage import Stage
from tests.waiting import eventually

MASTER = "MEGA_MASTER_KEY"


@pytest.fixture
def creator(whole: Stage) -> Iterator[Creator]:
    whole.vendors.reset()
    whole.twin.reset()
    yield Creator(whole)
    whole.vendors.reset()
    whole.twin.reset()


def test_a_still_with_everything_a_tweak_of_it_and_a_video(creator: Creator) -> None:
    pictures = {
        "product_image": creator.picture("product"),
        "logo_image": creator.picture("logo"),
        "inspiration_images": [creator.picture("one"), creator.picture("two")],
    }
    still = creator.still(**pictures, style="editorial", settings={"aspect_ratio": "4:3"})
    creator.until(still)
    creator.check_delivered(still)
    steps = [fact.data for fact in creator.facts(still) if fact.name == "step_recorded"]
    assert [step["step_type"] for step in steps] == [
        "scan_product",
        "scan_logo",
        "scan_inspiration",
        "scan_inspiration",
        "gpt_reader",
        "seedream_generate",
        "post_scan",
    ]
    assert steps[5]["payload"]["output"]["width"] == 1152
    asked_again_in_the_same_bytes(creator.stage, still)
    tweak = creator.tweak(still)
    assert creator.until(tweak)["parent_id"] == still
    video = creator.video(image=creator.generation(still)["output_url"])
    creator.until(video)
    for each in (tweak, video):
        creator.check_delivered(each)
    assert creator.generation(video)["parent_id"] == still
    assert creator.tasks(video) == 1
    assert "provider_called_back" in creator.names(video)


def asked_again_in_the_same_bytes(stage: Stage, id_: str) -> None:
    """The twin's text follows from the request alone: the same bytes get the same answer."""
    steps, configs = asyncio.run(recorded(stage, id_))
    for step in steps:
        input_ = step.payload["input"]
        if "ctx_key" not in input_:
            continue
        body = rerun(input_, configs[input_["ctx_key"]])
        assert sha256(body).hexdigest() == input_["request_sha256"]
        headers = {"authorization": "Bearer sk-test-key", "content-type": "application/json"}
        url = f"{stage.vendors.urls['openai']}/v1/responses"
        told = httpx.post(url, content=body, headers=headers).raise_for_status().json()
        said = json.loads(told["output"][0]["content"][0]["text"])
        assert sorted(said.values()) == sorted(plain(step.payload["output"]).values())


async def recorded(stage: Stage, id_: str) -> tuple[list[StepRecorded], dict[str, Config]]:
    master = sha256(stage.world.environment()[MASTER].encode()).digest()
    async with Ledger(stage.database.url, master_key=master) as ledger:
        stream = generation_stream(id_)
        events = (await ledger.streams([stream]))[stream].events
        steps = [event for event in events if isinstance(event, StepRecorded)]
        keys = {step.payload["input"].get("ctx_key") for step in steps} - {None}
        loaded = await ledger.streams([config_stream(key) for key in keys])
        configs: dict[str, Config] = {}
        for key in keys:
            for event in loaded[config_stream(key)].events:
                configs[key] = configs.get(key, Config()).evolve(event)
        return steps, configs


def test_what_a_maker_refuses_costs_nothing(creator: Creator) -> None:
    said = {"error": {"code": "OutputImageSensitiveContentDetected", "message": "no"}}
    creator.stage.twin.answers(400, said)
    still = creator.still()
    assert creator.until(still)["error"] == {"code": "CONTENT_REFUSED"}
    creator.check_free(still)


def test_a_refusal_of_gpt_never_reaches_a_maker(creator: Creator) -> None:
    message = {"type": "message", "content": [{"type": "refusal", "refusal": "I will not."}]}
    refusal = {"id": "r", "status": "completed", "output": [message]}
    creator.stage.vendors["openai"].answers(200, refusal)
    still = creator.still()
    assert creator.until(still)["error"] == {"code": "CONTENT_REFUSED"}
    assert "media_requested" not in creator.names(still)
    creator.check_free(still)


def test_a_lost_answer_of_kling_is_looked_up(creator: Creator) -> None:
    creator.kling.script(match={"method": "POST"}, drop="after_effect")
    video = creator.video()
    creator.until(video)
    creator.check_delivered(video)
    assert creator.tasks(video) == 1


def test_a_video_without_a_callback_is_polled_and_one_that_is_cancelled_is_free(
    creator: Creator,
) -> None:
    creator.kling.post("callbacks", {"send": False}).raise_for_status()
    video, unwanted = creator.video(), creator.video()
    eventually(lambda: "media_submitted" in creator.names(unwanted))
    creator.post(f"/mma/generations/{unwanted}/cancel")
    creator.until(video)
    creator.check_delivered(video)
    assert creator.generation(unwanted)["status"] == "cancelled"
    eventually(lambda: "late_output_kept" in creator.names(unwanted))
    assert creator.spent(unwanted) == []


def test_what_comes_after_the_deadline_is_kept_and_free(mortal: Stage) -> None:
    mortal.vendors.reset()
    creator = Creator(mortal)
    creator.kling.post("tasks", {"takes_ms": 5_000}).raise_for_status()
    creator.kling.post("callbacks", {"send": False}).raise_for_status()
    video = creator.video()
    eventually(lambda: "media_submitted" in creator.names(video))
    mortal.advance_clock(15 * 60)
    assert creator.until(video)["error"] == {"code": "TIMED_OUT"}
    creator.check_free(video)
    eventually(lambda: "late_output_kept" in creator.names(video), 30)
    creator.check_free(video)
    assert creator.generation(video)["output_url"] is None
    mortal.vendors.reset()
