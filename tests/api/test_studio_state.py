"""My pass, my visits, my button, what I tell."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from commands.config import SetConfig
from commands.passes import Identify
from domain.studio_config import WELCOME_KEY
from tests.api.artists import CHECKOUT, Artist, artist, studio
from tests.api.living import Living
from tests.world import TestWorld


@pytest.fixture(scope="module")
async def here(world: TestWorld) -> AsyncIterator[Living]:
    with world.database() as database:
        async with studio(world, database) as made:
            yield made


@pytest.fixture
async def ada(here: Living) -> Artist:
    return await artist(here, 5)


# Who I am.


async def test_me_tells_matcha_what_is_held_and_until_when(ada: Artist) -> None:
    await ada.begun()
    told = await ada.seen("/me")
    assert (told["matcha"], told["matcha_available"], told["matcha_owed"]) == (5, 4, 0)
    left = datetime.fromisoformat(told["expires_at"]) - datetime.now(UTC)
    assert 29 <= left.days <= 30
    assert told["checkout_url"].startswith(CHECKOUT)


async def test_what_is_not_known_is_null(here: Living) -> None:
    told = await (await artist(here)).seen("/me")
    assert (told["email"], told["expires_at"], told["last_active"]) == (None, None, None)
    assert (told["matcha"], told["matcha_available"]) == (0, 0)


async def test_me_as_it_was(ada: Artist, here: Living) -> None:
    before = await here.position()
    await ada.buy(7)
    await ada.post("/sessions")
    then = (await ada.get("/me", as_of=str(before))).json()
    assert (then["matcha"], then["last_active"]) == (5, None)
    now = await ada.seen("/me")
    assert now["matcha"] == 12 and now["last_active"]
    assert (await ada.get("/me", as_of="0")).status_code == 404
    assert (await ada.get("/me", as_of="yesterday")).status_code == 422


async def test_me_waits_no_longer_than_it_may_for_what_is_not_there(ada: Artist) -> None:
    answer = await ada.get("/me", min_position=10**15)
    assert (answer.status_code, answer.json()["code"]) == (503, "PROJECTION_BEHIND")


# Visits.


async def test_entering_the_studio_is_what_last_active_tells(ada: Artist, here: Living) -> None:
    answer = await ada.post("/sessions")
    visit = answer.json()
    assert (answer.status_code, visit["ended_at"]) == (201, None)
    seen = (await ada.seen("/me"))["last_active"]
    assert datetime.fromisoformat(seen) == datetime.fromisoformat(visit["started_at"])
    rows = await here.parts.reader.rows(
        "SELECT mg_last_active FROM mega_customers WHERE mg_pass_id = %s", (ada.caller.pass_id,)
    )
    assert rows == [(datetime.fromisoformat(seen),)]
    again = (await ada.post("/sessions")).json()
    assert again["session_id"] != visit["session_id"]


async def test_a_visit_ends_once_and_only_for_whose_it_is(ada: Artist, here: Living) -> None:
    visit = (await ada.post("/sessions")).json()["session_id"]
    first, again = [await ada.post(f"/sessions/{visit}/end") for _ in range(2)]
    assert first.json() == again.json() and first.json()["ended_at"]
    other = (await ada.post("/sessions")).json()["session_id"]
    bob = await artist(here)
    assert (await bob.post(f"/sessions/{other}/end")).status_code == 404
    assert (await ada.post("/sessions/nonsense/end")).status_code == 404
    rows = await here.parts.reader.rows(
        "SELECT mg_record_type, mg_pass_id FROM mega_records WHERE mg_id = %s",
        (f"session:{visit}",),
    )
    assert rows == [("session", ada.caller.pass_id)]


async def test_the_first_visit_brings_the_welcome_and_a_key_brings_it_once(here: Living) -> None:
    await here.do(SetConfig(key=WELCOME_KEY, value={"amount": 2}, by="pass:user:root"))
    bob = await artist(here)
    for _ in range(2):
        assert (await bob.post("/sessions", {}, "k-1")).status_code == 201
    assert (await bob.seen("/me"))["matcha"] == 2
    await here.do(SetConfig(key=WELCOME_KEY, value={"amount": 0}, by="pass:user:root"))


# The button.


async def state(ada: Artist, **query: Any) -> dict[str, Any]:
    told: dict[str, Any] = await ada.seen("/studio/state", **query)
    return told


async def test_the_button_of_a_still(ada: Artist, here: Living) -> None:
    assert (await state(ada, mode="still"))["button"] == {
        "state": "create",
        "label": "Create",
        "action": "create",
    }
    assert (await state(ada, mode="still", upload="uploading"))["button"]["state"] == "uploading"
    assert (await state(ada, mode="still", upload="stalled"))["button"]["label"] == (
        "Upload image again"
    )
    id_ = await ada.begun()
    here_ = {"mode": "still", "generation_id": id_}
    assert (await state(ada, **here_))["button"]["state"] == "creating"
    await ada.fail(id_)
    assert (await state(ada, **here_))["button"]["state"] == "retry"
    poor = await artist(here)
    told = (await state(poor, mode="still"))["button"]
    assert (told["state"], told["action"]) == ("need_matcha", "checkout")
    assert told["checkout_url"].startswith(CHECKOUT)


async def test_the_button_of_an_animation(ada: Artist) -> None:
    told = await state(ada, mode="animation")
    assert (told["button"]["state"], told["type_for_me"]["enabled"]) == ("need_image", False)
    told = await state(ada, mode="animation", has_image="true")
    assert (told["button"]["state"], told["type_for_me"]["enabled"]) == ("animate", True)
    assert (await state(ada, mode="animation", upload="done"))["button"]["state"] == "animate"
    id_ = await ada.begun("/mma/video/animate", image="http://assets.test/uploads/5e.png")
    told = await state(ada, mode="animation", has_image="true", generation_id=id_)
    assert told["button"]["label"] == "Animating… (3 min)"
    still = await ada.begun()
    told = await state(ada, mode="animation", has_image="true", generation_id=still)
    assert told["button"]["state"] == "animate"


@pytest.mark.parametrize(
    "query",
    [{}, {"mode": "opera"}, {"mode": "still", "upload": "x"}, {"mode": "still", "has_image": "1"}],
)
async def test_what_the_table_does_not_know(ada: Artist, query: dict[str, str]) -> None:
    assert (await ada.get("/studio/state", **query)).status_code == 422


# What is told.


async def test_a_second_like_is_one_and_a_dislike_takes_it_back(ada: Artist, here: Living) -> None:
    id_ = await ada.still()
    before = await here.position()
    said = [("like", True), ("like", True), ("dislike", False), ("download", False)]
    for word, liked in said:
        answer = await ada.post("/mma/events", {"event_type": word, "generation_id": id_})
        assert (answer.status_code, answer.json()["liked"]) == (200, liked)
    rows = await here.parts.reader.rows(
        "SELECT mg_meta->>'event_type', mg_generation_id, mg_record_type FROM mega_generations"
        " WHERE mg_position > %s ORDER BY mg_position",
        (before,),
    )
    assert rows == [(word, id_, "mma_event") for word in ("like", "dislike", "download")]


async def test_only_what_is_delivered_can_be_liked(ada: Artist) -> None:
    id_ = await ada.begun()
    answer = await ada.post("/mma/events", {"event_type": "like", "generation_id": id_})
    assert (answer.status_code, answer.json()["code"]) == (409, "NOT_FINISHED")


async def test_preferences_are_a_snapshot_of_the_pass(ada: Artist, here: Living) -> None:
    chosen = {"hard_blocks": ["people", "neon"], "tag_weights": {"moody": 3, "flat": -2}}
    body = {"event_type": "preference_set", "meta": {"preferences": chosen}}
    position = (await ada.post("/mma/events", body)).headers["X-Ledger-Position"]
    assert (await ada.post("/mma/events", body)).json()["preferences"] == chosen
    alone = await ada.post("/mma/events", {"event_type": "preference_set", "meta": chosen})
    assert alone.json()["preferences"] == chosen
    ((kept, at),) = await here.parts.reader.rows(
        "SELECT mg_mma_preferences, mg_mma_preferences_updated_at FROM mega_customers"
        " WHERE mg_pass_id = %s",
        (ada.caller.pass_id,),
    )
    assert kept == chosen and at is not None
    ((kind, said, id_),) = await here.parts.reader.rows(
        "SELECT mg_record_type, mg_meta, mg_id FROM mega_generations WHERE mg_position = %s",
        (int(position),),
    )
    assert (kind, said) == ("mma_event", {"event_type": "preference_set"})
    assert id_.startswith("mma_event:")


@pytest.mark.parametrize("said", [False, True])
async def test_what_a_merged_pass_never_wants_to_see_is_not_forgotten(
    ada: Artist, here: Living, said: bool
) -> None:
    bob = await artist(here)
    for who, blocks in ((bob, ["snakes"]), *([(ada, ["people"])] if said else [])):
        meta = {"preferences": {"hard_blocks": blocks}}
        await who.post("/mma/events", {"event_type": "preference_set", "meta": meta})
    identity = f"eip155:{bob.caller.wallet}"
    await here.do(
        Identify(identity=identity, new_pass_id=bob.caller.pass_id, current=ada.caller.pass_id)
    )
    ((kept,),) = await here.parts.reader.rows(
        "SELECT mg_mma_preferences FROM mega_customers WHERE mg_pass_id = %s",
        (ada.caller.pass_id,),
    )
    assert kept["hard_blocks"] == (["people"] if said else ["snakes"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"event_type": "like"}, "body.generation_id"),
        ({"event_type": "adore"}, "body.event_type"),
        ({"event_type": "preference_set"}, "body.meta.preferences"),
        (
            {
                "event_type": "preference_set",
                "meta": {"preferences": {"tag_weights": {"moody": "3"}}},
            },
            "body.meta.preferences.tag_weights.moody",
        ),
        ({"event_type": "create", "meta": {"x": "y" * 5_000}}, "body.meta"),
    ],
)
async def test_what_lacks_a_part_is_refused_by_its_name(
    ada: Artist, body: dict[str, Any], field: str
) -> None:
    answer = await ada.post("/mma/events", body)
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (422, field)


async def test_what_its_route_wrote_down_is_not_written_twice(ada: Artist, here: Living) -> None:
    id_ = await ada.begun()
    before = await here.position()
    told = {"event_type": "create", "generation_id": id_}
    assert (await ada.post("/mma/events", told)).status_code == 200
    assert await here.position() == before
    alone = await ada.post("/mma/events", {"event_type": "create", "meta": {"button": "left"}})
    assert alone.status_code == 200
    ((kind, pass_id),) = await here.parts.reader.rows(
        "SELECT mg_record_type, mg_pass_id FROM mega_generations WHERE mg_position = %s",
        (int(alone.headers["X-Ledger-Position"]),),
    )
    assert (kind, pass_id) == ("mma_event", ada.caller.pass_id)
