"""`GET /api/nft/status`: where a pass stands, whichever of projection and ledger answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from commands.passes import Identify
from tests.api.climbers import Climber, climber
from tests.api.geoplets import refused
from tests.api.living import Living, living
from tests.world import TestWorld

TWO = ("early-bird", "whale")


@pytest.fixture
async def ada(here: Living) -> Climber:
    return await climber(here)


def level_two(percent: int, qualified: bool, *missing: str) -> dict[str, Any]:
    asked = {"level": 2, "required_volume_usd": "500000", "required_badges": 2}
    how_far = {"progress_percent": percent, "qualified": qualified, "missing": list(missing)}
    return {**asked, **how_far}


async def test_without_a_token_the_first_level_is_ahead(here: Living) -> None:
    newcomer = await climber(here, "99999.99")
    assert await newcomer.status() == {
        "level": 0,
        "nft": None,
        "grace_level": None,
        "volume_usd": "99999.99",
        "badges": [],
        "next": {
            "level": 1,
            "required_volume_usd": "100000",
            "required_badges": 0,
            "progress_percent": 99,
            "qualified": False,
            "missing": ["volume"],
        },
        "upgrade": None,
    }
    await newcomer.trade("0.01")
    reached = await newcomer.status()
    assert reached["volume_usd"] == "100000"
    assert (reached["next"]["progress_percent"], reached["next"]["qualified"]) == (100, True)
    await newcomer.trade("-0.0000000001")
    fallen = await newcomer.status()
    assert (fallen["volume_usd"], fallen["next"]["missing"]) == ("99999.9999999999", ["volume"])


async def test_every_step_of_an_upgrade_is_told(ada: Climber) -> None:
    unlock = (await ada.asked("unlock"))["upgrade_id"]
    shown = await ada.status()
    assert (shown["level"], shown["nft"]) == (0, None)
    assert shown["upgrade"] == {"id": unlock, "state": "prepared"}
    await ada.mint(unlock)
    mint = (await ada.attempt(unlock)).terms.mint
    shown = await ada.status()
    assert shown["nft"] == {"mint": mint, "level": 1, "status": "minted"}
    assert (shown["level"], shown["upgrade"]) == (1, None)
    assert shown["next"] == level_two(100, False, "badges")
    await ada.earn(*TWO)
    shown = await ada.status()
    assert (shown["badges"], shown["next"]) == (["early-bird", "whale"], level_two(100, True))


async def test_while_a_token_is_owed_there_is_none_and_its_benefits_go_on(here: Living) -> None:
    bob = await climber(here, "600000", *TWO, "late")
    id_ = await bob.owed()
    shown = await bob.status()
    assert (shown["level"], shown["nft"], shown["grace_level"]) == (0, None, 1)
    assert shown["upgrade"] == {"id": id_, "state": "burn_confirmed"}
    assert (shown["badges"], shown["next"]) == (["late"], level_two(100, True))
    await bob.fail_mint(id_)
    assert (await bob.status())["upgrade"]["state"] == "recovery"
    await bob.trade("-599999")
    await bob.mint(id_)
    shown = await bob.status()
    assert (shown["level"], shown["grace_level"], shown["upgrade"]) == (2, None, None)
    assert (shown["next"]["level"], shown["next"]["progress_percent"]) == (3, 0)


async def test_badges_come_back_with_a_failure_before_the_burn(here: Living) -> None:
    bob = await climber(here, "600000", *TWO)
    await bob.unlocked()
    id_ = (await bob.asked("upgrade"))["upgrade_id"]
    assert (await bob.status())["badges"] == []
    await bob.fail(id_, "ADD_SOL")
    shown = await bob.status()
    assert (shown["badges"], shown["upgrade"]["state"]) == (["early-bird", "whale"], "failed")
    await bob.earn("whale", action="revoked")
    assert (await bob.status())["badges"] == ["early-bird"]


async def test_the_top_level_has_nothing_above(here: Living) -> None:
    queen = await climber(here, "50000000", *[f"badge {n}" for n in range(17)])
    await queen.unlocked()
    for _ in range(4):
        id_ = (await queen.asked("upgrade"))["upgrade_id"]
        await queen.burn(id_)
        await queen.mint(id_)
    shown = await queen.status()
    assert (shown["level"], shown["next"], shown["badges"]) == (5, None, [])
    assert refused(await queen.ask("upgrade")) == (409, "TOP_LEVEL")


async def test_volume_counts_under_every_name_of_a_pass(here: Living, ada: Climber) -> None:
    await ada.trade("1", f"solana:{ada.wallet}")
    await ada.trade("2", ada.caller.pass_id)
    wallet = "0x" + "Ab" * 20
    await ada.trade("4", wallet)
    assert (await ada.status())["volume_usd"] == "600003"
    linked = Identify(
        identity=f"eip155:{wallet.lower()}",
        new_pass_id=ada.caller.pass_id,
        current=ada.caller.pass_id,
    )
    await here.do(linked)
    assert (await ada.status())["volume_usd"] == "600007", "trades before the link count"


async def test_only_who_is_signed_in_is_told_and_only_of_themselves(
    here: Living, ada: Climber
) -> None:
    assert refused(await here.nobody().get("/api/nft/status")) == (401, "UNAUTHENTICATED")
    auditor = await here.caller("auditor")
    assert refused(await auditor.get("/api/nft/status")) == (403, "FORBIDDEN")
    bad = await ada.caller.get("/api/nft/status", min_position="soon")
    assert refused(bad) == (422, "INVALID_REQUEST")


# The cache.


async def asked_anew(here: Living, pass_id: str) -> Any:
    admin = here.known("pass:user:root", "admin")
    return await admin.post("/admin/nft/refresh", {"pass_id": pass_id})


async def reads(here: Living) -> dict[str, float]:
    """How many looks each of the two has answered."""
    text = (await here.nobody().get("/metrics")).text
    lines = [line for line in text.splitlines() if line.startswith("mega_level_reads_total{")]
    return {line.split('"')[1]: float(line.split()[-1]) for line in lines}


def execute(here: Living, statement: Any, *values: Any) -> int:
    with psycopg.connect(here.parts.settings.database, autocommit=True) as connection:
        return connection.execute(statement, values).rowcount


def forget(here: Living, pass_id: str) -> None:
    assert execute(here, "DELETE FROM views.levels WHERE pass_id = %s", pass_id) == 1


async def test_a_missing_row_is_answered_by_the_ledger_and_counted(
    here: Living, ada: Climber
) -> None:
    await ada.unlocked()
    known, before = await ada.status(), await reads(here)
    forget(here, ada.caller.pass_id)
    assert await ada.status() == known
    assert await reads(here) == {**before, "ledger": before.get("ledger", 0) + 1}
    answer = await asked_anew(here, ada.caller.pass_id)
    names = [ada.caller.pass_id]
    assert (answer.status_code, answer.json()["names"]) == (200, names), answer.text
    before = await reads(here)
    assert await ada.status() == known
    assert await reads(here) == {**before, "projection": before["projection"] + 1}


async def test_flushed_under_load_the_answers_stay_the_same(here: Living, ada: Climber) -> None:
    await ada.unlocked()
    known = await ada.status()

    async def flush() -> None:
        await asyncio.to_thread(forget, here, ada.caller.pass_id)
        assert (await asked_anew(here, ada.caller.pass_id)).status_code == 200

    looks = [ada.status() for _ in range(20)]
    answers = await asyncio.gather(*looks[:10], flush(), *looks[10:])
    assert [answer for answer in answers if answer] == [known] * 20


async def test_a_row_that_is_gone_is_never_folded_on_from_nothing(
    here: Living, ada: Climber
) -> None:
    await ada.unlocked()
    await ada.status()
    forget(here, ada.caller.pass_id)
    await ada.earn(*TWO)
    id_ = (await ada.asked("upgrade"))["upgrade_id"]
    shown = await ada.status()
    assert (shown["level"], shown["upgrade"]) == (1, {"id": id_, "state": "prepared"})
    stream = f"upgrade:{ada.caller.pass_id}"
    parked = "SELECT FROM views.parked WHERE projection = 'levels' AND stream = %s"
    assert execute(here, parked, stream) == 2
    assert (await asked_anew(here, ada.caller.pass_id)).status_code == 200
    assert execute(here, parked, stream) == 0
    before = await reads(here)
    assert await ada.status() == shown
    await ada.burn(id_)
    assert (await ada.status())["upgrade"]["state"] == "burn_confirmed"
    assert await reads(here) == {**before, "projection": before["projection"] + 2}


async def merged(here: Living, ada: Climber, bob: Climber) -> None:
    """Bob's wallet is linked to the pass of ada, which is the older."""
    asking = {"new_pass_id": "pass:none", "current": ada.caller.pass_id}
    outcome = await here.do(Identify(identity=f"solana:{bob.wallet}", **asking))
    here.parts.directory.learn(outcome.events)


