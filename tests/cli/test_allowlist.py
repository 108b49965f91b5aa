"""`mega allowlist import`: a sheet is taken whole or not at all, and again it changes nothing."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from solders.keypair import Keypair

from commands.allowances import ITEMS_MAX
from tests.cli.terminal import Mega, Said

ADA, BEN, CAT = (str(Keypair.from_seed(bytes([n]) * 32).pubkey()) for n in (1, 2, 3))


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return tmp_path / "sheet.csv"


def imported(mega: Mega, sheet: Path, text: str | bytes, *words: str) -> Said:
    sheet.write_bytes(text if isinstance(text, bytes) else text.encode())
    return mega("allowlist", "import", str(sheet), *words)


def allowed(mega: Mega) -> dict[str, int]:
    """By wallet, from the ledger's rows."""
    with psycopg.connect(mega.env["DATABASE_URL"]) as connection:
        rows = connection.execute(
            "SELECT event->'data'->>'wallet', event->'data'->>'allowed' FROM mega_generations"
            " WHERE topic = 'allowance_set.v1' ORDER BY mg_position"
        ).fetchall()
    return {wallet: int(count) for wallet, count in rows}


def test_a_sheet_sets_what_each_wallet_may_mint(mega: Mega, sheet: Path) -> None:
    said = imported(mega, sheet, f"wallet,allowed\n{ADA},10\n{BEN},0\n")
    assert (said.status, said.out) == (0, "2 wallets, 2 changed\n")
    assert allowed(mega) == {ADA: 10, BEN: 0}


def test_a_sheet_imported_again_changes_nothing_but_what_is_new(mega: Mega, sheet: Path) -> None:
    imported(mega, sheet, f"wallet,allowed\n{ADA},10\n{BEN},1\n")
    again = imported(mega, sheet, f"wallet,allowed\n{ADA},10\n{BEN},1\n", "--json")
    assert again.json == {"wallets": 2, "changed": 0}
    more = imported(mega, sheet, f"wallet,allowed\n{BEN},3\n{CAT},1\n", "--json")
    assert more.json == {"wallets": 2, "changed": 2}
    assert allowed(mega) == {ADA: 10, BEN: 3, CAT: 1}


def test_a_sheet_may_look_as_spreadsheets_write_it(mega: Mega, sheet: Path) -> None:
    text = f'\ufeff\r\nwallet,allowed\r\n\r\n"{ADA}", 7 \r\n   \r\n{BEN},007\r\n\r\n'
    assert imported(mega, sheet, text).status == 0
    assert allowed(mega) == {ADA: 7, BEN: 7}


def test_every_bad_line_is_named_and_nothing_is_imported(mega: Mega, sheet: Path) -> None:
    lines = [
        f"{ADA},10",
        f"{BEN},-1",
        f"{BEN},1.5",
        f"{CAT},1000001",
        "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A,1",
        f"{ADA[:-2]},1",
        f"{ADA},11",
        ADA,
        ",",
        f"{CAT},٣",
        f"{CAT},5,6",
    ]
    said = imported(mega, sheet, "\n".join(["wallet,allowed", "", *lines]))
    named = [line.partition(":")[0] for line in said.err.splitlines()[:-1]]
    assert named == [f"line {number}" for number in range(4, 14)]
    assert said.status == 1 and "lines to mend: 10" in said.err
    assert "line 9: the wallet of line 3 again" in said.err
    assert "line 7: '0x19E7" in said.err and "32 bytes in base58" in said.err
    assert allowed(mega) == {}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "line 1: the header must be wallet,allowed"),
        (f"{ADA},10\n", "line 1: the header must be wallet,allowed"),
        ("\nWallet;allowed\n", "line 2: the header must be wallet,allowed"),
        (f'wallet,allowed\n{ADA},"1"0\n', "line 2: not CSV"),
        (f'wallet,allowed\n{ADA},"10\n', "not CSV"),
        (b"wallet,allowed\n\xff,1\n", "is not UTF-8"),
    ],
    ids=str,
)
def test_what_is_no_sheet_is_refused(mega: Mega, sheet: Path, text: str | bytes, why: str) -> None:
    said = imported(mega, sheet, text)
    assert said.status == 1 and why in said.err + said.out
    assert allowed(mega) == {}


def test_bad_lines_are_told_to_machines_too(mega: Mega, sheet: Path) -> None:
    said = imported(mega, sheet, f"wallet,allowed\n{ADA},x\n", "--json")
    why = "'x' is no whole number from 0 to 1,000,000"
    assert said.json == {"mistakes": [{"line": 2, "why": why}]}


def test_a_file_that_is_not_there_is_named(mega: Mega, tmp_path: Path) -> None:
    said = mega("allowlist", "import", str(tmp_path / "none.csv"))
    assert said.status == 1 and "none.csv cannot be read" in said.out + said.err


def test_a_long_sheet_goes_in_by_parts(mega: Mega, sheet: Path) -> None:
    wallets = [str(Keypair.from_seed(n.to_bytes(32)).pubkey()) for n in range(ITEMS_MAX + 1)]
    text = "".join(f"{wallet},{n % 11}\n" for n, wallet in enumerate(wallets))
    said = imported(mega, sheet, "wallet,allowed\n" + text, "--json")
    assert said.json == {"wallets": len(wallets), "changed": len(wallets)}
    assert len(allowed(mega)) == len(wallets)
