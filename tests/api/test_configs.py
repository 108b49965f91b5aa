"""Configs over HTTP: each value a version, a row of `mega_admin`, and never overwritten."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import psycopg
import pytest

from domain.levels import DEFAULT_LEVELS, LEVELS_KEY
from domain.provider_registry import DEFAULT_REGISTRY
from tests.api.geoplets import refused
from tests.api.living import Caller, Living

PATH = f"/admin/configs/{LEVELS_KEY}"


def table(volume: str) -> list[dict[str, Any]]:
    return [{"level": 1, "volume_usd": volume, "badges": 0}]


@pytest.fixture
def root(here: Living) -> Caller:
    return here.known("pass:user:root", "admin")


async def put(who: Caller, value: Any, key: str = LEVELS_KEY, **headers: str) -> httpx.Response:
    return await who.post("/admin/configs", {"key": key, "value": value}, **headers)


def rows(here: Living) -> list[tuple[Any, ...]]:
    with psycopg.connect(here.parts.settings.database) as connection:
        return connection.execute(
            "SELECT mg_id, mg_key, mg_version, mg_pass_id, mg_value FROM mega_admin"
            " WHERE mg_record_type = 'app_config' ORDER BY mg_version"
        ).fetchall()


def row(version: int, value: Any) -> tuple[Any, ...]:
    return (f"app_config:{LEVELS_KEY}:{version}", LEVELS_KEY, version, "pass:user:root", value)


async def test_each_value_is_a_version_and_a_row(here: Living, root: Caller) -> None:
    zeroth = {"key": LEVELS_KEY, "version": 0, "id": f"app_config:{LEVELS_KEY}:0"}
    assert (await root.get(PATH)).json() == {**zeroth, "value": DEFAULT_LEVELS}
    assert rows(here) == []
    for version, volume in enumerate(("7", "8.50", "7"), start=1):
        answer = await put(root, table(volume))
        told = {"key": LEVELS_KEY, "version": version, "value": table(volume)}
        expected = {**told, "id": f"app_config:{LEVELS_KEY}:{version}"}
        assert (answer.status_code, answer.json()) == (200, expected)
        assert (await root.get(PATH)).json() == expected
    assert rows(here) == [row(1, table("7")), row(2, table("8.50")), row(3, table("7"))]
    listed = (await root.get(f"{PATH}/versions")).json()
    assert [each["version"] for each in listed["items"]] == [0, 1, 2, 3]
    assert listed["next_cursor"] is None


async def test_what_stands_already_is_no_new_version(here: Living, root: Caller) -> None:
    first = await put(root, table("11"))
    before = rows(here)
    again = await put(root, table("11"))
    assert again.json() == first.json()
    assert rows(here) == before


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        7,
        [],
        {},
        table("0"),
        table("-1"),
        table("1e5"),
        table(" 1"),
        [{"level": 2, "volume_usd": "1", "badges": 0}],
        [*table("5"), {"level": 2, "volume_usd": "5", "badges": 0}],
        [{"level": 1, "volume_usd": 5, "badges": 0}],
        [{"level": 1, "volume_usd": "5", "badges": True}],
        [{"level": 1, "volume_usd": "5"}],
    ],
    ids=str,
)
async def test_a_value_that_does_not_fit_is_refused(here: Living, root: Caller, value: Any) -> None:
    before = rows(here)
    assert refused(await put(root, value)) == (422, "INVALID_CONFIG")
    assert rows(here) == before


@pytest.mark.parametrize("key", ["nft.level", "NFT.LEVELS", "app_config:nft.levels", "x" * 100])
async def test_an_unknown_key_is_refused(root: Caller, key: str) -> None:
    assert refused(await put(root, [], key)) == (422, "INVALID_CONFIG")
    for path in (f"/admin/configs/{key}", f"/admin/configs/{key}/versions"):
        assert refused(await root.get(path)) == (422, "INVALID_CONFIG")


@pytest.mark.parametrize(
    "body",
    [{}, {"key": LEVELS_KEY}, {"key": 7, "value": []}, {"key": "", "value": []}, []],
    ids=str,
)
async def test_a_malformed_request_is_told_apart(root: Caller, body: Any) -> None:
    answer = await root.post("/admin/configs", body)
    assert refused(answer) == (422, "INVALID_REQUEST")


async def test_only_admins_set_and_see_configs(here: Living) -> None:
    for scope in ("user", "auditor", "service"):
        other = await here.caller(scope)
        for answer in (await put(other, table("9")), await other.get(PATH)):
            assert refused(answer) == (403, "FORBIDDEN")
    nobody = here.nobody()
    for answer in (await put(nobody, table("9")), await nobody.get(f"{PATH}/versions")):
        assert refused(answer) == (401, "UNAUTHENTICATED")


async def test_a_key_gives_the_first_answer_again(here: Living, root: Caller) -> None:
    key = secrets.token_hex(8)
    first = await put(root, table("21"), Idempotency_Key=key)
    await put(root, table("22"))
    again = await put(root, table("21"), Idempotency_Key=key)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (await root.get(PATH)).json()["value"] == table("22")
    other = await put(root, table("23"), Idempotency_Key=key)
    assert refused(other) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_versions_come_page_by_page(root: Caller) -> None:
    await put(root, table("31"))
    await put(root, table("32"))
    found: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await root.get(f"{PATH}/versions", limit=1, **cursor)).json()
        found += [each["version"] for each in page["items"]]
        assert len(page["items"]) == 1
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    everything = (await root.get(f"{PATH}/versions")).json()["items"]
    assert found == [each["version"] for each in everything]
    for query in ({"limit": 0}, {"limit": 101}, {"cursor": "!"}):
        assert refused(await root.get(f"{PATH}/versions", **query)) == (422, "INVALID_REQUEST")


@pytest.mark.parametrize("number", ["9223372036854775808", "-1e19", "1e300"])
async def test_a_number_that_no_answer_could_tell_again_is_not_recorded(
    root: Caller, number: str
) -> None:
    key = "mma.provider.loom.defaults"
    body = f'{{"key":"{key}","value":{{"model":"loom-2","seed":{number}}}}}'.encode()
    answer = await root.ask("POST", "/admin/configs", content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    assert (await root.get(f"/admin/configs/{key}")).json()["version"] == 0


async def test_only_who_is_registered_for_it_is_chosen(here: Living, root: Caller) -> None:
    for chosen in ({"still": "nobody", "video": "kling"}, {"still": "kling", "video": "kling"}):
        answer = await put(root, chosen, "mma.providers")
        assert refused(answer) == (422, "INVALID_CONFIG")
    other = [row for row in DEFAULT_REGISTRY if row["name"] != "seedream"]
    answer = await put(root, other, "mma.provider.registry")
    assert refused(answer) == (422, "INVALID_CONFIG")
    chosen = {"still": "replicate", "video": "kling"}
    assert (await put(root, chosen, "mma.providers")).status_code == 200
    assert (await put(root, other, "mma.provider.registry")).status_code == 200
