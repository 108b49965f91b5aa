"""Rounds: one process leads, another goes on, and a failure costs a round at most."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from consumers.gateways.ports import TryAgain
from consumers.reconciler import Finding, Reconciler, Report
from tests.projections.looking import eventually_so
from tests.world import Database

SILENCE = TryAgain("no endpoint answers")
FOUND = Finding("sent_away", "mint", "pass:user:ada", "owner", "ada", "ben", "for review")


class Rounds:
    """A comparison that counts its rounds; `failure`: how they end."""

    name = "rounds"

    def __init__(self) -> None:
        self.count = 0
        self.failure: Exception | None = None

    async def compare(self, connection: AsyncConnection, report: Report) -> None:
        self.count += 1
        if self.failure:
            raise self.failure
        report.checked = 7
        report.findings.append(FOUND)

    def reach(self, count: int) -> Callable[[], bool]:
        return lambda: self.count >= count


def reconciler(url: str, *checks: Rounds) -> Reconciler:
    return Reconciler(url, checks, lambda: datetime.now(UTC), every_s=0.05)


def standing(url: str) -> tuple[Any, ...]:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT checked, corrected, reviews, failure FROM consumers.reconciliations"
        ).fetchone()
    assert found
    return found


async def test_one_leads_and_another_goes_on(database: Database) -> None:
    first, second = Rounds(), Rounds()
    leader, heir = reconciler(database.url, first), reconciler(database.url, second)
    leading = asyncio.create_task(leader.run())
    await eventually_so(first.reach(1))
    waiting = asyncio.create_task(heir.run())
    await eventually_so(first.reach(first.count + 3))
    assert second.count == 0
    leader.stop()
    await leading
    await eventually_so(second.reach(2))
    heir.stop()
    await waiting


@pytest.mark.parametrize("failure", [SILENCE, KeyError("a bug of ours")])
async def test_what_cannot_be_compared_ends_its_round_and_no_other(
    database: Database, failure: Exception
) -> None:
    failing, other = Rounds(), Rounds()
    failing.failure = failure
    rounds = reconciler(database.url, failing, other)
    running = asyncio.create_task(rounds.run())
    await eventually_so(other.reach(2))
    assert failing.count >= 2
    rounds.stop()
    await running


async def test_the_last_round_is_told(database: Database) -> None:
    check = Rounds()
    rounds = reconciler(database.url, check)
    running = asyncio.create_task(rounds.run())
    await eventually_so(check.reach(2))
    assert standing(database.url) == (7, 0, 1, None)
    check.failure = SILENCE
    await eventually_so(check.reach(check.count + 2))
    assert standing(database.url) == (0, 0, 0, "no endpoint answers")
    rounds.stop()
    await running
