"""Secret fields are ciphertext in the ledger, readable with the key of their pass, gone with it."""

from __future__ import annotations

import psycopg
import pytest

from domain.event import ERASED, plain, secret
from ledger.chain import verify
from ledger.ledger import Ledger, NewEvent
from ledger.sync import SyncLedger
from tests.ledger.conftest import MASTER_KEY
from tests.ledger.events import Told, ToldWithin, moved, new
from tests.world import Database

PASS = "pass:anon:7"
WORDS = "my name is Ada, ada@example.com"


def told(version: int, secret: str = WORDS) -> NewEvent:
    return new(Told(at="talk:1", secret=secret), version, pass_id=PASS)


async def heard(ledger: Ledger) -> list[str]:
    return [e.secret for e in (await ledger.streams(["talk:1"]))["talk:1"].events]  # type: ignore[attr-defined]


async def test_the_table_has_ciphertext_and_the_reader_the_text(
    ledger: Ledger, database: Database
) -> None:
    await ledger.append([told(1), told(2)], pass_id=PASS)
    with psycopg.connect(database.superuser_url) as everything:
        rows = everything.execute("SELECT g::text FROM mega_generations AS g")
        stored = [text for (text,) in rows]
    assert not any("Ada" in text or "example.com" in text for text in stored)
    assert stored[0].count("sealed:v1:") == 1
    assert stored[0] != stored[1]
    assert await heard(ledger) == [WORDS, WORDS]
    assert [event.event.secret for event in await ledger.page(0, 10)] == [WORDS, WORDS]  # type: ignore[attr-defined]


async def test_another_process_reads_it_with_the_master_key_only(
    ledger: Ledger, database: Database
) -> None:
    await ledger.append([told(1)], pass_id=PASS)
    async with Ledger(database.url, master_key=MASTER_KEY) as other:
        assert await heard(other) == [WORDS]
    with SyncLedger(database.url, master_key=MASTER_KEY) as tool:
        assert tool.stream("talk:1").events[0].secret == WORDS  # type: ignore[attr-defined]
        tool.append([told(2, "again")], pass_id=PASS)
        assert [e.event.secret for e in tool.page(0, 9)] == [WORDS, "again"]  # type: ignore[attr-defined]
    assert await heard(ledger) == [WORDS, "again"]


async def test_erasing_a_pass_leaves_the_chain_and_the_balances(
    ledger: Ledger, app: psycopg.Connection, database: Database
) -> None:
    await ledger.append([moved(PASS, 1, delta=10, held=4)])
    await ledger.append([told(1)], pass_id=PASS)
    head, customers = await ledger.head(), app.execute("TABLE mega_customers").fetchall()
    await ledger.vault.erase(PASS)
    assert await heard(ledger) == [ERASED]
    async with Ledger(database.url, master_key=MASTER_KEY) as other:
        assert await heard(other) == [ERASED]
    checked = verify(database.url)
    assert (checked.ok, (checked.position, checked.hash)) == (True, head)
    app.execute("SELECT mega_rebuild_customers()")
    assert app.execute("TABLE mega_customers").fetchall() == customers


async def test_a_pass_that_writes_again_after_its_erasure_does_not_bring_the_old_texts_back(
    ledger: Ledger, database: Database
) -> None:
    await ledger.append([told(1)], pass_id=PASS)
    await ledger.vault.erase(PASS)
    await ledger.append([told(2, "a new life")], pass_id=PASS)
    async with Ledger(database.url, master_key=MASTER_KEY) as other:
        assert await heard(other) == [ERASED, "a new life"]


async def test_a_secret_without_a_pass_is_a_mistake_of_the_program(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="a secret needs a pass"):
        await ledger.append([told(1)])
    assert (await ledger.head())[0] == 0


async def test_a_secret_that_nobody_could_open_again_is_refused(ledger: Ledger) -> None:
    """Reading finds the key by the pass of the row; sealing must have used the same."""
    stray = new(Told(at="talk:1", secret=WORDS), 1)
    with pytest.raises(ValueError, match="pass"):
        await ledger.append([stray], pass_id=PASS)
    assert (await ledger.head())[0] == 0


async def test_a_secret_within_json_is_sealed_alone_and_gone_with_its_key(
    ledger: Ledger, database: Database
) -> None:
    said = {"output": {"captions": [secret(WORDS), secret("second")]}, "error": None}
    event = ToldWithin(at="talk:2", said=said)
    await ledger.append([new(event, 1, pass_id=PASS)], pass_id=PASS)
    with psycopg.connect(database.superuser_url) as everything:
        query = "SELECT event->'data'->'said' FROM mega_generations"
        (stored,) = everything.execute(query).fetchone()  # type: ignore[misc]
    assert [text[:10] for text in plain(stored)["output"]["captions"]] == ["sealed:v1:"] * 2
    assert stored["error"] is None
    (read,) = (await ledger.streams(["talk:2"]))["talk:2"].events
    assert read == event
    await ledger.vault.erase(PASS)
    (erased,) = (await ledger.streams(["talk:2"]))["talk:2"].events
    assert plain(erased.said)["output"]["captions"] == [ERASED, ERASED]  # type: ignore[attr-defined]
