"""Makers call back: it is worth a look, and whoever lies about it changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from api.app import create_app
from commands.generations import MediaTaken, RequestMedia
from consumers.composing_mma import replicate_signed
from domain.callbacks import callback_token
from domain.generation_events import CreationBegun, generation_stream
from ledger.ledger import NewEvent
from tests.api.living import Caller, Living, living
from tests.world import TestWorld

SECRET = "kling-secret-0123456789"
SIGNING = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
OWNER = "pass:user:ann"
ID = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(scope="module")
async def here(world: TestWorld) -> AsyncIterator[Living]:
    given = {
        "MEGA_KLING_CALLBACK_SECRET": SECRET,
        "REPLICATE_WEBHOOK_SECRET": SIGNING,
        "HELIUS_WEBHOOK_AUTH": "a password",
    }
    async with opened(world, **given) as made:
        yield made


@asynccontextmanager
async def opened(world: TestWorld, **given: str) -> AsyncIterator[Living]:
    with world.database() as database:
        async with living(world, database, **given) as made:
            parts = replace(made.parts, delivery=replicate_signed(made.parts.settings))
            yield replace(made, parts=parts, app=create_app(parts))


async def waits(here: Living, id_: str = ID) -> str:
    """A video that somebody makes as the task of the same name."""
    terms = CreationBegun(
        generation_id=id_,
        pass_id=OWNER,
        parent_id=None,
        mma_mode="video",
        origin="animate",
        brief="",
        style=None,
        settings={},
        assets={},
        cost=0,
        costs_id="c",
        provider="kling",
        begun_at=datetime.now(UTC),
        deadline_at=datetime.now(UTC) + timedelta(hours=1),
        hold_expires_at=datetime.now(UTC) + timedelta(hours=1),
    )
    begun = NewEvent(generation_stream(id_), 1, terms, {"pass_id": OWNER})
    await here.parts.ledger.append([begun], pass_id=OWNER)
    await here.do(RequestMedia(generation_id=id_, provider="kling", model="m", line="…"))
    await here.do(MediaTaken(generation_id=id_, attempt=1, task_id=f"task-{id_}"))
    await here.shown()
    return id_


async def looks(here: Living, id_: str) -> int:
    """How often somebody was told to look."""
    stream = generation_stream(id_)
    events = (await here.parts.ledger.streams([stream]))[stream].events
    return [event.TOPIC for event in events].count("provider_called_back.v1")


@pytest.fixture(scope="module")
async def caller(here: Living) -> Caller:
    await waits(here)
    return here.nobody()


async def test_kling_is_known_by_the_secret_in_its_address(here: Living, caller: Caller) -> None:
    before, body = await looks(here, ID), {"task_status": "succeed"}
    named = {**body, "task_info": {"external_task_id": f"{ID}-2"}}
    for wrong in ("x", SECRET[:-1], SECRET + "x"):
        assert (await caller.post(f"/webhooks/kling/{wrong}", named)).status_code == 401
    assert await looks(here, ID) == before
    for said in (named, {**body, "task_id": f"task-{ID}"}):
        answer = await caller.post(f"/webhooks/kling/{SECRET}", said)
        assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert await looks(here, ID) == before + 2


@pytest.mark.parametrize(
    "said",
    [
        {"task_status": "processing", "task_id": f"task-{ID}"},
        {"task_status": "succeed", "task_id": "task-of-nobody"},
        {"task_info": {"external_task_id": "22222222-2222-4222-8222-222222222222"}},
        {"task_info": [], "task_id": 7},
        {"task_id": "\0"},
        [],
        None,
    ],
)
async def test_what_means_nothing_is_taken_and_forgotten(
    here: Living, caller: Caller, said: object
) -> None:
    before = await here.position()
    assert (await caller.post(f"/webhooks/kling/{SECRET}", said)).status_code == 200
    assert await here.position() == before


async def test_replicate_is_known_by_its_signature(here: Living, caller: Caller) -> None:
    before, raw = await looks(here, ID), f'{{"id":"task-{ID}","status":"succeeded"}}'
    at = here.parts.clock.now()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(SIGNING).sign("msg_1", at, raw),
    }
    forged = {**headers, "webhook-signature": "v1,AAAA"}
    for given, status in ((forged, 401), ({}, 401), (headers, 200)):
        answer = await caller.ask("POST", "/webhooks/replicate", content=raw, headers=given)
        assert answer.status_code == status
    assert await looks(here, ID) == before + 1


async def test_who_came_by_config_has_an_address_for_each_generation(
    here: Living, caller: Caller
) -> None:
    before, key = await looks(here, ID), here.parts.settings.master_key
    other = callback_token(key, "another")
    assert (await caller.post(f"/webhooks/media/{other}/{ID}", {})).status_code == 401
    address = f"/webhooks/media/{callback_token(key, ID)}/{ID}"
    assert (await caller.post(address, {})).status_code == 200
    assert await looks(here, ID) == before + 1


async def test_helius_says_a_password(caller: Caller) -> None:
    wrong = await caller.post("/webhooks/helius", [], Authorization="guessed")
    right = await caller.post("/webhooks/helius", [], Authorization="a password")
    assert (wrong.status_code, right.status_code) == (401, 200)


async def test_without_a_secret_nobody_is_believed(here: Living, world: TestWorld) -> None:
    settings = here.parts.settings
    none = {"mega_kling_callback_secret": None, "helius_webhook_auth": None}
    bare = replace(here.parts, settings=settings.model_copy(update=none))
    caller = replace(here, app=create_app(bare)).nobody()
    for path in ("/webhooks/kling/None", "/webhooks/helius"):
        assert (await caller.post(path, {})).status_code == 401
