"""Stills, tweaks and videos are begun with their matcha held, and never without."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.artists import BASE, BRIEF, CHECKOUT, PICTURE, Artist, artist, studio
from tests.api.living import Living
from tests.world import TestWorld

STILL = {"brief": BRIEF}


@pytest.fixture(scope="module")
async def here(world: TestWorld) -> AsyncIterator[Living]:
    with world.database() as database:
        async with studio(world, database) as made:
            yield made


@pytest.fixture
async def ada(here: Living) -> Artist:
    return await artist(here, 3)


async def test_a_still_is_begun_with_its_matcha_held_and_its_place_told(ada: Artist) -> None:
    answer = await ada.post("/mma/still/create", STILL)
    told = answer.json()
    assert answer.status_code == 202
    assert told["stream_url"] == f"/mma/stream/{told['generation_id']}"
    assert answer.headers["X-Ledger-Position"] == str(told["position"])
    shown = await ada.seen(f"/mma/generations/{told['generation_id']}")
    assert (shown["status"], shown["kind"], shown["cost"]) == ("queued", "still", 1)
    assert (shown["style"], shown["assets"], shown["settings"]) == (
        None,
        {},
        {"aspect_ratio": "1:1"},
    )
    assert (await ada.account()).held == 1


async def test_a_thousand_who_race_for_credits_get_exactly_as_many_as_there_are(
    here: Living,
) -> None:
    """Fewer here; `make bench` has the thousand. Nobody is told that we are too busy."""
    ada = await artist(here, 7)
    answers = await asyncio.gather(*[ada.post("/mma/still/create", STILL) for _ in range(60)])
    said = [answer.status_code for answer in answers]
    assert (said.count(202), said.count(402)) == (7, 53)
    account = await ada.account()
    assert (account.held, account.available(here.parts.clock.now())) == (7, 0)
    accepted = [answer.json() for answer in answers if answer.status_code == 202]
    assert len({each["generation_id"] for each in accepted}) == 7
    for each in accepted:
        (first, *_) = await here.parts.ledger.history([f"generation:{each['generation_id']}"])
        assert first.position <= each["position"]


async def test_without_matcha_the_way_to_the_checkout_is_told(here: Living) -> None:
    poor = await artist(here)
    answer = await poor.post("/mma/still/create", STILL)
    told = answer.json()
    assert (answer.status_code, told["code"]) == (402, "INSUFFICIENT_MATCHA")
    named = poor.caller.pass_id.replace(":", "%3A")
    assert told["checkout_url"] == f"{CHECKOUT}?attributes[mg_pass_id]={named}"


async def test_the_same_key_begins_one_and_answers_the_same(ada: Artist) -> None:
    first, again = [await ada.post("/mma/still/create", STILL, "k-1") for _ in range(2)]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (first.json(), first.headers["X-Ledger-Position"]) == (
        again.json(),
        again.headers["X-Ledger-Position"],
    )
    other = await ada.post("/mma/still/create", {"brief": "Another"}, "k-1")
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert (await ada.account()).held == 1


async def test_keys_of_creations_at_the_same_moment_keep_their_own_answers(here: Living) -> None:
    ada = await artist(here, 9)
    keys = [f"race-{n}" for n in range(9)]
    first = await asyncio.gather(*[ada.post("/mma/still/create", STILL, key) for key in keys])
    again = [await ada.post("/mma/still/create", STILL, key) for key in keys]
    assert [a.json() for a in first] == [a.json() for a in again]
    assert len({a.json()["position"] for a in first}) == 9


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.brief"),
        ({"brief": "  "}, "body.brief"),
        ({"brief": "\u200b \u2060"}, "body.brief"),
        ({"brief": "x" * 4_001}, "body.brief"),
        ({"brief": "x", "product_image": "https://elsewhere.example/a.png"}, "body.product_image"),
        ({"brief": "x", "logo_image": f"{BASE}/generations/a.mp4"}, "body.logo_image"),
        ({"brief": "x", "logo_image": f"{BASE}/staging/a.png"}, "body.logo_image"),
        (
            {"brief": "x", "inspiration_images": [PICTURE, f"{PICTURE}?X-Amz-Signature=1"]},
            "body.inspiration_images.1",
        ),
        ({"brief": "x", "inspiration_images": [PICTURE] * 5}, "body.inspiration_images"),
        ({"brief": "x", "settings": {"aspect_ratio": "5:7"}}, "body.settings.aspect_ratio"),
        ({"brief": "x", "settings": {"sparkle": 1}}, "body.settings.sparkle"),
        ({"brief": "x", "settings": None}, "body.settings"),
    ],
)
async def test_what_cannot_be_made_is_refused_by_the_name_of_its_field(
    ada: Artist, body: dict[str, Any], field: str
) -> None:
    answer = await ada.post("/mma/still/create", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    assert [each["field"] for each in answer.json()["fields"]] == [field]
    assert (await ada.account()).held == 0


async def test_the_defaults_stand_in_the_description(here: Living) -> None:
    said = here.app.openapi()["paths"]["/mma/still/create"]["post"]["requestBody"]
    shown = said["content"]["application/json"]["schema"]["properties"]
    assert shown["style"]["default"] is None and shown["inspiration_images"]["default"] is None
    assert shown["settings"]["properties"]["aspect_ratio"]["default"] == "1:1"


async def test_a_tweak_is_a_new_still_with_the_same_settings(ada: Artist) -> None:
    chosen = {"settings": {"aspect_ratio": "16:9", "seed": 7}, "style": "noir"}
    first = await ada.still(**chosen, logo_image=PICTURE)
    second = await ada.begun(f"/mma/still/{first}/tweak", feedback="No light")
    before = await ada.seen(f"/mma/generations/{first}")
    after = await ada.seen(f"/mma/generations/{second}")
    assert after["parent_id"] == first and second != first
    assert [after[name] for name in ("settings", "style", "assets")] == [
        before[name] for name in ("settings", "style", "assets")
    ]


async def test_an_unfinished_still_is_not_tweaked(ada: Artist) -> None:
    first = await ada.begun()
    answer = await ada.post(f"/mma/still/{first}/tweak", {"feedback": "No light"})
    assert (answer.status_code, answer.json()["code"]) == (409, "NOT_FINISHED")


async def test_what_came_to_nothing_is_not_worth_waiting_for(ada: Artist) -> None:
    failed = await ada.begun()
    await ada.fail(failed)
    cancelled = await ada.begun()
    await ada.post(f"/mma/generations/{cancelled}/cancel")
    for id_ in (failed, cancelled):
        tweak = await ada.post(f"/mma/still/{id_}/tweak", {"feedback": "No light"})
        like = await ada.post("/mma/events", {"event_type": "like", "generation_id": id_})
        for answer in (tweak, like):
            assert (answer.status_code, answer.json()["code"]) == (409, "NOT_FINISHED")
            assert "make it anew" in answer.json()["detail"]
            assert "Retry-After" not in answer.headers


async def test_an_animation_knows_the_still_that_made_its_image(ada: Artist) -> None:
    still = await ada.still()
    url = (await ada.seen(f"/mma/generations/{still}"))["output_url"]
    video = await ada.begun("/mma/video/animate", image=url, settings={"duration": 5})
    shown = await ada.seen(f"/mma/generations/{video}")
    assert (shown["kind"], shown["parent_id"]) == ("video", still)
    assert (shown["assets"], shown["settings"]) == ({"image": url}, {"duration": 5})


async def test_feedback_on_a_video_is_kept_and_costs_nothing(ada: Artist) -> None:
    video = await ada.video()
    before = (await ada.account()).balance
    answer = await ada.post(f"/mma/video/{video}/feedback", {"text": "Slower, please"})
    assert (answer.status_code, answer.json()["stored"]) == (200, True)
    assert (await ada.generation(video)).echo.feedbacks == 1
    assert (await ada.account()).balance == before


async def test_a_cancelled_one_gives_its_matcha_back_and_is_not_cancelled_after_its_end(
    ada: Artist,
) -> None:
    id_ = await ada.begun()
    answers = [await ada.post(f"/mma/generations/{id_}/cancel") for _ in range(2)]
    assert [a.status_code for a in answers] == [200, 200]
    assert (await ada.account()).held == 0
    done = await ada.still()
    refused = await ada.post(f"/mma/generations/{done}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "ALREADY_ENDED")


@pytest.mark.parametrize("kind", ["still", "tweak", "video"])
async def test_a_quote_tells_the_cost_and_where_it_stands(ada: Artist, kind: str) -> None:
    told = await ada.seen("/mma/quote", kind=kind)
    assert told == {
        "kind": kind,
        "cost": 1,
        "config_id": "app_config:mma.costs:0",
        "version": 0,
    }
    assert (await ada.get("/mma/quote", kind="opera")).status_code == 422


async def test_nobody_sees_or_changes_what_is_another_s(ada: Artist, here: Living) -> None:
    id_, video = await ada.still(), await ada.video()
    bob = await artist(here, 5)
    position = await here.position()
    asked = [
        await bob.get(f"/mma/generations/{id_}"),
        await bob.get(f"/mma/stream/{id_}"),
        await bob.post(f"/mma/still/{id_}/tweak", {"feedback": "Mine"}),
        await bob.post(f"/mma/video/{video}/feedback", {"text": "Mine"}),
        await bob.post(f"/mma/generations/{id_}/cancel"),
        await bob.post(f"/archive/{id_}/recreate"),
        await bob.post("/mma/events", {"event_type": "like", "generation_id": id_}),
        await bob.get("/studio/state", mode="still", generation_id=id_),
    ]
    assert {answer.status_code for answer in asked} == {404}
    assert await here.position() == position


async def test_an_auditor_sees_it_as_it_was(ada: Artist, here: Living) -> None:
    id_ = await ada.begun()
    queued = await here.position()
    await ada.delivered(id_)
    auditor = await here.caller("auditor")
    path = f"/mma/generations/{id_}"
    then = (await auditor.get(path, as_of=str(queued))).json()
    assert (then["status"], then["output_url"], then["prompt"]) == ("queued", None, None)
    assert (await auditor.get(path)).json()["status"] == "done"
    assert (await auditor.get(path, as_of="1")).status_code == 404
    assert (await ada.get(path, as_of="2026-01-01T00:00:00")).status_code == 422
