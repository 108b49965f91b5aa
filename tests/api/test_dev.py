"""The development world's routes, health, limits, cookies: the edges of the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from api.limits import Buckets, Limits, Rate
from api.problems import Limited
from logs import masked
from settings import Settings, SettingsError
from tests.api.living import Caller, Living, living
from tests.world import TestWorld


async def test_the_clock_moves_for_decisions_and_tokens_stay_valid(
    world: TestWorld, tmp_path: Path
) -> None:
    told = tmp_path / "world.json"
    told.write_text('{"api": "here", "twins": {}}')
    with world.database() as database:
        async with living(world, database, mega_world_file=told) as here:
            ada = await here.caller()
            order = await ada.order()
            moved = await here.nobody().post("/dev/clock", {"advance_s": 3 * 24 * 3600})
            now = datetime.fromisoformat(moved.json()["now"])
            assert now - datetime.now(UTC) > timedelta(days=2)
            await here.shown()
            again = await ada.order(order["character_id"])
            assert again["order_id"] != order["order_id"]
            assert (await here.nobody().get("/dev/world")).json()["api"] == "here"


@pytest.mark.parametrize("host", ["mega.example", "127.0.0.1.evil.example", ""])
async def test_development_routes_answer_only_a_loopback_host(here: Living, host: str) -> None:
    answer = await here.nobody().post("/dev/clock", {"advance_s": 1}, Host=host)
    assert answer.status_code == 404


async def test_outside_development_there_is_no_dev_and_no_chaos(world: TestWorld) -> None:
    with world.database() as database:
        async with living(world, database, mega_env="test", mega_rate_limits="off") as here:
            assert (await here.nobody().post("/dev/clock", {"advance_s": 1})).status_code == 404
            ada, chaos = await here.caller(), {"X-Chaos": "drop-response-after-commit"}
            assert (await ada.ask("GET", "/characters", headers=chaos)).status_code == 200


@pytest.mark.parametrize("advance", [-1, 1.5, "60", 10**12, None])
async def test_a_clock_moves_forward_by_whole_seconds(here: Living, advance: object) -> None:
    answer = await here.nobody().post("/dev/clock", {"advance_s": advance})
    assert answer.status_code == 422


async def test_health_readiness_and_metrics(here: Living, ada: Caller) -> None:
    await ada.character()
    await here.shown()
    nobody = here.nobody()
    assert (await nobody.get("/healthz")).json() == {"alive": True}
    ready = await nobody.get("/readyz")
    assert (ready.status_code, ready.json()["projections"]["characters"]["lag"]) == (200, 0)
    text = (await nobody.get("/metrics")).text
    for name in ("mega_http_requests_total", "mega_ledger_head", "mega_projection_lag"):
        assert name in text


async def test_a_cookie_needs_a_page_of_ours_to_change_anything(here: Living, ada: Caller) -> None:
    body, cookie = {"role": "samurai", "kind": "role"}, f"mega_session={ada.token}"
    nobody = here.nobody()
    assert (await nobody.ask("GET", "/characters", headers={"Cookie": cookie})).status_code == 200
    for origin, status in (("https://evil.example", 401), ("http://localhost", 201)):
        headers = {"Cookie": cookie, "Origin": origin}
        answer = await nobody.ask("POST", "/characters", json=body, headers=headers)
        assert answer.status_code == status
    bare = await nobody.ask("POST", "/characters", json=body, headers={"Cookie": cookie})
    assert bare.status_code == 401


async def test_tokens_that_are_old_or_of_another_kind_are_refused(
    here: Living, ada: Caller
) -> None:
    tokens, claims = here.parts.tokens, {"sub": ada.pass_id, "scope": "user", "exp": 9**12}
    bad = [
        tokens.issue(ada.pass_id, lasts_s=-1),
        tokens.issue(ada.pass_id, use="socket"),
        jwt.encode(claims, None, algorithm="none"),
        jwt.encode(claims, "x" * 40, algorithm="HS256"),
        "x" * 5_000,
        "",
    ]
    for token in bad:
        headers = {"Authorization": f"Bearer {token}"}
        answer = await here.nobody().ask("GET", "/characters", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")


async def test_too_many_requests_are_429_with_a_time_to_come_back(world: TestWorld) -> None:
    with world.database() as database:
        async with living(world, database, mega_rate_limits="principal=3/min") as here:
            ada, bob = await here.caller(), await here.caller()
            statuses = [(await ada.get("/characters")).status_code for _ in range(5)]
            assert statuses == [200, 200, 200, 429, 429]
            last = await ada.get("/characters")
            assert (last.json()["code"], int(last.headers["Retry-After"]) > 0) == (
                "RATE_LIMITED",
                True,
            )
            assert (await bob.get("/characters")).status_code == 200


def test_a_bucket_fills_again_at_its_pace() -> None:
    now = [0.0]
    bucket = Buckets(Rate(2, 1), lambda: now[0])
    bucket.take("a")
    bucket.take("a")
    with pytest.raises(Limited):
        bucket.take("a")
    now[0] = 0.5
    bucket.take("a")


@pytest.mark.parametrize("said", ["600", "0/min", "1/day", "ip=x", "who=1/s"])
def test_a_malformed_limit_stops_the_start(said: str) -> None:
    with pytest.raises(SettingsError, match="MEGA_RATE_LIMITS"):
        Limits.of(Settings(mega_rate_limits=said, _env_file=None))  # type: ignore[call-arg]


async def test_a_correlation_id_is_taken_over_into_the_event(here: Living, ada: Caller) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    for headers, expected in (
        ({"X-Correlation-Id": "from-the-caller"}, "from-the-caller"),
        ({"traceparent": f"00-{trace}-b7ad6b7169203331-01"}, trace),
    ):
        role = "oracle" if "traceparent" in headers else "samurai"
        body = {"role": role, "kind": "role"}
        answer = await ada.ask("POST", "/characters", json=body, headers=headers)
        assert answer.headers["X-Correlation-Id"] == expected
        (born,) = await here.parts.ledger.history([f"character:{answer.json()['id']}"])
        assert born.metadata["correlation_id"] == expected


def test_logs_have_no_secret() -> None:
    assert masked("/webhooks/kling/s3cret") == "/webhooks/kling/***"
    assert "eyJ" not in masked("/x/eyJhbGciOi.eyJzdWIiOi.c2ln")
    assert masked("postgresql://u:pw@h/db") == "postgresql://***@h/db"
