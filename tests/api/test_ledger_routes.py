"""The ledger over HTTP: events, streams, replay, verify, statements, and who may see them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest

from tests.api import paid
from tests.api.auditing import auditor, events
from tests.api.opened import Api, opened
from tests.world import Database, TestWorld

READ_ONLY = ("/ledger/events", "/ledger/verify", "/ledger/streams/pass:user:x")
ALSO = ("/ledger/replay/pass:user:x", "/ledger/statement/pass:user:x")


@pytest.fixture(scope="module")
async def api(world: TestWorld) -> AsyncIterator[Api]:
    """One for all tests here, each with users of its own."""
    with world.database() as database:
        async with opened(world, database) as made:
            yield made


@pytest.mark.parametrize("path", [*READ_ONLY, *ALSO])
@pytest.mark.parametrize(
    ("scope", "status"),
    [(None, 401), ("user", 403), ("service", 403), ("auditor", 200), ("admin", 200)],
)
async def test_only_auditors_and_admins_read_the_ledger(
    api: Api, path: str, scope: str | None, status: int
) -> None:
    await api.dev("x")
    who = None if scope is None else await api.dev(f"scoped-{scope}", scope=scope)
    answer = await api.get(path, who)
    assert answer.status_code == status, answer.text


async def test_an_event_is_shown_with_its_place_and_where_it_came_from(api: Api) -> None:
    bought = await paid.order(api, "shown")
    found = await events(api, type="order_opened.v1", pass_id=bought.pass_id)
    assert len(found) == 1
    event = found[0]
    assert set(event) == {
        "id",
        "position",
        "stream",
        "version",
        "type",
        "time",
        "data",
        "correlation_id",
        "causation_id",
    }
    assert event["id"] == f"order:{bought.order_id}/1"
    assert (event["stream"], event["version"]) == (f"order:{bought.order_id}", 1)
    assert event["data"]["amount"] == str(bought.price)
    assert event["time"].endswith("Z")
    assert event["correlation_id"] and event["causation_id"].startswith("request:")


async def test_events_come_in_order_without_gaps_while_more_are_written(api: Api) -> None:
    await api.dev("before")
    who, seen, cursor = await auditor(api), [], None
    for number in range(200):
        more = {} if cursor is None else {"cursor": cursor}
        answer = (await api.get("/ledger/events", who, limit=3, **more)).json()
        seen += [event["position"] for event in answer["items"]]
        cursor = answer["next_cursor"]
        if number < 5:
            await api.post("/auth/anonymous", {})
        if cursor is None:
            break
    assert seen == list(range(1, seen[-1] + 1))
    first = seen[3]
    answer = (await api.get("/ledger/events", who, limit=1, **{"from": first})).json()
    assert answer["items"][0]["position"] == first, "`from` is inclusive"


@pytest.mark.parametrize(
    "query",
    [
        {"from": "-1"},
        {"from": "x"},
        {"limit": "0"},
        {"limit": "101"},
        {"cursor": "!"},
        {"type": ""},
        {"pass_id": "a\x00b"},
    ],
    ids=str,
)
async def test_malformed_questions_are_422(api: Api, query: dict[str, str]) -> None:
    answer = await api.get("/ledger/events", await auditor(api), **query)
    assert answer.status_code == 422, answer.text


async def test_a_secret_is_shown_sealed_whatever_the_scope(api: Api) -> None:
    bought = await paid.order(api, "secret")
    await paid.pay(api, bought)
    await paid.fail_image(api, bought)
    who = await api.dev("root", scope="admin auditor")
    path = f"/ledger/streams/character:{bought.character_id}"
    found = (await api.get(path, who)).json()["items"]
    prompts = [event["data"]["prompt"] for event in found if "prompt" in event["data"]]
    assert prompts == ["[sealed]"]
    replayed = await api.get(f"/ledger/replay/character:{bought.character_id}", who)
    assert replayed.status_code == 200
    assert "samurai" not in replayed.text.replace('"role":"samurai"', "")


async def test_a_stream_is_paged_by_version_and_an_unknown_one_is_404(api: Api) -> None:
    bought = await paid.order(api, "paged")
    for step in ("awaiting_approve", "awaiting_mint", None):
        await api.post(f"/mint-orders/{bought.order_id}/wallet-step", {"step": step}, bought.who)
    who, versions, cursor = await auditor(api), [], ""
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        path = f"/ledger/streams/order:{bought.order_id}"
        answer = (await api.get(path, who, limit=2, **more)).json()
        versions += [event["version"] for event in answer["items"]]
        cursor = answer["next_cursor"]
    assert versions == [1, 2, 3, 4]
    for unknown in ("order:none", "nonsense", "inbox:a/b/c", "order:%00"):
        for route in ("streams", "replay"):
            answer = await api.get(f"/ledger/{route}/{unknown}", who)
            assert answer.status_code == 404, answer.text


async def test_replay_shows_the_state_at_any_position_and_time(api: Api) -> None:
    bought = await paid.order(api, "replayed")
    await paid.pay(api, bought)
    stream, who = f"order:{bought.order_id}", await auditor(api)
    found = (await api.get(f"/ledger/streams/{stream}", who)).json()["items"]
    assert [event["type"] for event in found] == ["order_opened.v1", "payment_settled.v1"]
    now = (await api.get(f"/ledger/replay/{stream}", who)).json()
    assert now["version"] == 2
    (receipt,) = now["state"]["receipts"]["taken"]
    assert receipt["taken_as"] == "price"
    assert receipt["payment"]["amount"] == str(bought.price)
    assert receipt["payment"]["token_id"] == "1"
    for then in (str(found[0]["position"]), found[0]["time"]):
        before = (await api.get(f"/ledger/replay/{stream}", who, as_of=then)).json()
        assert (before["version"], before["state"]["receipts"]["taken"]) == (1, [])
    early = str(found[0]["position"] - 1)
    assert (await api.get(f"/ledger/replay/{stream}", who, as_of=early)).status_code == 404
    zoneless = found[0]["time"].removesuffix("Z")
    answer = await api.get(f"/ledger/replay/{stream}", who, as_of=zoneless)
    assert answer.status_code == 422


async def test_verify_names_the_first_row_that_was_touched(
    world: TestWorld, database: Database
) -> None:
    async with opened(world, database) as api:
        await api.dev("ada")
        who = await auditor(api)
        good = (await api.get("/ledger/verify", who)).json()
        head, hash_ = await api.parts.ledger.head()
        assert good == {
            "ok": True,
            "head": {"position": head, "hash": hash_.hex()},
            "first_broken": None,
        }
        with psycopg.connect(database.superuser_url, autocommit=True) as su:
            su.execute("SET session_replication_role = replica")
            su.execute(
                "UPDATE mega_generations SET event ="
                " jsonb_set(event, '{data,pass_id}', '\"pass:user:eve\"') WHERE mg_position = 1"
            )
        bad = (await api.get("/ledger/verify", who)).json()
        assert bad["ok"] is False
        assert bad["first_broken"]["position"] == 1
        assert "altered" in bad["first_broken"]["reason"]
