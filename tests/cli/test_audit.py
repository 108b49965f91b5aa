"""What an auditor does with `mega`: verify, replay, statements that are checked offline, dumps."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import Shop
from tests.cli.terminal import Mega, Said

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_dump.py"


def key_in(said: Said) -> str:
    """The public key in the hint on how to check a statement."""
    (key,) = re.findall(r"mega verify-statement .* --key (\S+)", said.err)
    return str(key)


def test_a_statement_is_checked_offline_and_a_touched_one_is_found(
    shop: Shop, tmp_path: Path
) -> None:
    file, nothing = tmp_path / "statement.json", Mega({"MEGA_DATA_DIR": str(tmp_path)})
    said = shop.mega("statement", shop.buyer, "--out", str(file))
    assert (said.status, said.out) == (0, "")
    check = ("verify-statement", str(file), "--key", key_in(said))
    good = nothing(*check)
    assert good.status == 0 and shop.buyer in good.out
    assert nothing(*check, "--json").json == {"ok": True}

    text = file.read_text()
    file.write_text(text.replace('"delivered": "10000000"', '"delivered": "10000001"'))
    assert file.read_text() != text
    bad = nothing(*check)
    assert bad.status == 1 and bad.out.startswith("NOT what was signed")
    assert nothing(*check, "--json").json == {"ok": False}


def test_a_statement_does_not_check_under_another_key(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "statement.json"
    shop.mega("statement", shop.buyer, "--out", str(file))
    assert shop.mega("verify-statement", str(file), "--key", "00" * 32).status == 1
    assert shop.mega("verify-statement", str(file), "--key", "no key").status == 2


def test_what_is_no_statement_is_told_so(shop: Shop, tmp_path: Path) -> None:
    file, key = tmp_path / "note.txt", ("--key", "00" * 32)
    missing = shop.mega("verify-statement", str(file), *key)
    assert (missing.status, "cannot be read" in missing.out) == (1, True)
    file.write_text("hello")
    assert "is not JSON" in shop.mega("verify-statement", str(file), *key).out
    file.write_text("[1]")
    assert shop.mega("verify-statement", str(file), *key).status == 1


def test_a_statement_is_of_the_whole_pass_under_any_of_its_names(shop: Shop) -> None:
    by_name = shop.mega("statement", shop.buyer).json
    assert shop.mega("statement", shop.alias, "--json").json == by_name
    about = by_name["statement"]
    assert about["pass_id"] == shop.buyer
    assert about["assets"]["MPT"]["paid"] == str(2 * shop.price)
    assert about["assets"]["MPT"]["delivered"] == str(shop.price)


def test_who_never_was_has_no_statement(shop: Shop) -> None:
    said = shop.mega("statement", "pass:user:nobody")
    assert (said.status, said.out) == (1, "The ledger has no pass pass:user:nobody.\n")


def test_verify_tells_the_head_and_finds_it_again(shop: Shop) -> None:
    found = shop.mega("verify", "--json").json
    assert found["ok"] is True and found["first_broken"] is None
    head = found["head"]
    said = shop.mega("verify", "--head", head["hash"])
    assert (said.status, said.err) == (0, "")
    assert said.out == f"ok: {head['position']} events, head {head['hash']}\n"
    cut = shop.mega("verify", "--head", "ab" * 32)
    assert cut.status == 1 and "removed" in cut.out
    assert shop.mega("verify", "--head", "zz").status == 2
    assert shop.mega("verify", "--head", "abcd").status == 2


def test_an_empty_ledger_holds(mega: Mega) -> None:
    assert mega("verify").out == f"ok: 0 events, head {'00' * 32}\n"
    assert mega("export").out == ""


def test_a_stream_is_replayed_now_and_as_of_a_moment(shop: Shop) -> None:
    stream = f"order:{shop.order_id}"
    now = shop.mega("replay", stream).json
    assert set(amounts(now)) == {str(shop.price)}
    born = shop.mega("replay", stream, "--as-of", str(now["position"] - 1), "--json").json
    assert born["version"] < now["version"]
    at_birth = shop.mega("replay", stream, "--as-of", born["time"]).json
    assert at_birth == born
    assert shop.mega("replay", shop.alias).json["state"]["survivor"] == shop.buyer


def amounts(value: Any) -> list[Any]:
    """Whatever is called an amount, however deep; money is spoken in strings."""
    if isinstance(value, list):
        return [found for inner in value for found in amounts(inner)]
    if not isinstance(value, dict):
        return []
    own = [value["amount"]] if "amount" in value else []
    return own + amounts(list(value.values()))


def test_a_stream_or_moment_that_never_was_is_told_so(shop: Shop) -> None:
    never = shop.mega("replay", "order:never")
    assert (never.status, never.out) == (1, "The ledger has no stream order:never.\n")
    before = shop.mega("replay", f"order:{shop.order_id}", "--as-of", "1")
    assert before.status == 1 and before.out.endswith("as of 1.\n")
    assert shop.mega("replay", shop.buyer, "--as-of", "yesterday").status == 2


def verify_dump(*words: object) -> tuple[int, str]:
    done = subprocess.run(
        (sys.executable, SCRIPT, *map(str, words)), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_a_dump_holds_without_us_in_parts_too(shop: Shop, tmp_path: Path) -> None:
    head = shop.mega("verify", "--json").json["head"]
    whole, first, rest = (tmp_path / f"{name}.jsonl" for name in ("whole", "first", "rest"))
    shop.mega("export", "--out", str(whole))
    good = f"{head['position']} rows hold, head {head['hash']}\n"
    assert verify_dump(whole, head["hash"]) == (0, good)

    shop.mega("export", "--to", "5", "--out", str(first))
    said = shop.mega("export", "--from", "6", "--out", str(rest))
    assert first.read_text() + rest.read_text() == whole.read_text()
    assert verify_dump(rest)[0] == 1
    (after,) = re.findall(r"--after (\S+)", said.err)
    assert after == json.loads(first.read_text().splitlines()[-1])["hash"]
    assert verify_dump(rest, head["hash"], "--after", after)[0] == 0
    assert verify_dump(first, head["hash"])[1].startswith("cut")


def test_a_touched_dump_is_not_believed(shop: Shop, tmp_path: Path) -> None:
    lines = shop.mega("export").out.splitlines(keepends=True)
    dump = tmp_path / "dump.jsonl"
    row = json.loads(lines[6])
    lines[6] = json.dumps({**row, "event": row["event"].replace(": ", ":  ", 1)}) + "\n"
    dump.write_text("".join(lines))
    assert verify_dump(dump) == (1, "broken at position 7: row 7 does not follow\n")


def test_a_dump_has_no_secret_open(shop: Shop) -> None:
    rows = [json.loads(line) for line in shop.mega("export").out.splitlines()]
    (asked,) = [row for row in rows if row["topic"] == "generation_requested.v1"]
    assert json.loads(asked["event"])["data"]["prompt"].startswith("sealed:v1:")


def test_a_dump_of_nothing_leaves_no_file(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "dump.jsonl"
    said = shop.mega("export", "--from", "500", "--out", str(file))
    assert said.status == 1 and "the ledger ends at" in said.out
    assert shop.mega("export", "--from", "9", "--to", "5", "--out", str(file)).status == 2
    assert not list(tmp_path.iterdir())
    lost = shop.mega("export", "--out", str(tmp_path / "no" / "such" / "folder"))
    assert lost.status == 1 and "cannot be written" in lost.out


@pytest.fixture
def tampered(shop: Shop) -> None:
    """Runs last in this file: from now on the shop's ledger is broken at 9."""
    with psycopg.connect(shop.database.admin_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE mega_generations DISABLE TRIGGER USER")
        owner.execute("UPDATE mega_generations SET topic = 'other.v1' WHERE mg_position = 9")


def test_a_tampered_ledger_is_found_and_the_row_named(shop: Shop, tampered: None) -> None:
    said = shop.mega("verify")
    assert said.status == 1 and said.out.startswith("BROKEN at position 9: altered")
    found = shop.mega("verify", "--json")
    assert found.status == 1
    assert found.json["first_broken"]["position"] == 9
    assert found.json["head"]["position"] == 8
