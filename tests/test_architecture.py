"""The budgets and arrows of the house, held against every file of the product."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from ledger.statements import named_statements

ROOT = Path(__file__).parents[1]
FILE_LINES_MAX, FUNCTION_LINES_MAX, STATEMENT_LINES_MAX, VERBS_MAX = 300, 40, 25, 12


def tracked(*endings: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.split()]
    return [path for path in paths if path.suffix in endings and path.exists()]


def python_files() -> list[Path]:
    return tracked(".py")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_files_are_short():
    long = {
        named(path): count
        for path in tracked(".py", ".sql", ".js", ".mjs", ".sol", ".sh")
        if (count := len(path.read_text().splitlines())) > FILE_LINES_MAX
    }
    assert not long


def test_functions_are_short():
    long = []
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = (node.end_lineno or 0) - node.lineno + 1
                if body > FUNCTION_LINES_MAX:
                    long.append(f"{named(path)}:{node.lineno} {node.name} {body}")
    assert not long


def test_statements_of_sql_are_short():
    long = [
        f"{named(path)} {name}"
        for path in tracked(".sql")
        if "migrations" not in path.parts
        for name, text in named_statements(path).items()
        if name != "schema" and len(text.splitlines()) > STATEMENT_LINES_MAX
    ]
    assert not long


def test_projections_keep_their_sql_beside_them():
    kept = {path.stem for path in (ROOT / "projections").glob("*.sql")}
    made = {
        path.stem
        for path in (ROOT / "projections").glob("*.py")
        if re.search(r"^class \w+\(Projection\[", path.read_text(), re.MULTILINE)
    }
    assert made <= kept


def test_every_module_says_what_it_is_for():
    silent = [
        named(path)
        for path in python_files()
        if "tests" not in path.parts
        and path.read_text().strip()
        and ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert not silent


def test_make_has_few_verbs():
    verbs = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(verbs) <= VERBS_MAX
    assert {"run", "test", "check", "bench", "demo", "help"} <= set(verbs)


def test_domain_events_never_hold_floats():
    for path in (ROOT / "domain").glob("*.py"):
        assert not re.search(r"(?:: |-> |\b)float[\(\s|,\]]", path.read_text()), named(path)


@pytest.mark.parametrize("folder", ["domain", "commands"])
def test_no_clock_and_no_chance_in_decisions(folder):
    forbidden = re.compile(r"datetime\.now|time\.time|random\.|os\.urandom")
    for path in (ROOT / folder).glob("*.py"):
        assert not forbidden.search(path.read_text()), named(path)


def test_nothing_sleeps_in_tests():
    sleeping = [
        named(path)
        for path in (ROOT / "tests").rglob("*.py")
        if re.search(r"(?<![\w.])(time\.|asyncio\.)?sleep\((?!0[.)])", path.read_text())
        and path.name not in ("waiting.py", "test_architecture.py")
    ]
    assert not sleeping
