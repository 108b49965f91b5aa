"""The ledger over HTTP: events, streams, replay, verify, statements, and who may see them."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from api.statement_check import NotAKey, check
from tests.api import paid
from tests.api.auditing import auditor, events
from tests.api.opened import Api, new_wallet, opened
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
    for unknown in ("order:none", "nonsense", "inbox:a/b/c"):
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
    assert now["state"]["payment"]["amount"] == str(bought.price)
    assert now["state"]["payment"]["token_id"] == "1"
    for then in (str(found[0]["position"]), found[0]["time"]):
        before = (await api.get(f"/ledger/replay/{stream}", who, as_of=then)).json()
        assert (before["version"], before["state"]["payment"]) == (1, None)
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


# Statements.


async def key_of(api: Api) -> str:
    published = (await api.get("/.well-known/mega-statement-keys")).json()["keys"]
    assert len(published) == 1
    return str(published[0]["x"])


async def statement(api: Api, who: str) -> dict[str, Any]:
    answer = await api.get("/me/statement", who)
    assert answer.status_code == 200, answer.text
    signed: dict[str, Any] = answer.json()
    assert check(signed, await key_of(api))
    said: dict[str, Any] = signed["statement"]
    return said


def sums(paid_: int = 0, **outcomes: int) -> dict[str, str]:
    names = ("delivered", "credit", "refund_due", "refunded", "expired", "in_flight")
    zeros = dict.fromkeys(names, 0)
    return {name: str(amount) for name, amount in {"paid": paid_, **zeros, **outcomes}.items()}


async def test_money_is_in_flight_until_the_image_is_stored_then_delivered(api: Api) -> None:
    bought = await paid.order(api, "flows")
    assert (await statement(api, bought.who))["assets"] == {}
    found = await paid.pay(api, bought)
    before = await statement(api, bought.who)
    assert before["assets"] == {"MPT": sums(bought.price, in_flight=bought.price)}
    await paid.fail_image(api, bought)
    assert (await statement(api, bought.who))["assets"] == before["assets"]
    await paid.deliver(api, bought, attempt=2)
    after = await statement(api, bought.who)
    assert after["assets"] == {"MPT": sums(bought.price, delivered=bought.price)}
    head, hash_ = await api.parts.ledger.head()
    assert (after["position"], after["head_hash"]) == (head, hash_.hex())
    (line,) = after["lines"]
    assert line["event_id"].startswith(f"order:{bought.order_id}/")
    assert (line["outcome"], line["tx"]) == ("delivered", found.tx_hash)
    assert set(line) == {"event_id", "position", "what", "outcome", "tx"}


async def test_a_final_mint_is_delivered_with_its_token_only(api: Api) -> None:
    bought = await paid.order(api, "finally", role="sovereign")
    await paid.pay(api, bought, token_id=None)
    await paid.deliver(api, bought)
    said = await statement(api, bought.who)
    assert said["assets"]["MPT"] == sums(bought.price, in_flight=bought.price)
    await paid.mint(api, bought, token_id=9)
    said = await statement(api, bought.who)
    assert said["assets"]["MPT"] == sums(bought.price, delivered=bought.price)


async def test_what_cannot_fund_an_order_is_refund_due(api: Api) -> None:
    bought = await paid.order(api, "surplus")
    await paid.pay(api, bought, 1, payer="0x" + "e" * 40)
    await paid.pay(api, bought, 2, amount=5)
    await paid.pay(api, bought, 3, amount=bought.price + 7)
    await paid.pay(api, bought, 4)
    said = await statement(api, bought.who)
    due = bought.price + 5 + 7 + bought.price
    assert said["assets"]["MPT"] == sums(due + bought.price, refund_due=due, in_flight=bought.price)
    assert [line["outcome"] for line in said["lines"]].count("refund_due") == 4


async def test_a_payment_that_a_reorg_takes_away_counts_no_more(api: Api) -> None:
    bought = await paid.order(api, "reorged")
    found = await paid.pay(api, bought)
    await paid.retract(api, bought, found)
    said = await statement(api, bought.who)
    assert said["assets"] == {"MPT": sums(0)}
    assert said["lines"] == []


async def test_a_statement_of_merged_passes_counts_what_both_paid(api: Api) -> None:
    wallet = new_wallet()
    first, second = await paid.order(api, "merge-1"), await paid.order(api, "merge-2", "oracle")
    for bought in (first, second):
        await paid.pay(api, bought)
    for who in (first.who, second.who):
        proof = {"siwe": await api.proof(wallet)}
        assert (await api.post("/auth/link", proof, who)).status_code == 200
    said = await statement(api, second.who)
    assert said["pass_id"] == first.pass_id
    assert said["assets"]["MPT"]["paid"] == str(first.price + second.price)
    for name in (first.pass_id, second.pass_id):
        seen = (await api.get(f"/ledger/statement/{name}", await auditor(api))).json()
        assert seen["statement"]["assets"] == said["assets"]
        assert seen["statement"]["pass_id"] == first.pass_id
    of_both = await events(api, pass_id=second.pass_id, type="payment_settled.v1")
    assert len(of_both) == 2


async def test_nobody_reads_the_statement_of_another_pass(api: Api) -> None:
    bought = await paid.order(api, "private")
    stranger = await api.dev("stranger")
    assert (await api.get(f"/ledger/statement/{bought.pass_id}", stranger)).status_code == 403
    own = (await api.get("/me/statement", stranger, pass_id=bought.pass_id)).json()
    assert own["statement"]["pass_id"] == "pass:user:stranger"
    assert (await api.get("/me/statement")).status_code == 401
    unknown = await api.get("/ledger/statement/pass:user:nobody", await auditor(api))
    assert unknown.status_code == 404


async def test_a_statement_that_was_touched_or_signed_by_another_key_does_not_check(
    api: Api, world: TestWorld, database: Database
) -> None:
    bought = await paid.order(api, "checked")
    await paid.pay(api, bought)
    signed = (await api.get("/me/statement", bought.who)).json()
    key = await key_of(api)
    assert check(signed, key)
    touched = copy.deepcopy(signed)
    touched["statement"]["assets"]["MPT"]["delivered"] = str(bought.price)
    assert not check(touched, key)
    assert not check({**signed, "signature": signed["signature"][:-2] + "AA"}, key)
    assert not check({}, key)
    assert not check(signed, "00" * 32)
    with pytest.raises(NotAKey):
        check(signed, "no key")
