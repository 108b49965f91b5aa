"""The synchronous face says what the asynchronous one says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.errors import BalanceRefused, LedgerUnavailable, StreamConflict
from ledger.ledger import Ledger
from ledger.sync import SyncLedger
from tests.ledger.conftest import MASTER_KEY
from tests.ledger.events import moved, noted
from tests.world import Database


@pytest.fixture
def tool(database: Database) -> Iterator[SyncLedger]:
    with SyncLedger(database.url, master_key=MASTER_KEY) as opened:
        yield opened


async def test_both_faces_read_what_either_wrote(ledger: Ledger, tool: SyncLedger) -> None:
    assert tool.head() == await ledger.head() == (0, bytes(32))
    assert tool.append([noted("a:1", 1), noted("b:1", 1)]) == 2
    assert await ledger.append([noted("a:1", 2)]) == 3
    assert tool.head() == await ledger.head()
    assert tool.page(1, 9) == await ledger.page(1, 9)
    assert tool.history(["a:1"]) == await ledger.history(["a:1"])
    assert tool.stream("a:1") == (await ledger.streams(["a:1"]))["a:1"]
    assert tool.stream("nobody:1").events == []


def test_it_is_refused_in_the_same_words(tool: SyncLedger) -> None:
    tool.append([noted("a:1", 1)])
    with pytest.raises(StreamConflict, match="a:1"):
        tool.append([noted("b:1", 1), noted("a:1", 1)])
    with pytest.raises(BalanceRefused):
        tool.append([moved("pass:anon:1", 1, held=1)])
    assert tool.head()[0] == 1


def test_without_a_database_it_says_so() -> None:
    nowhere = SyncLedger("postgresql://mega_app@127.0.0.1:1/none", master_key=MASTER_KEY)
    for ask in (nowhere.head, lambda: nowhere.append([noted("a:1", 1)])):
        with pytest.raises(LedgerUnavailable):
            ask()
