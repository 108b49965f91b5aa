"""What an operator does with `mega`: projections, open cases, what is parked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import Shop
from tests.cli.terminal import Mega
from tests.consumers.trading import Exchange, badge, trade
from tests.projections.looking import rows
from tests.waiting import eventually
from tests.world import CHECKOUT, Child, Database

NAMES = [
    "characters",
    "mint_orders",
    "todo",
    "passes",
    "recoveries",
    "x402_orders",
    "shop_orders",
    "batches",
    "levels",
    "upgrades",
    "generations",
    "matcha",
    "feed",
]
OF_TOPICS = ["trading_volume", "badges"]


@pytest.fixture
def app(shop: Shop) -> Iterator[psycopg.Connection]:
    with psycopg.connect(shop.database.url, autocommit=True) as connection:
        yield connection


def everything(shop: Shop) -> Any:
    folded = rows(shop.database.url, ["mega_customers", "mega_admin"], schema="public")
    return {**rows(shop.database.url), **folded}


def test_open_cases_are_listed_and_no_others(shop: Shop) -> None:
    (case,) = shop.mega("recoveries", "--json").json
    assert (case["kind"], case["pass_id"]) == ("overpaid", "pass:user:ben")
    assert case["stream"] == f"order:{shop.generous}"
    said = shop.mega("recoveries")
    assert case["id"] in said.out and case["facts"]["tx"] in said.out


def test_projections_say_where_they_are_and_who_leads_them(
    shop: Shop, spawn: Callable[..., Child]
) -> None:
    head = shop.mega("verify", "--json").json["head"]["position"]
    found = {each["name"]: each for each in shop.mega("projections", "status", "--json").json}
    assert list(found) == NAMES + OF_TOPICS
    assert {(found[name]["position"], found[name]["lag"]) for name in NAMES} == {(head, 0)}
    assert {each["leader"] for each in found.values()} == {None}
    assert "nobody" in shop.mega("projections", "status").out

    running = spawn("projections", env=dict(shop.mega.env))
    eventually(lambda: [each["name"] for each in status(shop) if each["leader"]] == NAMES)
    assert all(each["leader"]["backend_pid"] > 0 for each in status(shop) if each["leader"])
    running.stop()
    eventually(lambda: not any(each["leader"] for each in status(shop)))


def status(shop: Shop) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.mega("projections", "status", "--json").json
    return found


def test_everything_that_is_derived_is_rebuilt_equal(shop: Shop, kafka: str) -> None:
    before = everything(shop)
    with psycopg.connect(shop.database.superuser_url, autocommit=True) as owner:
        owner.execute("DELETE FROM mega_customers WHERE mg_pass_id = 'pass:user:ben'")
        owner.execute("UPDATE mega_customers SET mg_aliases = '{}'")
        owner.execute("TRUNCATE views.characters, views.passes")
        owner.execute("DROP TABLE views.recoveries")
    said = shop.mega("projections", "rebuild", "--all", "--json", KAFKA_BOOTSTRAP_SERVERS=kafka)
    assert said.status == 0
    assert [each["name"] for each in said.json["projections"]] == NAMES + OF_TOPICS
    assert said.json["tables"]["mega_customers"] == len(before["mega_customers"]) > 1
    assert said.json["left"] == []
    assert everything(shop) == before


def test_some_are_rebuilt_by_name(shop: Shop) -> None:
    said = shop.mega("projections", "rebuild", "todo", "mega_admin")
    head = shop.mega("verify", "--json").json["head"]["position"]
    assert said.out == f"todo: rebuilt, as of {head}\nmega_admin: 0 rows\n"


@pytest.mark.parametrize("words", [(), ("nix",), ("todo", "nix"), ("todo", "--all")])
def test_a_rebuild_of_nothing_known_names_what_there_is(shop: Shop, words: tuple[str, ...]) -> None:
    said = shop.mega("projections", "rebuild", *words)
    assert said.status == 2 and "mega_customers" in said.err


def test_two_rebuilds_of_one_projection_are_one_too_many(
    shop: Shop, app: psycopg.Connection
) -> None:
    app.execute("SELECT pg_advisory_lock(hashtextextended('rebuild todo', 0))")
    said = shop.mega("projections", "rebuild", "todo")
    assert (said.status, "somebody else" in said.out) == (1, True)


def test_a_rebuild_that_was_interrupted_goes_on(shop: Shop) -> None:
    """Held up before its first page by a lock of ours, told to stop, let go."""
    before = everything(shop)
    with psycopg.connect(shop.database.admin_url) as owner:
        owner.execute("LOCK TABLE mega_generations IN ACCESS EXCLUSIVE MODE")
        running = mega_process(shop, "projections", "rebuild", "characters", "passes", "mega_admin")
        eventually(lambda: waiting_for_us(shop))
        running.send_signal(signal.SIGINT)
        assert running.stderr is not None
        assert "Stopping after this page" in running.stderr.readline()
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert out.startswith("characters: stopped at")
    assert "Go on with: mega projections rebuild characters passes mega_admin" in err
    assert everything(shop) == before
    assert shop.mega("projections", "rebuild", "characters", "passes", "mega_admin").status == 0
    assert everything(shop) == before


def mega_process(shop: Shop, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (sys.executable, "-m", "cli", *words),
        env={**os.environ, **shop.mega.env},
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def waiting_for_us(shop: Shop) -> bool:
    asked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with psycopg.connect(shop.database.url) as connection:
        row = connection.execute(asked).fetchone()
    return bool(row and row[0])


def test_what_is_parked_is_listed_and_tried_again(shop: Shop, app: psycopg.Connection) -> None:
    assert shop.mega("parked", "list").out == "Nothing is parked.\n"
    assert shop.mega("parked", "list", "--json").json == []
    assert shop.mega("parked", "replay").out == "Nothing that failed is parked.\n"
    before = everything(shop)
    app.execute(
        "WITH lost AS ("
        "  DELETE FROM views.recoveries WHERE status = 'open' RETURNING position, stream)"
        " INSERT INTO views.parked (projection, position, stream, error, keys)"
        " SELECT 'recoveries', position, stream, 'ValueError: odd', '{}' FROM lost"
    )
    app.execute(
        "INSERT INTO consumers.parked (reader, topic, part, place, key, headers, error)"
        " VALUES ('intake', 'chain.results', 0, 7, 'order:x', '', 'Malformed: no')"
    )
    found = shop.mega("parked", "list", "--json").json
    assert {each["reader"] for each in found} == {"projection recoveries", "intake"}
    assert "ValueError: odd" in shop.mega("parked", "list").out

    said = shop.mega("parked", "replay")
    assert said.out == "recoveries: 1 events tried, 0 parked again\n1 asked for again.\n"
    assert everything(shop) == before
    (left,) = shop.mega("parked", "list", "--json").json
    assert (left["origin"], left["replay"]) == ("chain.results/0/7", True)
    again = shop.mega("parked", "replay", "order:y", "--json").json
    assert again == {"stream": "order:y", "projections": [], "events": 0, "messages": 0}


def test_topics_are_listed_with_what_the_relay_has_to_go(shop: Shop, kafka: str) -> None:
    env = {"KAFKA_BOOTSTRAP_SERVERS": kafka, "MEGA_TOPIC_PREFIX": "nobody."}
    found = shop.mega("topics", "--json", **env).json
    assert {"topic": "nobody.mega.order", "messages": 0, "end_offsets": []} in found["topics"]
    head = shop.mega("verify", "--json").json["head"]["position"]
    assert found["relay"] == {"position": 0, "head": head, "waiting": 0, "lag": head}
    assert "not there yet" in shop.mega("topics", **env).out


def test_volume_and_badges_are_read_again_from_their_topics(
    mega: Mega, database: Database, kafka: str, topic_prefix: str
) -> None:
    exchange = Exchange(database, kafka, topic_prefix)
    exchange.tell("trades", [trade(1), trade(2), b"{"])
    exchange.tell("badges", [badge("b1")])
    env = {"KAFKA_BOOTSTRAP_SERVERS": kafka, "MEGA_TOPIC_PREFIX": topic_prefix}
    said = mega("projections", "rebuild", *OF_TOPICS, **env)
    assert said.out == "trading_volume: rebuilt, as of 3\nbadges: rebuilt, as of 1\n"
    assert exchange.volume() == 2
    found = mega("projections", "status", "--json").json[-2:]
    assert [(each["position"], each["lag"], each["parked"]) for each in found] == [
        (3, 0, 1),
        (1, 0, 0),
    ]
    (waits,) = mega("parked", "list", "--json").json
    assert (waits["reader"], waits["stream"]) == ("mega-trades", "ada")
    assert mega("parked", "replay").out == "1 asked for again.\n"


def test_a_database_without_read_models_is_told_what_to_do(mega: Mega, kafka: str) -> None:
    assert "none yet" in mega("projections", "status").out
    said = mega("recoveries")
    assert said.status == 1 and "mega projections rebuild --all" in said.out
    nowhere = mega("projections", "rebuild", "--all")
    assert nowhere.status == 1 and "KAFKA_BOOTSTRAP_SERVERS" in nowhere.out
    env = {"KAFKA_BOOTSTRAP_SERVERS": kafka}
    assert mega("projections", "rebuild", "--all", **env).status == 0
    assert mega("recoveries").out == "No case is open.\n"
