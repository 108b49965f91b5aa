"""Kling and Replicate by their rows, against their twins (`providers.md` §2b, §3)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from consumers.gateways.media import ConfiguredProvider
from consumers.gateways.media_auth import KLING_ACCESS, KLING_SECRET, KlingProof
from consumers.gateways.mma_ports import Made, MediaProvider, Submitted
from consumers.gateways.ports import OutcomeUnknown, TryAgain, WillNotWork
from domain.provider_registry import DEFAULT_DEFAULTS
from domain.providers import row_of
from embedded.twins.kling import Kling
from embedded.twins.replicate import Replicate
from tests.gateways.media_side import HOOK, IMAGE, KEYS, PROMPT, ROWS, Vendor, failure, still, video
from tests.twins.alone import Alone, alone

VECTORS = Path(__file__).parents[1] / "vectors"


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[dict[str, Alone]]:
    kling = Kling(KEYS[KLING_ACCESS], KEYS[KLING_SECRET])
    async with alone(kling) as one, alone(Replicate()) as other:
        yield {"kling": one, "replicate": other}


@pytest.fixture
async def kling(running: dict[str, Alone]) -> Vendor:
    return await at_once(running["kling"])


@pytest.fixture
async def replicate(running: dict[str, Alone]) -> Vendor:
    return await at_once(running["replicate"])


async def at_once(twin: Alone) -> Vendor:
    vendor = await Vendor.fresh(twin)
    await twin.steer("tasks", {"takes_ms": 0})
    return vendor


async def finished(made: MediaProvider, task: Made | Submitted) -> Made:
    assert isinstance(task, Submitted)
    result = await made.poll(task.task_id)
    assert result is not None
    return result


# Kling.


async def test_kling_makes_a_video_with_two_frames(kling: Vendor) -> None:
    maker = kling.maker("kling")
    images = {"image": IMAGE, "end_image": f"{IMAGE}?end"}
    wanted = video(images=images, settings={"duration": 10}, attempt=2)
    task = await maker.start(wanted)
    made = await finished(maker, task)
    content, content_type = await maker.fetch(made)
    assert content_type == "video/mp4"
    assert made.facts["duration"] == "10.1"
    body = (await kling.effects())[0]["request"]["body"]
    assert (
        body
        == maker.request_of(wanted)
        == {
            "model_name": "kling-v2-1",
            "image": IMAGE,
            "image_tail": f"{IMAGE}?end",
            "prompt": PROMPT,
            "mode": "pro",
            "duration": "10",
            "external_task_id": f"{wanted.generation_id}-2",
        }
    )
    damaged = Made((), content[:-100])
    assert isinstance(await failure(maker.fetch(damaged)), TryAgain)


@pytest.mark.parametrize("rule", [{"drop": "after_effect"}, {"truncate_body_at": 20}])
async def test_a_task_whose_answer_was_lost_is_found_and_not_ordered_twice(
    kling: Vendor, rule: dict[str, Any]
) -> None:
    maker, wanted = kling.maker("kling"), video()
    assert await maker.find(wanted) is None
    await kling.twin.steer("script", rule)
    lost = await failure(maker.start(wanted))
    assert isinstance(lost, OutcomeUnknown)
    assert lost.reference == wanted.generation_id
    task = await maker.find(wanted)
    assert task is not None
    assert await finished(maker, task)
    assert [item["kind"] for item in await kling.effects()] == ["video_billed"]


async def test_what_is_recorded_of_a_call_has_no_callback_secret(kling: Vendor) -> None:
    maker, wanted = kling.maker("kling"), video(callback_url=HOOK)
    assert maker.request_of(wanted)["callback_url"] == "https://mega.example/***"
    await kling.answers(400, {"code": 1201, "message": f"callback_url {HOOK} is bad"})
    found = await failure(maker.start(wanted), HOOK)
    assert "1201" in found.reason
    task = await maker.start(wanted)
    assert isinstance(task, Submitted)
    for repeated in (HOOK, HOOK.partition(".example")[2]):
        data = {"task_status": "failed", "task_status_msg": f"callback {repeated} failed"}
        await kling.answers(200, {"code": 0, "data": data})
        found = await failure(maker.poll(task.task_id), HOOK.rpartition("/")[2])
        assert "callback *** failed" in found.reason


def told(code: int) -> dict[str, Any]:
    return {"code": code, "message": "no", "request_id": "r"}


@pytest.mark.parametrize(
    ("status", "code", "failed", "error_class"),
    [
        (429, 1303, TryAgain, "throttled"),
        (429, 1302, TryAgain, "throttled"),
        (429, 1102, WillNotWork, "quota"),
        (429, 1101, WillNotWork, "quota"),
        (400, 1301, WillNotWork, "refused"),
        (400, 1201, WillNotWork, "invalid"),
        (403, 1103, WillNotWork, "invalid"),
        (500, 5000, TryAgain, "transient"),
        (503, 5001, TryAgain, "transient"),
        (504, 5002, OutcomeUnknown, "unknown"),
        (200, 1303, TryAgain, "throttled"),
        (200, 1102, WillNotWork, "quota"),
        (200, 1301, WillNotWork, "refused"),
    ],
)
async def test_each_code_of_kling_has_its_class_also_inside_a_200(
    kling: Vendor, status: int, code: int, failed: type, error_class: str
) -> None:
    await kling.answers(status, told(code), **{"Retry-After": "7"})
    found = await failure(kling.maker("kling").start(video()))
    assert (type(found), found.error_class) == (failed, error_class)
    if isinstance(found, TryAgain):
        assert found.after_s == 7


@pytest.mark.parametrize(
    ("said", "error_class"),
    [("Failure to pass the risk control system", "refused"), ("internal", "transient")],
)
async def test_a_task_that_failed_says_its_class(
    kling: Vendor, said: str, error_class: str
) -> None:
    await kling.twin.steer("tasks", {"fail": {"message": said}})
    maker = kling.maker("kling")
    task = await maker.start(video())
    assert isinstance(task, Submitted)
    found = await failure(maker.poll(task.task_id))
    assert (type(found), found.error_class) == (WillNotWork, error_class)


@pytest.mark.parametrize("off", [timedelta(days=1), timedelta(days=-1)])
async def test_a_clock_that_is_off_is_corrected_by_klings_and_the_call_made_once(
    kling: Vendor, off: timedelta
) -> None:
    maker = ConfiguredProvider(
        row_of(ROWS["kling"]),
        DEFAULT_DEFAULTS["kling"],
        base_url=kling.twin.url,
        proof=KlingProof(KEYS[KLING_ACCESS], KEYS[KLING_SECRET], lambda: datetime.now(UTC) + off),
        client=kling.client,
        hosts=frozenset(),
    )
    assert isinstance(await maker.start(video()), Submitted)
    assert len(await kling.effects()) == 1


async def test_a_question_that_was_not_answered_may_be_asked_again(kling: Vendor) -> None:
    maker = kling.maker("kling")
    task = await maker.start(video())
    assert isinstance(task, Submitted)
    for status, body in ((401, told(1002)), (429, told(1302)), (500, None), (200, "<html>")):
        await kling.answers(status, body)
        assert isinstance(await failure(maker.poll(task.task_id)), TryAgain)
    for outside in ("../../admin", "..", "a/b", "a?b", ""):
        assert "no id of a task" in (await failure(maker.poll(outside))).reason
    assert isinstance(await failure(maker.poll("nobody")), WillNotWork)


async def test_many_tasks_at_once_are_kept_apart(kling: Vendor) -> None:
    maker = kling.maker("kling")
    wanted = [video() for _ in range(20)]
    tasks = await asyncio.gather(*(maker.start(one) for one in wanted))
    found = await asyncio.gather(*(maker.find(one) for one in wanted))
    assert found == tasks
    assert len(set(tasks)) == 20


def test_klings_token_is_the_documented_one() -> None:
    known = json.loads((VECTORS / "kling_jwt_derived.json").read_text())
    at = datetime.fromtimestamp(known["now"], UTC)
    headers = KlingProof(known["ak"], known["sk"], lambda: at).headers()
    assert headers == {"Authorization": f"Bearer {known['token']}"}
    claims = jwt.decode(known["token"], options={"verify_signature": False})
    assert claims["exp"] - claims["nbf"] == 1_805


# Replicate.


async def test_replicate_makes_a_still_and_a_video(replicate: Vendor) -> None:
    stills, videos = replicate.maker("replicate"), replicate.maker("replicate_video")
    wanted = still(settings={"aspect_ratio": "3:4"}, callback_url="http://127.0.0.1:9/hook")
    made = await finished(stills, await stills.start(wanted))
    assert (await stills.fetch(made))[1] == "image/png"
    made = await finished(videos, await videos.start(video(settings={"duration": "10"})))
    assert (await videos.fetch(made))[1] == "video/mp4"
    of_still, of_video = (item["request"]["body"] for item in await replicate.effects())
    assert of_still["input"]["aspect_ratio"] == "3:4"
    assert of_still["webhook_events_filter"] == ["completed"]
    assert "webhook" not in of_video
    assert of_video["input"]["duration"] == 10


@pytest.mark.parametrize(
    ("said", "error_class"),
    [("Prediction was flagged as sensitive (E005)", "refused"), ("CUDA error", "transient")],
)
async def test_a_failed_prediction_is_refused_by_its_words(
    replicate: Vendor, said: str, error_class: str
) -> None:
    await replicate.twin.steer("tasks", {"fail": {"message": said}})
    maker = replicate.maker("replicate")
    task = await maker.start(still())
    assert isinstance(task, Submitted)
    assert (await failure(maker.poll(task.task_id))).error_class == error_class


async def test_an_output_that_is_gone_ends_the_task(replicate: Vendor) -> None:
    maker = replicate.maker("replicate")
    task = await maker.start(still())
    made = await finished(maker, task)
    await replicate.twin.steer("clock", {"advance_s": 3_700})
    assert isinstance(await failure(maker.fetch(made)), TryAgain)
    assert isinstance(task, Submitted)
    found = await failure(maker.poll(task.task_id))
    assert isinstance(found, WillNotWork)
    assert "gone" in found.reason


@pytest.mark.parametrize(
    ("status", "failed", "error_class"),
    [
        (402, WillNotWork, "quota"),
        (422, WillNotWork, "invalid"),
        (429, TryAgain, "throttled"),
        (503, TryAgain, "transient"),
    ],
)
async def test_each_status_of_replicate_has_its_class(
    replicate: Vendor, status: int, failed: type, error_class: str
) -> None:
    await replicate.answers(status, {"detail": "no", "status": status})
    found = await failure(replicate.maker("replicate").start(still()))
    assert (type(found), found.error_class) == (failed, error_class)


async def test_a_lost_prediction_cannot_be_found(replicate: Vendor) -> None:
    maker = replicate.maker("replicate")
    await replicate.twin.steer("script", {"drop": "after_effect"})
    assert isinstance(await failure(maker.start(still())), OutcomeUnknown)
    assert not maker.recoverable
    assert isinstance(await failure(maker.find(still())), WillNotWork)
