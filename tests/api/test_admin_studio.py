"""What administrators see of the studio, and that nobody else sees it."""

from __future__ import annotations

import psycopg
import pytest

from commands.generations import SayEvent
from tests.api.living import Caller, Living
from tests.studio.making import BRIEF, Grant, begin_still, still


@pytest.fixture
def root(here: Living) -> Caller:
    return here.known("pass:user:root", "admin")


async def test_every_record_of_a_still_is_shown_whole(here: Living, root: Caller) -> None:
    ada = await here.caller()
    await here.do(Grant(to=ada.pass_id, amount=3))
    made = await still(here.do, ada.pass_id)
    await here.do(SayEvent(generation_id=made, event_id="liked-1", type="like"))
    await here.shown()
    of = {"pass_id": ada.pass_id}
    (generation,) = (await root.get("/admin/generations", **of)).json()["items"]
    assert (generation["status"], generation["brief"], generation["pass_id"]) == (
        "done",
        BRIEF,
        ada.pass_id,
    )
    steps = (await root.get("/admin/steps", generation_id=made)).json()["items"]
    assert [(one["step_no"], one["step_type"]) for one in steps] == [
        (2, "seedream_generate"),
        (1, "gpt_reader"),
    ]
    assert steps[1]["payload"].keys() == {"input", "output", "timing", "error"}
    assert steps[1]["payload"]["output"]["clean_prompt"] == "clean"
    events = (await root.get("/admin/events", **of)).json()["items"]
    assert [one["event_type"] for one in events] == ["like", "create"]
    moved = (await root.get("/admin/credit-transactions", **of)).json()["items"]
    assert [one["matcha_delta"] for one in moved] == [-1, 3]
    assert all(one["mg_id"].startswith("credit_transaction:") for one in moved)


async def test_pages_go_back_in_time_without_a_gap(here: Living, root: Caller) -> None:
    ada = await here.caller()
    await here.do(Grant(to=ada.pass_id, amount=5))
    made = [await begin_still(here.do, ada.pass_id, f"number {n}") for n in range(5)]
    await here.shown()
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        asked = {"pass_id": ada.pass_id, "limit": "2", **cursor}
        page = (await root.get("/admin/generations", **asked)).json()
        found += [one["generation_id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
        await begin_still(here.do, (await _other(here)), "meanwhile")
    assert found == made[::-1]


async def _other(here: Living) -> str:
    other = await here.caller()
    await here.do(Grant(to=other.pass_id, amount=1))
    return other.pass_id


@pytest.mark.parametrize("path", ["generations", "steps", "events", "credit-transactions"])
async def test_only_administrators_and_each_call_is_a_row(
    here: Living, root: Caller, path: str
) -> None:
    ada, before = await here.caller(), _calls(here, path)
    assert (await ada.get(f"/admin/{path}")).status_code == 403
    assert (await here.nobody().get(f"/admin/{path}")).status_code == 401
    assert (await root.get(f"/admin/{path}", limit="1")).status_code == 200
    assert (await root.get(f"/admin/{path}", pass_id="")).status_code == 422
    assert _calls(here, path) == before + 2


def _calls(here: Living, path: str) -> int:
    with psycopg.connect(here.parts.settings.database) as connection:
        row = connection.execute(
            "SELECT count(*) FROM mega_admin WHERE mg_key = %s", (f"GET /admin/{path}",)
        ).fetchone()
    return int(row[0]) if row else 0