async def test_the_names_of_a_merged_pass_are_read_anew_together(
    here: Living, ada: Climber
) -> None:
    bob = await climber(here)
    await ada.unlocked()
    await bob.unlocked()
    await merged(here, ada, bob)
    known = await ada.status()
    assert (known["level"], known["volume_usd"]) == (1, "1200000")
    forget(here, ada.caller.pass_id)
    answer = await asked_anew(here, bob.caller.pass_id)
    assert answer.json()["names"] == [ada.caller.pass_id, bob.caller.pass_id]
    assert answer.json()["pass_id"] == ada.caller.pass_id
    assert await ada.status() == known


async def test_half_of_a_merged_pass_is_not_taken_for_all_of_it(here: Living, ada: Climber) -> None:
    bob = await climber(here, "600000", *TWO)
    await ada.unlocked()
    await bob.mint(await bob.owed())
    await merged(here, ada, bob)
    known = await ada.status()
    assert known["level"] == 2
    forget(here, bob.caller.pass_id)
    assert await ada.status() == known


async def test_only_admins_read_anew_and_only_what_there_is(here: Living, ada: Climber) -> None:
    path, body = "/admin/nft/refresh", {"pass_id": ada.caller.pass_id}
    assert refused(await here.nobody().post(path, body)) == (401, "UNAUTHENTICATED")
    assert refused(await ada.caller.post(path, body)) == (403, "FORBIDDEN")
    assert refused(await asked_anew(here, "pass:user:nobody")) == (404, "NOT_FOUND")
    for malformed in ("", "order:7e57", "pass:"):
        assert refused(await asked_anew(here, malformed)) == (422, "INVALID_REQUEST")
    empty = await asked_anew(here, ada.caller.pass_id)
    assert (empty.status_code, (await ada.status())["level"]) == (200, 0)


@pytest.fixture
async def alone(world: TestWorld) -> AsyncIterator[Living]:
    with world.database() as database:
        async with living(world, database) as made:
            yield made


async def test_without_its_table_the_answer_is_the_same(
    alone: Living,
) -> None:
    cleo = await climber(alone)
    await cleo.unlocked()
    known = await cleo.status()
    execute(alone, "DROP TABLE views.levels")
    answer = await cleo.caller.get("/api/nft/status")
    assert (answer.status_code, answer.json()) == (200, known)


async def test_while_trades_are_read_anew_nothing_is_made_up(
    alone: Living,
) -> None:
    cleo = await climber(alone)
    execute(alone, "DROP TABLE views.trading_volume")
    for answer in (await cleo.caller.get("/api/nft/status"), await cleo.ask("unlock")):
        assert refused(answer) == (503, "PROJECTION_BEHIND")
