"""`mega verify`, `replay`, `statement`-checking and rebuilds: what auditors and operators ask."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import Progress

from api.statement_check import NotAKey, check
from cli.world import database_url
from commands.aggregates import initial
from ledger.chain import verify as verify_chain
from ledger.errors import LedgerUnavailable
from ledger.ledger import Ledger
from projections.catalog import all_projections
from projections.rebuild import Rebuild
from settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def verify(
    head: Annotated[str, typer.Option(help="A hash that the ledger is known to have had.")] = "",
    as_json: AsJson = False,
) -> None:
    """Recompute the hash chain of the ledger; ends with status 1 when a row breaks it."""
    known = bytes.fromhex(head) if head else None
    try:
        with Progress(transient=True, disable=as_json) as progress:
            task = progress.add_task("verifying")
            task_of = partial(progress.update, task)
            found = verify_chain(
                database_url(), known, lambda done, all_: task_of(completed=done, total=all_)
            )
    except LedgerUnavailable as down:
        raise SystemExit(f"The database does not answer ({down}). Is `make run` up?") from None
    broken = found.first_broken
    first = {"position": broken.position, "reason": broken.reason} if broken else None
    head_now = {"position": found.position, "hash": found.hash.hex()}
    if as_json:
        typer.echo(json.dumps({"ok": found.ok, "head": head_now, "first_broken": first}))
    elif broken:
        typer.echo(f"BROKEN at position {broken.position}: {broken.reason}")
    else:
        typer.echo(f"ok: {found.position} events, head {found.hash.hex()}")
    if not found.ok:
        raise typer.Exit(1)


def replay(stream: Annotated[str, typer.Argument(help="for example order:<id>")]) -> None:
    """Fold one stream again and print what it makes, as JSON."""

    async def folded() -> Any:
        async with Ledger(database_url(), master_key=master_key()) as ledger:
            return (await ledger.streams([stream]))[stream].events

    events = asyncio.run(folded())
    if not events:
        raise SystemExit(f"The ledger has no stream {stream}.")
    state: Any = initial(stream)
    for event in events:
        state = state.evolve(event)
    typer.echo(json.dumps(msgspec.to_builtins(state), indent=2))


def master_key() -> bytes:
    """MEGA_MASTER_KEY if it is set; without it secret fields read as erased."""
    settings = Settings.load_or_exit()
    return settings.master_key if settings.mega_master_key else bytes(32)


def rebuild(
    name: Annotated[str, typer.Argument(help="a projection")] = "",
    every: Annotated[bool, typer.Option("--all", help="all of them")] = False,
) -> None:
    """Build read models anew beside the old ones and swap them in; Ctrl-C keeps what is done."""
    chosen = [each for each in all_projections() if every or each.name == name]
    if not chosen:
        names = ", ".join(each.name for each in all_projections())
        raise SystemExit(f"Name one of: {names}; or give --all.")

    async def work() -> None:
        url = database_url()
        async with Ledger(url, master_key=master_key()) as ledger:
            for projection in chosen:
                await Rebuild(url, ledger, projection).run()
                typer.echo(f"{projection.name}: rebuilt")

    asyncio.run(work())


def verify_statement(
    file: Annotated[Path, typer.Argument(help="the body of GET /me/statement")],
    key: Annotated[str, typer.Option(help="the public key it must be signed with")],
) -> None:
    """Check a signed statement offline: its signature, and that paid is the sum of the others."""
    try:
        good = check(json.loads(file.read_text()), key)
    except (NotAKey, OSError, ValueError) as wrong:
        raise SystemExit(f"The statement cannot be checked: {wrong}") from None
    typer.echo("ok" if good else "NOT the statement that was signed")
    if not good:
        raise typer.Exit(1)
