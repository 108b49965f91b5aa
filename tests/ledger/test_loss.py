"""The loss harness, short; `python -m bench.loss` runs it long."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import loss
from tests.ledger.tampering import Copy, delete
from tests.world import Database


@pytest.mark.timeout(180)
def test_no_event_is_lost_doubled_or_made_up_when_writers_are_killed(database: Database) -> None:
    result = loss.harness(database.url, events=20_000, seconds=6, processes=2, seed=7)
    assert result.sound, result
    assert result.kills >= 2
    assert result.events > 0
    assert result.acknowledged > 0


class Noted(loss.Hands):
    """Children that were never started, and what they are said to have seen."""

    def __init__(self, folder: Path, read: str, written: str) -> None:
        super().__init__("", folder, 0)
        (folder / "read-1").write_text(read)
        (folder / "write-2").write_text(written)


@pytest.mark.parametrize(
    ("read", "written", "counts"),
    [
        ("1 s:0/1\n2 s:1/1\n3 s:2/1\n", "3 s:2/1\n2 s:1", (0, 0, 0, 0)),
        ("1 s:0/1\n3 s:2/1\n", "", (1, 0, 0, 0)),
        ("1 s:0/1\n2 s:1/1\n2 s:1/1\n3 s:2/1\n", "", (0, 1, 0, 0)),
        ("1 s:0/1\n2 s:9/9\n3 s:2/1\n4 s:3/1\n", "", (1, 0, 2, 0)),
        ("1 s:0/1\n2 s:1/1\n3 s:2/1\n", "4 s:3/1\n2 s:0/1\n", (0, 0, 0, 2)),
    ],
)
def test_the_harness_would_notice(
    copy: Copy,
    database: Database,
    tmp_path: Path,
    read: str,
    written: str,
    counts: tuple[int, int, int, int],
) -> None:
    delete(copy, 4, 40)
    result = loss.judged(database.url, Noted(tmp_path, read, written), kills=0, seconds=0)
    found = (result.missed, result.duplicated, result.phantom, result.broken_promises)
    assert found == counts
    assert result.sound == (counts == (0, 0, 0, 0))
