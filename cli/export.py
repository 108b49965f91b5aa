"""`mega export`: the ledger as lines that can be checked with Python alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer

from cli.say import hint, progress
from cli.world import database

REPORT_EVERY = 5_000


def export(
    first: Annotated[int, typer.Option("--from", min=1, help="The first position.")] = 1,
    last: Annotated[
        int | None, typer.Option("--to", min=1, help="The last position. Default: the head.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write to this file, not to stdout.")] = None,
) -> None:
    """Dump rows of the ledger as JSON lines, which docs/verify_dump.py checks without MEGA.

    Secret fields are in it as the ledger has them: encrypted.
    """
    import msgspec
    import psycopg

    from ledger.dump import lines, span

    if last is not None and last < first:
        raise typer.BadParameter("--to is before --from")
    encode = msgspec.json.Encoder().encode
    with psycopg.connect(database(), autocommit=True) as connection:
        chosen = span(connection, first, last)
        if first > 1 and not chosen.rows:
            raise SystemExit(f"There is nothing at {first}: the ledger ends at {chosen.last}.")
        head = chosen.before
        with _opened(out) as file, progress() as bars:
            task = bars.add_task("exporting", total=chosen.rows)
            for count, line in enumerate(lines(connection, chosen), 1):
                file.write(encode(line) + b"\n")
                head = line.hash
                if count % REPORT_EVERY == 0:
                    bars.update(task, completed=count)
    hint(f"{chosen.rows} rows, positions {first} to {chosen.last}, head {head}")
    if out is not None:
        after = f" --after {chosen.before}" if first > 1 else ""
        hint(f"Check it with: python docs/verify_dump.py {out} {head}{after}")


@contextmanager
def _opened(out: Path | None) -> Iterator[IO[bytes]]:
    """The file gets its name once it is whole: half a dump would pass for a shorter ledger."""
    if out is None:
        yield sys.stdout.buffer
        return
    draft = out.with_name(f".{out.name}.part")
    try:
        with draft.open("wb") as file:
            yield file
        draft.rename(out)
    except OSError as wrong:
        raise SystemExit(f"{out} cannot be written: {wrong.strerror}.") from None
    finally:
        draft.unlink(missing_ok=True)
