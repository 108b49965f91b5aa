"""`mega allowlist`: how many tokens each wallet may mint, from a CSV file."""

from __future__ import annotations

import asyncio
import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn
from uuid import uuid4

import typer

from cli.say import AsJson, as_json, hint, progress
from cli.world import database, sealed_ledger

HEADER = ["wallet", "allowed"]
SHOWN_MAX = 60


@dataclass
class Sheet:
    """What a file says: how many each wallet may mint, and what is wrong, by line."""

    allowed: dict[str, int] = field(default_factory=dict)
    mistakes: list[tuple[int, str]] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)

    def take(self, line: int, cells: list[str]) -> None:
        if len(cells) != len(HEADER):
            self.mistakes.append((line, f"{len(cells)} values in place of {len(HEADER)}"))
            return
        wrong = [why for why in (_no_wallet(cells[0]), _no_number(cells[1])) if why]
        if cells[0] in self.lines:
            wrong.append(f"the wallet of line {self.lines[cells[0]]} again")
        self.lines.setdefault(cells[0], line)
        if wrong:
            self.mistakes.append((line, "; ".join(wrong)))
        else:
            self.allowed[cells[0]] = int(cells[1])


def import_(
    file: Annotated[Path, typer.Argument(help="CSV with the header wallet,allowed.")],
    json_: AsJson = False,
) -> None:
    """Set how many tokens each wallet of a file may mint: all of them, or none if a line is bad.

    Wallets that are not in the file keep what they have. Importing it again changes nothing.
    """
    sheet = read_sheet(file)
    if sheet.mistakes:
        _refuse(sheet, json_)
    changed = asyncio.run(_import(database(), list(sheet.allowed.items())))
    if json_:
        as_json({"wallets": len(sheet.allowed), "changed": changed})
    else:
        typer.echo(f"{len(sheet.allowed):,} wallets, {changed:,} changed")


def read_sheet(file: Path) -> Sheet:
    """Ends with a sentence when the file cannot be read at all."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            return _sheet(opened)
    except OSError as wrong:
        raise SystemExit(f"{file} cannot be read: {wrong.strerror}.") from None
    except UnicodeDecodeError:
        raise SystemExit(f"{file} is not UTF-8. Save it as CSV in UTF-8.") from None


def _sheet(text: Iterable[str]) -> Sheet:
    sheet, begun, reader = Sheet(), False, csv.reader(text, strict=True)
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if cells in ([], [""]):
                continue
            if begun:
                sheet.take(reader.line_num, cells)
            elif cells != HEADER:
                break
            begun = True
    except csv.Error as malformed:
        sheet.mistakes.append((reader.line_num, f"not CSV ({malformed})"))
    if not begun:
        sheet.mistakes.append((max(1, reader.line_num), f"the header must be {','.join(HEADER)}"))
    return sheet


def _no_wallet(text: str) -> str:
    from solders.pubkey import Pubkey

    try:
        Pubkey.from_string(text)
    except ValueError:
        return f"{text[:SHOWN_MAX]!r} is no wallet: 32 bytes in base58"
    return ""


def _no_number(text: str) -> str:
    from domain.allowance import ALLOWED_MAX

    if re.fullmatch(r"[0-9]{1,9}", text) and int(text) <= ALLOWED_MAX:
        return ""
    return f"{text[:SHOWN_MAX]!r} is no whole number from 0 to {ALLOWED_MAX:,}"


def _refuse(sheet: Sheet, json_: bool) -> NoReturn:
    if json_:
        as_json({"mistakes": [{"line": line, "why": why} for line, why in sheet.mistakes]})
    for line, why in sheet.mistakes:
        hint(f"line {line}: {why}")
    count = len(sheet.mistakes)
    hint(f"Nothing was imported; lines to mend: {count:,}.")
    raise typer.Exit(1)


async def _import(url: str, items: list[tuple[str, int]]) -> int:
    """How many wallets may mint more, or fewer, than before."""
    import stamina

    from commands.allowances import ITEMS_MAX, SetAllowances
    from commands.command import Context, TooBusy, handle

    changed, correlation_id = 0, str(uuid4())
    with progress() as bars:
        task = bars.add_task("importing", total=len(items))
        async with sealed_ledger(url) as ledger:
            for first in range(0, len(items), ITEMS_MAX):
                chunk = SetAllowances(items=tuple(items[first : first + ITEMS_MAX]))
                context = Context(datetime.now(UTC), correlation_id, "cli:allowlist")
                # Whoever of these wallets prepares a batch at this moment is let through first.
                async for attempt in stamina.retry_context(on=TooBusy):
                    with attempt:
                        outcome = await handle(ledger, chunk, context)
                changed += len(outcome.events)
                bars.update(task, advance=len(chunk.items))
    return changed
