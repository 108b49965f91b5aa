"""Compares what the ledger says with what the world shows, round after round, and corrects it.

One process leads, by a session advisory lock: when it dies another goes on at once. A comparison
that cannot ask the world ends there, and the next round comes. It keeps nothing that could not be
found again, and finding the same again records nothing. Seed 002, "Database-Blockchain Sync
Issues".
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

import psycopg
import structlog
from psycopg import AsyncConnection

from commands.command import TooBusy
from consumers.gateways.ports import Failure
from consumers.lifetime import pause, until_stopped
from ledger.errors import LedgerUnavailable
from ledger.statements import named_statements

SQL = named_statements(Path(__file__).with_suffix(".sql"))
ELECTION_S = 0.5
GRACE_S = 5.0

Done = Literal["corrected", "for review", "known"]

# The database, or the views that say what to look at: they come back.
AWAY = (
    psycopg.OperationalError,
    LedgerUnavailable,
    psycopg.errors.UndefinedTable,
    psycopg.errors.InvalidSchemaName,
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference, and what was done about it; `known`: it waits for a person, or was settled
    while we looked."""

    kind: str
    subject: str
    pass_id: str
    field: str
    ledger_value: str
    chain_value: str
    done: Done


@dataclass(slots=True)
class Report:
    """Of one comparison: how many things were compared, what was found, why it ended early."""

    check: str
    checked: int = 0
    findings: list[Finding] = field(default_factory=list)
    failure: str = ""

    def count(self, done: Done) -> int:
        return sum(each.done == done for each in self.findings)


class Check(Protocol):
    """One comparison of the ledger with something else."""

    name: str

    async def compare(self, connection: AsyncConnection, report: Report) -> None:
        """Tells the report what it finds as it goes. Raises a Failure when the world is silent."""
        ...


class Reconciler:
    """`run` works until `stop`; of several of one `name` one leads, with `every_s` between two
    rounds."""

    def __init__(
        self,
        url: str,
        checks: Sequence[Check],
        now: Callable[[], datetime],
        *,
        every_s: float,
        name: str = "reconciler",
    ) -> None:
        self._url, self._checks, self._now, self._every_s = url, checks, now, every_s
        self._name = name
        self._stop = asyncio.Event()

    def stop(self) -> None:
        self._stop.set()

    async def run(self) -> None:
        await until_stopped(self._work(), self._stop, grace_s=GRACE_S)

    async def _work(self) -> None:
        while not self._stop.is_set():
            try:
                async with await AsyncConnection.connect(self._url, autocommit=True) as session:
                    await self._lead(session)
            except AWAY as down:
                log.warning("reconciler_waits", why=str(down))
                await pause(self._stop, ELECTION_S)

    async def _lead(self, session: AsyncConnection) -> None:
        while not self._stop.is_set():
            row = await (await session.execute(SQL["lead"], {"name": self._name})).fetchone()
            if row and row[0]:
                break
            await pause(self._stop, ELECTION_S)
        while not self._stop.is_set():
            await one_round(session, self._checks, self._now)
            await pause(self._stop, self._every_s)


async def one_round(
    connection: AsyncConnection, checks: Sequence[Check], now: Callable[[], datetime]
) -> list[Report]:
    """Every comparison once, whatever becomes of the others."""
    return [await _one(connection, check, now) for check in checks]


async def _one(connection: AsyncConnection, check: Check, now: Callable[[], datetime]) -> Report:
    report = Report(check.name)
    try:
        await check.compare(connection, report)
    except (Failure, TooBusy) as failed:
        report.failure = str(failed) or type(failed).__name__
    except AWAY:
        raise
    except Exception as bug:  # what is owed is minted in the same process, which must not end
        log.exception("comparison_crashed", check=check.name)
        report.failure = type(bug).__name__
    counts = {
        "checked": report.checked,
        "corrected": report.count("corrected"),
        "reviews": report.count("for review"),
    }
    kinds = Counter(each.kind for each in report.findings if each.done != "known")
    tell = log.warning if report.failure else log.info if kinds else log.debug
    tell("reconciled", check=check.name, **counts, found=dict(kinds), failure=report.failure)
    ended = {"name": check.name, "at": now(), **counts, "failure": report.failure or None}
    await connection.execute(SQL["ended"], ended)
    return report
