"""`make bench`: every row of the table of figures, printed and stored in bench/latest.json.

`--seconds` is the length of one run of one row, `--events` the size of the long ones, `--only` the
one group of rows to run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench import (
    archive,
    batches,
    creates,
    http,
    live,
    loss,
    pfp,
    preparing,
    reads,
    rebuild,
    threads,
    trades,
    webhooks,
    writes,
    x402,
)
from bench.fill import fill
from bench.measure import Measurement
from bench.pgbench import Pgbench
from tests.world import Database, TestWorld, open_world

FRESH = 20_000
GROUPS = "pfp, http, live, x402, webhooks, creates, archive, threads, trades, ledger or loss"
LATEST = Path(__file__).parent / "latest.json"


def main(
    seconds: Annotated[float, typer.Option(help="length of one run of one row")] = 3.0,
    events: Annotated[int, typer.Option(help="events of the long rows")] = 1_000_000,
    only: Annotated[str, typer.Option(help=GROUPS)] = "",
) -> None:
    """Measures the ledger on a PostgreSQL of its own, fsync on."""
    console = Console()
    found = []
    for measurement in measured(seconds, events, only):
        found.append(measurement)
        console.print(line(measurement))
    console.print(table(found))
    store(found, keep=bool(only))
    console.print(f"stored in {LATEST.relative_to(Path.cwd())}")


def store(found: list[Measurement], *, keep: bool) -> None:
    """`keep`: the rows of other groups stay, as they were measured before."""
    before = json.loads(LATEST.read_text()) if keep and LATEST.exists() else []
    rows = {row["name"]: row for row in before} | {each.name: each.stored() for each in found}
    LATEST.write_text(json.dumps(list(rows.values()), indent=2) + "\n")


def measured(seconds: float, events: int, only: str) -> Iterator[Measurement]:
    if wanted(only, "pfp"):
        yield from pfp.rows()
    with open_world(durable=True) as world:
        if wanted(only, "pfp"):
            with world.database() as database:
                yield from preparing.rows(world, database)
            yield from batches.rows(world)
        if wanted(only, "http"):
            with world.database() as database:
                yield from http.rows(world, database, seconds)
        if wanted(only, "live"):
            with world.database() as database:
                yield from live.rows(world, database)
        if wanted(only, "x402"):
            with world.database() as database:
                yield from x402.rows(world, database)
        if wanted(only, "webhooks"):
            with world.database() as database:
                yield from webhooks.rows(world, database)
        if wanted(only, "creates"):
            with world.database() as database:
                yield from creates.rows(world, database)
        if wanted(only, "archive"):
            with world.database() as database:
                yield from archive.rows(database)
        if wanted(only, "threads"):
            with world.database() as database:
                yield from threads.rows(world, database)
        if wanted(only, "trades"):
            with world.database() as database:
                yield from trades.rows(world, database, events)
        if wanted(only, "ledger"):
            with world.database() as database:
                yield from growing(world, database, seconds, events)
        if wanted(only, "loss"):
            with world.database() as database:
                yield from loss.rows(database, events)


def growing(
    world: TestWorld, database: Database, seconds: float, events: int
) -> Iterator[Measurement]:
    """Every row at a hundredth, a tenth and all of the events at least, then a rebuild of all.

    Before each a projection has something fresh to read, whatever the rows before it wrote.
    """
    pgbench = Pgbench(database.admin_url, world.place.data, seconds)
    for size in (events // 100, events // 10, events):
        reads.run(reads.project, database.url)
        fill(database.url, max(FRESH, size - reads.head_of(database.admin_url)))
        at = f", {size:,} events"
        yield from reads.rows(database, at)
        yield from writes.rows(database, pgbench, seconds, at)
    yield from rebuild.rows(database)


def wanted(only: str, group: str) -> bool:
    return only in ("", group)


def line(each: Measurement) -> str:
    ratio = "" if each.ratio is None else f", {each.ratio:.2f} x {each.ratio_to}"
    return (
        f"{'reached' if each.met else 'MISSED '} {each.name}: {each.value:,.1f} {each.unit}{ratio}"
    )


def table(found: list[Measurement]) -> Table:
    shown = Table("what", "value", "ratio", "target", "reached")
    for each in found:
        value = f"{each.value:,.1f} {each.unit}"
        ratio = "" if each.ratio is None else f"{each.ratio:.2f}"
        target = f"{'≤' if each.at_most else '≥'} {each.target:g}"
        shown.add_row(each.name, value, ratio, target, "yes" if each.met else "no")
    return shown


if __name__ == "__main__":
    typer.run(main)
