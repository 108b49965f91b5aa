"""Whatever is done to a copy of the ledger behind its back: verify finds, names and places it."""

from __future__ import annotations

import psycopg
import pytest

from ledger.chain import verify, verify_async
from ledger.errors import LedgerUnavailable
from ledger.ledger import Ledger
from tests.ledger.conftest import EVENTS
from tests.ledger.events import noted
from tests.ledger.tampering import TAMPERINGS, Copy, alter, delete
from tests.world import Database


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_the_first_broken_row_is_found_and_named(
    copy: Copy, database: Database, tampering: str
) -> None:
    tamper, position, what = TAMPERINGS[tampering]
    tamper(copy)
    checked = verify(database.url)
    assert not checked.ok
    assert checked.first_broken is not None
    assert checked.first_broken.position == position, checked.first_broken
    kinds = checked.first_broken.reason.split(":")[0]
    assert what in kinds, checked.first_broken
    sure = tampering not in ("the last altered", "one inserted last")
    assert not sure or kinds == what, checked.first_broken


def test_an_untouched_ledger_holds(head: bytes, database: Database) -> None:
    seen: list[tuple[int, int]] = []
    checked = verify(database.url, progress=lambda done, total: seen.append((done, total)))
    assert (checked.ok, checked.position, checked.hash) == (True, EVENTS, head)
    assert checked.first_broken is None
    assert seen[-1] == (EVENTS, EVENTS)


async def test_a_cut_tail_is_found_with_a_hash_noted_earlier(
    copy: Copy, database: Database, ledger: Ledger, head: bytes
) -> None:
    await ledger.append([noted("s:0", 11)])
    assert verify(database.url, head=head).ok, "the ledger may have grown since"
    assert verify(database.url, head=bytes(32)).ok, "it may have been empty"
    delete(copy, 40, 41)
    assert verify(database.url).ok, "without it nobody can tell"
    checked = await verify_async(database.url, head=head)
    assert checked.first_broken is not None
    assert checked.first_broken.position == 40
    assert checked.first_broken.reason.startswith("removed")
    assert head.hex() in checked.first_broken.reason


def test_an_empty_ledger_holds_unless_it_is_known_to_have_had_rows(database: Database) -> None:
    assert verify(database.url).ok
    assert verify(database.url).position == 0
    assert not verify(database.url, head=b"\1" * 32).ok


def test_functions_of_ours_that_were_replaced_deceive_nobody(
    copy: Copy, database: Database
) -> None:
    copy.execute(
        "CREATE OR REPLACE FUNCTION mega_microseconds(p_at timestamptz) RETURNS bigint"
        " LANGUAGE sql IMMUTABLE AS 'SELECT 0::bigint'"
    )
    assert verify(database.url).ok
    alter("mg_recorded_at", "mg_recorded_at + '1 us'")(copy)
    assert not verify(database.url).ok


def test_it_can_use_a_connection_that_is_open_and_leaves_it_usable(
    copy: Copy, app: psycopg.Connection
) -> None:
    alter("topic", "'other.v1'")(copy)
    assert not verify(app).ok
    assert app.execute("SELECT 1").fetchone() == (1,)


def test_without_a_database_it_says_so() -> None:
    with pytest.raises(LedgerUnavailable):
        verify("postgresql://mega_app@127.0.0.1:1/none")
