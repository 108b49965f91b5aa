"""The archive: everything that was delivered, newest first, paged without a gap, found again."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.archiving import Wanted, page
from api.asking import POSITION_MAX
from api.principal import Principal
from commands.passes import Identify
from tests.api.artists import PICTURE, Artist, artist, studio
from tests.api.living import Living
from tests.world import TestWorld


@pytest.fixture(scope="module")
async def here(world: TestWorld) -> AsyncIterator[Living]:
    with world.database() as database:
        async with studio(world, database) as made:
            yield made


@pytest.fixture
async def ada(here: Living) -> Artist:
    return await artist(here, 30)


async def ids(ada: Artist, **query: Any) -> list[str]:
    return [item["generation_id"] for item in (await ada.seen("/archive", **query))["items"]]


async def walked(
    ada: Artist, meanwhile: Callable[[], Awaitable[None]] | None = None, **query: Any
) -> list[str]:
    """The items of all pages."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        told = await ada.seen("/archive", **query, **cursor)
        found += [item["generation_id"] for item in told["items"]]
        if told["next_cursor"] is None:
            return found
        cursor = {"cursor": told["next_cursor"]}
        if meanwhile:
            await meanwhile()


async def test_what_was_delivered_is_shown_newest_first(ada: Artist) -> None:
    first = await ada.begun(brief="First")
    second = await ada.still(brief="Second")
    failed = await ada.begun()
    await ada.fail(failed)
    await ada.begun()
    await ada.delivered(first)
    told = await ada.seen("/archive")
    assert [item["generation_id"] for item in told["items"]] == [first, second]
    assert told["next_cursor"] is None
    item = told["items"][0]
    shown = await ada.seen(f"/mma/generations/{first}")
    for name in ("kind", "output_url", "liked", "created_at", "parent_id", "brief"):
        assert item[name] == shown[name], name
    assert item["brief"] == "First" and len(item) == 7


async def test_pages_hold_what_the_first_one_promised_while_more_is_made(ada: Artist) -> None:
    """I-18: no item twice, none skipped, whatever is delivered, begun or liked meanwhile."""
    slow = await ada.begun()
    made = [await ada.still() for _ in range(5)]

    async def meanwhile() -> None:
        await ada.still()
        await ada.post("/mma/events", {"event_type": "like", "generation_id": made[0]})
        if not (await ada.generation(slow)).ended:
            await ada.delivered(slow)

    assert await walked(ada, meanwhile, limit=2) == made[::-1]


async def test_it_is_filtered_by_kind_liking_and_time(ada: Artist) -> None:
    still, video = await ada.still(), await ada.video()
    await ada.post("/mma/events", {"event_type": "like", "generation_id": video})
    assert await ids(ada, kind="still") == [still]
    assert await ids(ada, kind="video") == [video]
    assert await ids(ada, liked="true") == [video]
    assert await ids(ada, liked="false") == [still]
    assert await ids(ada, liked="true", kind="still") == []
    now = datetime.now(UTC)
    today = (now + timedelta(hours=4)).date()  # where the studio is
    for query, there in [
        ({"from": (now - timedelta(minutes=5)).isoformat()}, True),
        ({"from": (now + timedelta(minutes=5)).isoformat()}, False),
        ({"to": (now - timedelta(hours=5)).isoformat()}, False),
        ({"from": str(today - timedelta(days=1)), "to": str(today)}, True),
        ({"to": str(today - timedelta(days=1))}, False),
    ]:
        assert await ids(ada, **query) == ([video, still] if there else []), query


async def test_a_filter_that_is_left_empty_asks_for_nothing(ada: Artist) -> None:
    id_ = await ada.still()
    empty = dict.fromkeys(("kind", "liked", "from", "to", "q"), "")
    assert await ids(ada, **empty) == [id_]


async def test_an_edge_that_is_named_by_an_item_is_in(ada: Artist) -> None:
    id_ = await ada.still()
    at = (await ada.seen("/archive"))["items"][0]["created_at"]
    assert await ids(ada, **{"from": at, "to": at}) == [id_]


