"""How `mega` finds its world, and what it says to who has none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.run import PARTS
from embedded.world import PARTS as KNOWN
from tests.cli.conftest import Shop
from tests.cli.terminal import Mega
from tests.world import CHECKOUT

ASKING = [
    ("migrate",),
    ("verify",),
    ("replay", "order:x"),
    ("statement", "pass:user:x"),
    ("export",),
    ("recoveries",),
    ("projections", "status"),
    ("projections", "rebuild", "--all"),
    ("parked", "list"),
    ("parked", "replay"),
    ("topics",),
    ("demo", "role-mint"),
]
HEAVY = {"fastapi", "psycopg", "pydantic", "eth_account", "kafka", "httpx", "web3", "boto3"}
NOWHERE = "postgresql://mega:secret@127.0.0.1:1/mega"


def named(words: tuple[str, ...]) -> str:
    return " ".join(words)


@pytest.mark.parametrize("words", ASKING, ids=named)
def test_without_a_world_each_command_says_what_to_do(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    said = Mega({"MEGA_DATA_DIR": str(tmp_path)})(*words)
    assert said.status == 1
    assert "make run" in said.out and len(said.out.splitlines()) == 1


@pytest.mark.parametrize("words", [words for words in ASKING if "demo" not in words], ids=named)
def test_a_world_that_is_stopped_is_told_from_a_broken_one(
    words: tuple[str, ...], tmp_path: Path, shop: Shop
) -> None:
    """world.json is still there, nobody listens."""
    world = {
        "database_url": NOWHERE,
        "database_admin_url": NOWHERE,
        "kafka": {"bootstrap": "127.0.0.1:1"},
    }
    (tmp_path / "world.json").write_text(json.dumps(world))
    secret = {"statement_key": shop.mega.env["MEGA_STATEMENT_KEY"]}
    (tmp_path / "secrets.json").write_text(json.dumps(secret))
    said = Mega({"MEGA_DATA_DIR": str(tmp_path)})(*words)
    assert said.status == 1
    assert said.out.startswith("The database does not answer")
    assert "make run" in said.out and "secret" not in said.out


def test_the_world_of_the_folder_is_used_when_nothing_is_set(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "world.json").write_text(json.dumps({"database_url": shop.database.url}))
    key = {"statement_key": shop.mega.env["MEGA_STATEMENT_KEY"]}
    (tmp_path / "secrets.json").write_text(json.dumps(key))
    mega = Mega({"MEGA_DATA_DIR": str(tmp_path)})
    assert mega("statement", shop.buyer).json == shop.mega("statement", shop.buyer).json


def test_a_development_key_never_signs_for_another_database(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "world.json").write_text(json.dumps({"database_url": NOWHERE}))
    key = {"statement_key": shop.mega.env["MEGA_STATEMENT_KEY"]}
    (tmp_path / "secrets.json").write_text(json.dumps(key))
    mega = Mega({"MEGA_DATA_DIR": str(tmp_path), "DATABASE_URL": shop.database.url})
    said = mega("statement", shop.buyer)
    assert (said.status, said.out) == (1, "The setting MEGA_STATEMENT_KEY is missing.\n")


def test_a_wrong_setting_is_named_in_one_sentence(shop: Shop) -> None:
    for name in ("DATABASE_URL", "MEGA_STATEMENT_KEY"):
        said = shop.mega("statement", shop.buyer, **{name: "hm"})
        assert said.status == 1 and said.out.startswith(f"The setting {name} is malformed")
        assert len(said.out.splitlines()) == 1


def test_every_command_has_a_help_text(tmp_path: Path) -> None:
    mega = Mega({"MEGA_DATA_DIR": str(tmp_path)})
    for words in (*ASKING, ("run",), ("verify-statement",)):
        command = [word for word in words[:2] if word.isidentifier() or "-" in word.strip("-")]
        said = mega(*[word for word in command if word != "--all"], "--help")
        assert said.status == 0 and "Usage: " in said.out, words
    assert mega("replay", "--help").out.count("as-of") >= 1


def test_help_is_quick_because_it_imports_nothing_heavy() -> None:
    asked = f"import sys, cli.__main__; print(*({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run(
        (sys.executable, "-c", asked), cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_the_parts_that_run_names_are_those_there_are() -> None:
    assert tuple(PARTS.split(", ")) == KNOWN
