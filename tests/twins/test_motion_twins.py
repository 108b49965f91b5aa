"""Kling's and Replicate's shapes: tasks that take a while, their states, callbacks and bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest

from consumers.gateways.media_answers import content_type_of
from consumers.gateways.webhook_signatures import signed_delivery
from embedded.twins.kling import Kling
from embedded.twins.replicate import SECRET, Replicate
from embedded.twins.wire import Answer, Call
from tests.twins.alone import Alone, alone

PATH = "/v1/videos/image2video"
ACCESS, SECRET_KEY = "ak_test", "sk_test_0123456789abcdef0123456789"
ASKED = {"model_name": "kling-v2-1", "image": "https://x/y.png", "external_task_id": "gen-1"}
STILL = "/v1/models/bytedance/seedream-4/predictions"
VIDEO = "/v1/models/kwaivgi/kling-v2.1/predictions"
BEARER = {"Authorization": "Bearer r8_any"}


def token(
    *, life_s: int = 1_800, early_s: int = 5, iss: str = ACCESS, key: str = SECRET_KEY
) -> dict[str, str]:
    now = int(datetime.now(UTC).timestamp())
    claims = {"iss": iss, "exp": now + life_s, "nbf": now - early_s}
    return {"Authorization": f"Bearer {jwt.encode(claims, key, 'HS256')}"}


class Inbox:
    """A twin that only takes callbacks."""

    name = "inbox"
    base_path = ""

    def __init__(self) -> None:
        self.calls: asyncio.Queue[Call] = asyncio.Queue()

    async def answer(self, call: Call) -> Answer:
        self.calls.put_nowait(call)
        return Answer(200)

    async def next(self) -> Call:
        return await asyncio.wait_for(self.calls.get(), 10)


@asynccontextmanager
async def pair(twin: Any, folder: Path | None = None) -> AsyncIterator[tuple[Alone, Inbox, str]]:
    inbox = Inbox()
    async with alone(twin, folder) as asked, alone(inbox) as told:
        yield asked, inbox, told.url


async def posted(kling: Alone, **changes: Any) -> Any:
    return await kling.client.post(PATH, json=ASKED | changes, headers=token())


async def state(kling: Alone, id_: str) -> Any:
    return (await kling.client.get(f"{PATH}/{id_}", headers=token())).json()["data"]


@pytest.fixture(scope="module")
async def strict_kling() -> AsyncIterator[Alone]:
    """For tests that are refused."""
    async with alone(Kling(ACCESS, SECRET_KEY)) as twin:
        yield twin


@pytest.fixture(scope="module")
async def strict_replicate() -> AsyncIterator[Alone]:
    async with alone(Replicate()) as twin:
        yield twin


async def effects(twin: Alone) -> list[dict[str, Any]]:
    return list((await twin.client.get("/_twin/ledger")).json()["items"])


async def test_a_task_of_kling_goes_from_submitted_to_succeed_and_has_a_real_video() -> None:
    async with alone(Kling(ACCESS, SECRET_KEY)) as kling:
        await kling.steer("tasks", {"takes_ms": 100_000})
        answer = (await posted(kling)).json()
        assert (answer["code"], answer["data"]["task_status"]) == (0, "submitted")
        task_id = answer["data"]["task_id"]
        seen = []
        for advance_s in (0, 40, 70):
            await kling.steer("clock", {"advance_s": advance_s})
            answers = await asyncio.gather(state(kling, task_id), state(kling, "gen-1"))
            assert answers[0] == answers[1]
            seen.append(answers[0]["task_status"])
        assert seen == ["submitted", "processing", "succeed"]
        (video,) = answers[0]["task_result"]["videos"]
        file = await kling.client.get(video["url"])
        assert content_type_of(file.content) == "video/mp4" == file.headers["content-type"]
        assert [item["kind"] for item in await effects(kling)] == ["video_billed"]


async def test_a_task_outlives_the_twin_and_its_url_does_not_outlive_30_days(
    tmp_path: Path,
) -> None:
    async with alone(Kling(ACCESS, SECRET_KEY), tmp_path) as kling:
        await kling.steer("tasks", {"takes_ms": 0})
        await posted(kling)
    async with alone(Kling(ACCESS, SECRET_KEY), tmp_path) as kling:
        (video,) = (await state(kling, "gen-1"))["task_result"]["videos"]
        path = video["url"].partition("/output/")[2]
        assert (await kling.client.get(f"/output/{path}")).status_code == 200
        await kling.steer("clock", {"advance_s": 31 * 86_400})
        assert (await kling.client.get(f"/output/{path}")).status_code == 404


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"image": ""}, 400, 1201),
        ({"image": "data:image/png;base64,AA=="}, 400, 1201),
        ({"duration": 5}, 400, 1201),
        ({"duration": "7"}, 400, 1201),
        ({"prompt": "x" * 2_501}, 400, 1201),
        ({"model_name": "kling-v9"}, 400, 1201),
        ({"image_tail": "https://x/z.png"}, 400, 1201),
    ],
)
async def test_kling_refuses_malformed_requests_and_bills_nothing(
    strict_kling: Alone, changes: dict[str, Any], status: int, code: int
) -> None:
    answer = await posted(strict_kling, **changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"code", "message", "request_id"}
    assert await effects(strict_kling) == []


async def test_kling_takes_an_external_task_id_once_and_finds_nothing_unknown() -> None:
    async with alone(Kling(ACCESS, SECRET_KEY)) as kling:
        assert (await posted(kling)).status_code == 200
        assert (await posted(kling)).json()["code"] == 1201
        missing = await kling.client.get(f"{PATH}/nobody", headers=token())
        assert (missing.status_code, missing.json()["code"]) == (404, 1203)
        listed = await kling.client.get(f"{PATH}?pageNum=1&pageSize=30", headers=token())
        assert [task["task_info"]["external_task_id"] for task in listed.json()["data"]] == [
            "gen-1"
        ]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 1001),
        ({"Authorization": "Bearer no.jwt.here"}, 1000),
        (token(key="another secret key of enough bytes"), 1000),
        (token(iss="ak_other"), 1002),
        (token(early_s=-86_400), 1003),
        (token(life_s=-1), 1004),
    ],
)
async def test_kling_checks_the_token(
    strict_kling: Alone, headers: dict[str, str], code: int
) -> None:
    answer = await strict_kling.client.get(PATH, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, code)


async def test_kling_calls_back_flat_and_unsigned_unless_it_is_told_not_to() -> None:
    async with pair(Kling(ACCESS, SECRET_KEY)) as (kling, inbox, url):
        await kling.steer("tasks", {"takes_ms": 40})
        await posted(kling, callback_url=f"{url}/hook")
        calls = [await inbox.next(), await inbox.next()]
        first, last = (orjson.loads(call.body) for call in calls)
        assert (first["task_status"], last["task_status"]) == ("processing", "succeed")
        assert last["task_info"] == {"external_task_id": "gen-1"}
        assert "code" not in last
        assert last["task_result"]["videos"]
        assert not [name for name in calls[0].headers if "sign" in name]
        await kling.steer("callbacks", {"send": False})
        await posted(kling, callback_url=f"{url}/hook", external_task_id="gen-2")
        await asyncio.gather(*callbacks_under_way())
        assert inbox.calls.empty()


def callbacks_under_way() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if "Works._deliver" in repr(task)]


async def test_a_task_that_is_told_to_fail_says_why_and_costs_nothing() -> None:
    async with alone(Kling(ACCESS, SECRET_KEY)) as kling:
        await kling.steer("tasks", {"takes_ms": 0, "fail": {"message": "Failure: risk control"}})
        await posted(kling)
        told = await state(kling, "gen-1")
        assert (told["task_status"], told["task_status_msg"]) == ("failed", "Failure: risk control")
        assert [item["kind"] for item in await effects(kling)] == ["video_failed"]
        refused = await kling.client.post("/_twin/tasks", json={"takes_ms": "soon"})
        assert refused.status_code == 422


async def test_replicate_makes_a_picture_signs_its_webhook_and_forgets_after_an_hour() -> None:
    async with pair(Replicate()) as (replicate, inbox, url):
        await replicate.steer("tasks", {"takes_ms": 20})
        body = {"input": {"prompt": "Portrait of a samurai", "size": "1K"}}
        hook = {"webhook": f"{url}/hook", "webhook_events_filter": ["completed"]}
        made = await replicate.client.post(STILL, json=body | hook, headers=BEARER)
        assert (made.status_code, made.json()["status"]) == (201, "starting")
        call = await inbox.next()
        key = await replicate.client.get("/v1/webhooks/default/secret", headers=BEARER)
        assert key.json() == {"key": SECRET}
        assert signed_delivery([SECRET], call.headers, call.body, datetime.now(UTC))
        told = orjson.loads(call.body)
        asked = await replicate.client.get(f"/v1/predictions/{told['id']}", headers=BEARER)
        assert asked.json() == told
        (output,) = told["output"]
        picture = await replicate.client.get(output)
        assert content_type_of(picture.content) == "image/png"
        await replicate.steer("clock", {"advance_s": 3_700})
        gone = (await replicate.client.get(told["urls"]["get"], headers=BEARER)).json()
        assert (gone["status"], gone["output"], gone["data_removed"]) == ("succeeded", None, True)
        assert (await replicate.client.get(output)).status_code == 404
        assert [item["kind"] for item in await effects(replicate)] == ["image_billed"]


async def test_replicate_cancels_what_is_not_over_and_bills_a_video_as_one() -> None:
    async with alone(Replicate()) as replicate:
        await replicate.steer("tasks", {"takes_ms": 100_000})
        body = {"input": {"prompt": "A slow orbit", "start_image": "https://x/y.png"}}
        urls = (await replicate.client.post(VIDEO, json=body, headers=BEARER)).json()["urls"]
        canceled = await replicate.client.post(urls["cancel"], headers=BEARER)
        assert canceled.json()["status"] == "canceled"
        assert [item["kind"] for item in await effects(replicate)] == [
            "video_billed",
            "prediction_canceled",
        ]


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        (STILL, {"input": {}}, BEARER, 422),
        (STILL, {"input": {"prompt": "x", "size": "8K"}}, BEARER, 422),
        (VIDEO, {"input": {"prompt": "x"}}, BEARER, 422),
        (STILL, {}, BEARER, 422),
        ("/v1/models/nobody/nothing/predictions", {"input": {"prompt": "x"}}, BEARER, 404),
        (STILL, {"input": {"prompt": "x"}}, {}, 401),
    ],
)
async def test_replicate_refuses_malformed_requests_and_bills_nothing(
    strict_replicate: Alone, path: str, body: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    answer = await strict_replicate.client.post(path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert await effects(strict_replicate) == []
