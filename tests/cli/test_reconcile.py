"""`mega reconcile`: one round, for people and for programs."""

from __future__ import annotations

import asyncio

from ledger.ledger import Ledger
from tests.cli.terminal import Mega
from tests.projections.looking import catch_up_all
from tests.world import Database


def test_a_round_is_told_also_when_the_chain_does_not_answer(
    database: Database, mega: Mega, twins: dict[str, str]
) -> None:
    lacking = mega("reconcile", **twins)
    assert lacking.status == 1 and "mega projections rebuild" in lacking.out

    asyncio.run(views(database.url))
    (report,) = mega("reconcile", "--json", **twins).json
    assert report["check"] == "levels" and report["failure"] == ""
    assert all(each["kind"] == "unknown_token" for each in report["findings"])
    assert mega("reconcile", **twins).out.startswith("levels: ")

    unanswered = mega("reconcile", **{**twins, "SOLANA_RPC_URLS": "http://127.0.0.1:1"})
    assert unanswered.status == 1
    assert "levels could not be compared to the end" in unanswered.err


async def views(url: str) -> None:
    async with Ledger(url, master_key=bytes(32)) as ledger:
        await catch_up_all(url, ledger)
