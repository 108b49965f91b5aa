"""What auditors ask of the ledger: does it hold, what does a stream say, who paid what, a dump."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.say import AsJson, as_json, hint, progress
from cli.world import database, reading, settings


def _hash(text: str) -> bytes | None:
    try:
        known = bytes.fromhex(text)
    except ValueError:
        known = b""
    if text and len(known) != 32:
        raise typer.BadParameter("a hash has 64 hexadecimal digits")
    return known or None


def verify(
    head: Annotated[str, typer.Option(help="A hash that the ledger is known to have had.")] = "",
    json_: AsJson = False,
) -> None:
    """Recompute the hash chain of the ledger; ends with status 1 when a row breaks it."""
    from ledger.chain import verify as verify_chain

    known = _hash(head)
    url = database()
    with progress() as bars:
        report = partial(bars.update, bars.add_task("verifying", total=None))
        found = verify_chain(url, known, lambda done, all_: report(completed=done, total=all_))
    broken = found.first_broken
    if json_:
        first = {"position": broken.position, "reason": broken.reason} if broken else None
        now = {"position": found.position, "hash": found.hash.hex()}
        as_json({"ok": found.ok, "head": now, "first_broken": first})
    elif broken:
        typer.echo(f"BROKEN at position {broken.position}: {broken.reason}")
    else:
        typer.echo(f"ok: {found.position} events, head {found.hash.hex()}")
    if not found.ok:
        raise typer.Exit(1)


def replay(
    stream: Annotated[
        str, typer.Argument(metavar="STREAM", help="For example order:<id> or pass:user:<id>.")
    ],
    as_of: Annotated[
        str, typer.Option(help="A position, or a time such as 2026-01-31T12:00:00Z. Default: now.")
    ] = "",
    json_: AsJson = False,
) -> None:
    """Fold one stream again, now or as of a moment, and print what it makes, as JSON.

    Secret fields stay sealed.
    """
    from api.asking import moment
    from api.problems import NotFound
    from api.replay import replayed

    then = moment(as_of) if as_of else None
    if as_of and then is None:
        raise typer.BadParameter("--as-of is a position or RFC 3339 with a zone")

    async def folded() -> dict[str, Any]:
        async with reading(database()) as rows:
            return await replayed(rows, stream, then)

    try:
        found = asyncio.run(folded())
    except NotFound:
        when = f" as of {as_of}" if as_of else ""
        raise SystemExit(f"The ledger has no stream {stream}{when}.") from None
    typer.echo(json.dumps(found, ensure_ascii=False, indent=None if json_ else 2))


def statement(
    pass_id: Annotated[str, typer.Argument(metavar="PASS", help="A pass, under any of its names.")],
    out: Annotated[Path | None, typer.Option(help="Write to this file, not to stdout.")] = None,
    json_: AsJson = False,
) -> None:
    """Print the signed statement of a pass: what it paid, and what became of every unit of it."""
    from api.problems import NotFound
    from api.statement_check import StatementKey
    from api.statements import signed_statement

    key = StatementKey.of(settings("mega_statement_key"))

    async def signed() -> dict[str, Any]:
        async with reading(database()) as rows:
            return await signed_statement(rows, key, pass_id)

    try:
        found = asyncio.run(signed())
    except NotFound:
        raise SystemExit(f"The ledger has no pass {pass_id}.") from None
    text = json.dumps(found, ensure_ascii=False, indent=None if json_ else 2)
    if out is None:
        typer.echo(text)
        return
    _write(out, text + "\n")
    (public,) = key.published()["keys"]
    hint(f"Check it with: mega verify-statement {out} --key {public['x']}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as wrong:
        raise SystemExit(f"{path} cannot be written: {wrong.strerror}.") from None


def verify_statement(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What mega statement or GET /me/statement gave.")
    ],
    key: Annotated[
        str,
        typer.Option(help="The public key: `x` in /.well-known/mega-statement-keys, hex, or PEM."),
    ],
    json_: AsJson = False,
) -> None:
    """Check a signed statement offline: its signature, and that paid is the sum of the others."""
    from api.statement_check import NotAKey, check

    try:
        said = json.loads(file.read_text())
        good = check(said, key)
    except NotAKey:
        raise typer.BadParameter("--key is no Ed25519 public key") from None
    except OSError as wrong:
        raise SystemExit(f"{file} cannot be read: {wrong.strerror}.") from None
    except ValueError:
        raise SystemExit(f"{file} is not JSON.") from None
    if json_:
        as_json({"ok": good})
    elif good:
        about = said["statement"]
        typer.echo(f"ok: {about['pass_id']} as of position {about['position']}")
    else:
        typer.echo(f"NOT what was signed with this key: {file}")
    if not good:
        raise typer.Exit(1)
