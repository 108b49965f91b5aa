"""Reading your writes, reading the past, and pages that neither skip nor repeat."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.asking import as_of
from api.problems import Invalid
from domain.character import CharacterCreated
from ledger.ledger import NewEvent
from tests.api.living import Caller, Living, living
from tests.world import TestWorld


async def test_a_reader_waits_for_what_was_written(here: Living, ada: Caller) -> None:
    written = await ada.post("/characters", {"role": "oracle", "kind": "mini_me"})
    position = written.headers["X-Ledger-Position"]
    listed = await ada.get("/characters", min_position=position)
    assert [item["id"] for item in listed.json()["items"]] == [written.json()["id"]]
    read = await ada.get(f"/characters/{written.json()['id']}", min_position=position)
    assert read.json() == written.json()


async def test_a_projection_that_is_too_late_is_said_so(here: Living, ada: Caller) -> None:
    far = await here.position() + 1_000_000
    answer = await ada.get("/characters", min_position=far)
    assert (answer.status_code, answer.json()["code"]) == (503, "PROJECTION_BEHIND")
    assert answer.headers["Retry-After"]


async def test_waiters_are_woken_by_the_projection(world: TestWorld) -> None:
    with world.database() as database:
        async with living(world, database) as here:
            ada = await here.caller()
            last = await ada.post("/characters", {"role": "oracle", "kind": "role"})
            position = int(last.headers["X-Ledger-Position"]) + 1
            waiting = asyncio.create_task(ada.get("/characters", min_position=position))
            await ada.post("/characters", {"role": "samurai", "kind": "role"})
            assert len((await waiting).json()["items"]) == 2


async def test_an_object_is_its_owners_before_any_projection_shows_it(
    here: Living, ada: Caller
) -> None:
    order = await ada.order()
    assert (await ada.get(f"/mint-orders/{order['order_id']}")).status_code == 200
    assert (await ada.get(f"/characters/{order['character_id']}")).status_code == 200


async def test_an_object_reads_as_it_was(here: Living, ada: Caller) -> None:
    born = await here.position()
    order = await ada.order()
    opened = await here.position()
    await here.pay(order["order_id"], ada.wallet)
    await here.draw(order["character_id"])
    path = f"/characters/{order['character_id']}"
    now = await ada.get(path, min_position=await here.position())
    assert (now.json()["mint_ui_state"], now.json()["mint_paid"]) == ("done", True)
    assert (await ada.get(path, as_of=born)).status_code == 404
    assert (await ada.get(path, as_of=born + 1)).json()["mint_order_id"] is None
    then = await ada.get(path, as_of=opened)
    assert (then.json()["mint_ui_state"], then.json()["mint_order_status"]) == ("new", "pending")
    assert (await ada.get(path, as_of=await here.position())).json() == now.json()


async def test_every_position_reads_as_it_was_answered(here: Living, ada: Caller) -> None:
    order = await ada.order()
    path, told = f"/mint-orders/{order['order_id']}", {}
    for step in ("awaiting_approve", None, "awaiting_mint"):
        answer = await ada.post(f"{path}/wallet-step", {"step": step})
        told[int(answer.headers["X-Ledger-Position"])] = step
    for position, step in told.items():
        assert (await ada.get(path, as_of=position)).json()["wallet_step"] == step


async def test_the_past_is_read_by_time_in_any_zone(here: Living, ada: Caller) -> None:
    order = await ada.order()
    path = f"/mint-orders/{order['order_id']}"
    (opened,) = (await ada.get(path)).json()["timeline"]
    assert (await ada.get(path, as_of=opened["time"])).status_code == 200
    at = here.parts.clock.now()
    assert (await ada.get(path, as_of=at.isoformat())).status_code == 200
    assert (await ada.ask("GET", f"{path}?as_of={at.isoformat()}")).status_code == 200
    early = (at - timedelta(days=1)).isoformat()
    assert (await ada.get(path, as_of=early)).status_code == 404


@pytest.mark.parametrize(
    "said",
    ["2026-01-01T00:00:00", "2026-01-01", "yesterday", "-1", "2026-02-30T00:00:00Z", "9" * 30, ""],
)
async def test_a_time_without_a_zone_is_no_time(ada: Caller, said: str) -> None:
    answer = await ada.get(f"/characters/{await ada.character()}", as_of=said)
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (422, "query.as_of")


async def test_an_auditor_reads_anybodys_past(here: Living, ada: Caller) -> None:
    path, auditor = f"/characters/{await ada.character()}", await here.caller("auditor")
    assert (await auditor.get(path, as_of=await here.position())).status_code == 200


async def test_depth_is_read_live_and_as_recorded_while_the_chain_is_silent(
    world: TestWorld,
) -> None:
    with world.database() as database:
        async with living(world, database) as here:
            ada = await here.caller()
            order = await ada.order()
            await here.pay(order["order_id"], ada.wallet, block=95)
            await here.shown()
            path, before = f"/mint-orders/{order['order_id']}", await here.position()
            assert (await ada.get(path)).json()["evidence"]["depth"] == 6
            here.head[0] = None
            silent = await eventually_depth(ada, path, 3)
            assert silent["evidence"]["block"] == 95
            assert await here.position() == before


async def eventually_depth(caller: Caller, path: str, depth: int) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while True:
            view = (await caller.get(path)).json()
            if view["evidence"]["depth"] == depth:
                return dict(view)


async def test_orders_open_while_the_chain_is_silent(world: TestWorld) -> None:
    with world.database() as database:
        async with living(world, database) as here:
            here.head[0] = None
            order = await (await here.caller()).order()
            (opened, *_) = await here.parts.ledger.history([f"order:{order['order_id']}"])
            assert opened.event.opened_block == 0  # type: ignore[attr-defined]


class Shelf:
    """Characters of one pass, put there directly: many at once, and more between two pages."""

    def __init__(self, here: Living, owner: Caller) -> None:
        self._here, self._owner, self.ids = here, owner, list[str]()

    async def add(self, count: int) -> None:
        for _ in range(count):
            number = len(self.ids)
            id_ = f"00000000-0000-4000-8000-{number:04d}{self._owner.wallet[2:10]}"
            pass_id, role = self._owner.pass_id, f"role{number}"
            born = CharacterCreated(character_id=id_, pass_id=pass_id, role=role, kind="role")
            metadata = {"correlation_id": "t", "causation_id": "t", "command_id": id_}
            await self._here.parts.ledger.append([NewEvent(born.stream, 1, born, metadata)])
            self.ids.append(id_)


_counts = st.lists(st.integers(0, 4), min_size=1, max_size=6)


@settings(max_examples=15, deadline=None)
@given(first=st.integers(0, 12), limit=st.integers(1, 5), later=_counts)
def test_pages_neither_skip_nor_repeat_while_rows_are_added(
    paged: PagedWorld, first: int, limit: int, later: list[int]
) -> None:
    paged.run(walk(paged.here, first, limit, later))


async def walk(here: Living, first: int, limit: int, later: list[int]) -> None:
    caller = await here.caller()
    shelf, seen, cursor = Shelf(here, caller), list[str](), ""
    await shelf.add(first)
    for more in [*later, *([0] * 100)]:
        asked = {"limit": limit, "min_position": await here.position()}
        page = await caller.get("/characters", **asked, **({"cursor": cursor} if cursor else {}))
        assert len(page.json()["items"]) <= limit
        seen += [item["id"] for item in page.json()["items"]]
        if page.json()["next_cursor"] is None:
            break
        cursor = page.json()["next_cursor"]
        await shelf.add(more)
    assert seen == shelf.ids


class PagedWorld:
    """An application on a loop of its own, because Hypothesis calls plain functions."""

    def __init__(self, runner: asyncio.Runner, here: Living) -> None:
        self._runner, self.here = runner, here

    def run(self, work: Any) -> None:
        self._runner.run(work)


@pytest.fixture(scope="module")
def paged(world: TestWorld) -> Any:
    with world.database() as database, asyncio.Runner() as runner:
        opening = living(world, database)
        here = runner.run(opening.__aenter__())
        yield PagedWorld(runner, here)
        runner.run(opening.__aexit__(None, None, None))


def test_what_the_past_is_asked_by_is_checked_without_a_request() -> None:
    from starlette.requests import Request

    def asked(query: str) -> Request:
        return Request({"type": "http", "query_string": query.encode(), "headers": []})

    moment = as_of(asked("as_of=2026-01-01T00:00:00 05:00"))
    assert moment and moment.time and moment.time.hour == 19
    with pytest.raises(Invalid):
        as_of(asked("as_of=2026-W01-1T00:00:00Z"))
    assert as_of(asked("")) is None
