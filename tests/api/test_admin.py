"""What administrators see and repair, and the row of `mega_admin` that each call leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from tests.api import paid
from tests.api.opened import Api, opened
from tests.world import Database, TestWorld

CALLS = [
    ("GET", "/admin/recoveries"),
    ("GET", "/admin/parked"),
    ("POST", "/admin/parked/replay"),
    ("GET", "/admin/reconciliation"),
]
ROUND = """
INSERT INTO consumers.reconciliations
    (name, mark, finished_at, checked, corrected, reviews, failure)
VALUES ('levels', '', now(), 7, 2, 1, '')
"""


@pytest.fixture
async def api(world: TestWorld, database: Database) -> AsyncIterator[Api]:
    async with opened(world, database) as made:
        yield made


async def admin(api: Api, user: str = "root") -> str:
    return await api.dev(user, scope="admin")


async def call(api: Api, method: str, path: str, who: str | None) -> int:
    if method == "GET":
        return (await api.get(path, who)).status_code
    return (await api.post(path, {}, who)).status_code


def audit_rows(database: Database) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.url) as connection:
        return connection.execute(
            "SELECT mg_id, mg_pass_id, mg_key, mg_version, mg_value, mg_created_at FROM mega_admin"
            " WHERE mg_record_type = 'admin_audit' ORDER BY mg_created_at"
        ).fetchall()


async def test_only_admins_may_and_nobody_else_leaves_a_row(api: Api, database: Database) -> None:
    others = [
        None,
        *[await api.dev(scope, scope=scope) for scope in ("user", "service", "auditor")],
    ]
    for method, path in CALLS:
        said = [await call(api, method, path, who) for who in others]
        assert said == [401, 403, 403, 403], path
    assert audit_rows(database) == []
    for method, path in CALLS:
        assert await call(api, method, path, await admin(api)) == 200


async def test_each_call_is_a_row_that_names_its_event(api: Api, database: Database) -> None:
    who = await admin(api)
    await api.get("/admin/recoveries", who, limit=5)
    await api.post("/admin/parked/replay", {"stream": "order:1"}, who)
    await api.post("/admin/parked/replay", {"stream": 1}, who)
    rows = audit_rows(database)
    assert [row[2] for row in rows] == [
        "GET /admin/recoveries",
        "POST /admin/parked/replay",
        "POST /admin/parked/replay",
    ]
    assert [row[4]["query"] for row in rows] == ["limit=5", "", ""]
    assert [row[4]["request"] for row in rows] == ["", '{"stream":"order:1"}', '{"stream":1}']
    for mg_id, pass_id, _, version, value, _ in rows:
        assert (pass_id, version) == ("pass:user:root", None)
        assert value["event_id"] == f"{mg_id}/1"
    auditor = await api.dev("auditor", scope="auditor")
    found = await api.get("/ledger/events", auditor, type="admin_called.v1")
    assert [event["id"] for event in found.json()["items"]] == [row[4]["event_id"] for row in rows]


async def test_the_rows_are_made_again_equal_from_the_ledger(api: Api, database: Database) -> None:
    who = await admin(api)
    for _ in range(3):
        await api.get("/admin/parked", who)
    before = audit_rows(database)
    with psycopg.connect(database.superuser_url, autocommit=True) as su:
        su.execute("SET session_replication_role = replica")
        su.execute("DELETE FROM mega_admin")
    assert audit_rows(database) == []
    with psycopg.connect(database.url, autocommit=True) as app:
        assert app.execute("SELECT mega_rebuild_admin()").fetchone() == (3,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("DELETE FROM mega_admin")
    assert audit_rows(database) == before
    with psycopg.connect(database.admin_url, autocommit=True) as owner:
        for change in ("DELETE FROM mega_admin", "UPDATE mega_admin SET mg_key = 'x'"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                owner.execute(change.encode())


async def test_recoveries_list_each_case_once_page_by_page(api: Api) -> None:
    bought = await paid.order(api, "unlucky")
    await paid.pay(api, bought, 1, payer="0x" + "e" * 40)
    await paid.pay(api, bought, 2, amount=5)
    await paid.pay(api, bought, 3)
    await paid.pay(api, bought, 4)
    await api.project()
    who, found, cursor = await admin(api), [], ""
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        answer = (await api.get("/admin/recoveries", who, limit=2, **more)).json()
        found += answer["items"]
        cursor = answer["next_cursor"]
    assert [case["kind"] for case in found] == ["foreign_payer", "amount_too_low", "overpaid"]
    for case in found:
        assert case["id"].startswith(f"order:{bought.order_id}/")
        assert (case["stream"], case["pass_id"]) == (f"order:{bought.order_id}", bought.pass_id)
        assert (case["state"], case["attempts"], case["next_try_at"]) == ("open", 0, None)
        assert case["opened_at"].endswith("Z")
        assert case["facts"]["amount"].isdigit()


def poison(database: Database, on: bool) -> None:
    """Makes the table of characters refuse every new row, or take them again."""
    with psycopg.connect(database.superuser_url, autocommit=True) as su:
        su.execute("ALTER TABLE views.characters DROP CONSTRAINT IF EXISTS poisoned")
        if on:
            su.execute("ALTER TABLE views.characters ADD CONSTRAINT poisoned CHECK (pass_id = '')")


async def test_what_a_projection_parked_is_listed_and_replayed(
    api: Api, database: Database
) -> None:
    poison(database, on=True)
    bought = await paid.order(api, "parked")
    await api.project()
    who, stream = await admin(api), f"character:{bought.character_id}"
    found = (await api.get("/admin/parked", who)).json()["items"]
    assert found[0]["reader"] == "projection characters"
    assert found[0]["origin"] == f"{stream}/1"
    assert "poisoned" in found[0]["error"]
    assert [one["error"] for one in found[1:]] == [None] * (len(found) - 1)

    still = (await api.post("/admin/parked/replay", {"stream": stream}, who)).json()
    assert still["projections"] == [
        {"projection": "characters", "tried": len(found), "parked": len(found)}
    ]
    poison(database, on=False)
    other = (await api.post("/admin/parked/replay", {"stream": "order:none"}, who)).json()
    assert other["projections"] == []
    done = (await api.post("/admin/parked/replay", {"stream": stream}, who)).json()
    assert done["projections"] == [{"projection": "characters", "tried": len(found), "parked": 0}]
    assert (await api.get("/admin/parked", who)).json() == {"items": [], "next_cursor": None}
    shown = (await api.get(f"/characters/{bought.character_id}", bought.who)).json()
    assert shown["mint_order_id"] == bought.order_id


async def test_what_waits_around_kafka_is_listed_page_by_page_and_marked_for_replay(
    api: Api, database: Database
) -> None:
    with psycopg.connect(database.url, autocommit=True) as app:
        app.execute(
            "INSERT INTO consumers.parked (reader, topic, part, place, key, headers, value, error)"
            " SELECT 'intake', 'chain.results', 0, n, 'order:1', '', '', 'ValueError'"
            " FROM generate_series(1, 5) AS n"
        )
        app.execute(
            "INSERT INTO consumers.parked (reader, topic, part, place, key, headers, value)"
            " VALUES ('intake', 'chain.results', 0, 6, '\\xff00'::bytea, '', '')"
        )
    who, origins, cursor = await admin(api), [], ""
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        answer = (await api.get("/admin/parked", who, limit=2, **more)).json()
        origins += [one["origin"] for one in answer["items"]]
        cursor = answer["next_cursor"]
    assert sorted(origins) == [f"chain.results/0/{n}" for n in range(1, 7)]
    marked = (await api.post("/admin/parked/replay", {"stream": "order:1"}, who)).json()
    assert (marked["messages"], marked["events"]) == (5, 0)
    found = (await api.get("/admin/parked", who)).json()["items"]
    assert [one["replay"] for one in found].count(True) == 5


@pytest.mark.parametrize("body", [{"stream": ""}, {"stream": 1}, {"other": 1}, [], "x"], ids=str)
async def test_a_malformed_replay_is_422(api: Api, body: Any) -> None:
    assert (await api.post("/admin/parked/replay", body, await admin(api))).status_code == 422


async def test_the_last_round_of_a_comparison_is_shown_and_measured(
    api: Api, database: Database
) -> None:
    who = await admin(api)
    assert (await api.get("/admin/reconciliation", who)).json()["items"] == []
    with psycopg.connect(database.url) as connection:
        connection.execute(ROUND)
    (shown,) = (await api.get("/admin/reconciliation", who)).json()["items"]
    assert (shown["name"], shown["checked"], shown["corrected"], shown["reviews"]) == (
        "levels",
        7,
        2,
        1,
    )
    assert 'mega_reconciliation_corrected{check="levels"} 2.0' in (await api.get("/metrics")).text


async def test_cases_are_listed_by_state_and_kind(api: Api, database: Database) -> None:
    case = (
        "INSERT INTO views.recoveries VALUES (%s, %s, 's', 'p', now(), %s, %s, 0, null, '{}', '')"
    )
    with psycopg.connect(database.url) as connection:
        connection.execute(case, ("a", "overpaid", 1, "resolved"))
        connection.execute(case, ("b", "overpaid", 2, "open"))
        connection.execute(case, ("c", "sent_away", 3, "open"))
    who = await admin(api)

    async def found(**query: str) -> list[str]:
        answer = await api.get("/admin/recoveries", who, **query)
        return [each["id"] for each in answer.json()["items"]]

    assert await found() == ["a", "b", "c"]
    assert await found(state="open") == ["b", "c"]
    assert await found(state="open", kind="overpaid") == ["b"]
    assert (await api.get("/admin/recoveries", who, state="shut")).status_code == 422
    assert (await api.get("/admin/recoveries/b", who)).json()["state"] == "open"
    assert (await api.get("/admin/recoveries/none", who)).status_code == 404