async def test_words_are_found_whatever_their_case_page_by_page(ada: Artist) -> None:
    wanted = [await ada.still(brief=f"A RED fox {n}") for n in range(2)]
    for n in range(5):
        await ada.still(brief=f"A blue whale {n}")
    wanted.append(await ada.still(brief="The red door"))
    assert await ids(ada, q="red") == wanted[::-1]
    assert await ids(ada, q="Fox 1") == [wanted[1]]
    assert await ids(ada, q="unicorn") == []
    accented = await ada.still(brief="Ein M\u00dcDER Fuchs")
    for written in ("m\u00fcder", "mu\u0308der"):
        assert await ids(ada, q=written) == [accented]
    assert await walked(ada, limit=1, q="red") == wanted[::-1]


async def test_a_search_that_looked_through_enough_goes_on_from_its_cursor(
    ada: Artist, here: Living
) -> None:
    first = await ada.still(brief="The red door")
    for n in range(7):
        await ada.still(brief=f"A blue whale {n}")
    await here.shown()
    who = Principal(ada.caller.pass_id, (ada.caller.pass_id,), frozenset(), "", 0)
    want = Wanted(10, POSITION_MAX, None, None, "-infinity", "infinity", "red", scan=3)
    pages = []
    while True:
        told = await page(here.parts, who, want)
        pages.append([item["generation_id"] for item in told["items"]])
        if told["next_cursor"] is None:
            break
        reached = int(urlsafe_b64decode(told["next_cursor"]))
        want = replace(want, before=reached)
    assert pages == [[], [], [first]]


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "opera"},
        {"liked": "yes"},
        {"from": "yesterday"},
        {"from": "2026-01-01T00:00:00"},
        {"to": "2026-13-01"},
        {"q": "x" * 201},
        {"limit": 101},
        {"cursor": "x"},
    ],
)
async def test_what_it_cannot_be_asked(ada: Artist, query: dict[str, Any]) -> None:
    answer = await ada.get("/archive", **query)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")


async def test_a_merged_pass_sees_what_was_made_under_each_of_its_names(
    ada: Artist, here: Living
) -> None:
    bob = await artist(here, 5)
    mine, theirs = await ada.still(), await bob.still(brief="Bob's own")
    identity = f"eip155:{bob.caller.wallet}"
    await here.do(
        Identify(identity=identity, new_pass_id=bob.caller.pass_id, current=ada.caller.pass_id)
    )
    await here.shown()
    await here.parts.directory.refresh()
    assert await ids(ada) == [theirs, mine]
    assert await ids(ada, q="own") == [theirs]
    liked = {"event_type": "like", "generation_id": theirs}
    assert (await ada.post("/mma/events", liked)).json()["liked"] is True


async def test_recreate_gives_back_exactly_what_it_was_made_with(ada: Artist) -> None:
    """I-19; and writes nothing."""
    chosen: dict[str, Any] = {
        "style": "noir",
        "settings": {"aspect_ratio": "9:16", "seed": 3, "quality": "high"},
        "product_image": PICTURE,
        "inspiration_images": [PICTURE, PICTURE],
    }
    still = await ada.still(brief="Original words", **chosen)
    tweak = await ada.delivered(await ada.begun(f"/mma/still/{still}/tweak", feedback="Darker"))
    video = await ada.video(prompt="It moves", settings={"duration": 10}, end_image=PICTURE)
    before = await ada.here.position()
    for id_ in (still, tweak):
        told = (await ada.post(f"/archive/{id_}/recreate")).json()
        assert told == {
            "mode": "still",
            "brief": "Original words",
            "style": "noir",
            "settings": chosen["settings"],
            "assets": {name: chosen[name] for name in ("product_image", "inspiration_images")},
        }
    told = (await ada.post(f"/archive/{video}/recreate")).json()
    assert (told["mode"], told["brief"]) == ("animation", "It moves")
    shown = await ada.seen(f"/mma/generations/{video}")
    assert (told["settings"], told["assets"]) == (shown["settings"], shown["assets"])
    assert await ada.here.position() == before
    again = {name: value for name, value in told.items() if name in ("settings",)}
    second = await ada.begun("/mma/video/animate", **told["assets"], **again)
    assert (await ada.seen(f"/mma/generations/{second}"))["settings"] == told["settings"]
