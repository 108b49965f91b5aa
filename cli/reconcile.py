"""`mega reconcile`: the ledger compared with the chain now, and what was found."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from cli.say import AsJson, as_json, hint, table
from cli.world import database, sealed_ledger, settings

if TYPE_CHECKING:
    from consumers.reconciler import Report
    from settings import Settings

CHAIN_S = 10.0
COLUMNS = ("found", "about", "pass", "in", "ledger", "chain", "done")


def reconcile(json_: AsJson = False) -> None:
    """Compare the ledger with the chain once, correct what the rules settle, list what differs.

    Ends with status 1 when the chain cannot be asked about everything.
    """
    import structlog

    from consumers.composing_solana import REQUIRED

    # What is logged meanwhile stands in the results.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    database()
    reports = asyncio.run(_round(settings(*REQUIRED)))
    if json_:
        as_json([asdict(each) for each in reports])
    else:
        for each in reports:
            _tell(each)
    if any(each.failure for each in reports):
        raise typer.Exit(1)


async def _round(known: Settings) -> list[Report]:
    from psycopg import AsyncConnection

    from consumers.composing_reconciler import checks
    from consumers.gateways.questions import questions_client
    from consumers.reactions.promise import Desk
    from consumers.reconciler import one_round
    from ledger.clock import Clock
    from ledger.pool import reading_pool

    async with (
        reading_pool(known.database, 1) as pool,
        questions_client(timeout=CHAIN_S, follow_redirects=False, trust_env=False) as asked,
        await AsyncConnection.connect(known.database, autocommit=True) as connection,
    ):
        clock = Clock(pool)
        await clock.refresh()
        async with sealed_ledger(known.database, ahead=clock.ahead) as ledger:
            wanted = checks(known, Desk(ledger, clock.now), asked)
            return await one_round(connection, wanted, clock.now)


def _tell(report: Report) -> None:
    counts = [f"{report.checked} compared"]
    counts += [f"{report.count(done)} {done}" for done in ("corrected", "for review", "known")]
    typer.echo(f"{report.check}: {', '.join(counts)}")
    if report.findings:
        found = sorted(report.findings, key=lambda each: (each.kind, each.subject))
        shown = [
            (f.kind, f.subject, f.pass_id, f.field, f.ledger_value, f.chain_value, f.done)
            for f in found
        ]
        table(COLUMNS, shown)
    if report.failure:
        hint(f"{report.check} could not be compared to the end: {report.failure}")
