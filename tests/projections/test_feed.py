"""The feed tells every change once, in order, and comes back equal whatever becomes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from domain.credit_account import CreditAccount, account_stream
from domain.event import Event
from ledger.ledger import Ledger, NewEvent
from projections.characters import Characters
from projections.feed import RESUMABLE, Feed
from projections.rebuild import Rebuild
from tests.projections.conftest import MASTER_KEY
from tests.projections.looking import catch_up, rows
from tests.projections.stories import HAPPY, Teller, stories
from tests.world import Database, TestWorld

PAID: list[Any] = [(who, step, 0) for who in (0, 1) for step in HAPPY]
LASTING = RESUMABLE + timedelta(hours=1)


def told(database: Database, table: str = "feed") -> list[dict[str, Any]]:
    return rows(database.url, [table])[table]


async def grant(ledger: Ledger, pass_id: str, account: CreditAccount, amount: int) -> CreditAccount:
    events: list[Event] = account.grant(pass_id, "PFP", f"batch {amount}", amount)
    return await append(ledger, pass_id, account, events)


async def append(
    ledger: Ledger, pass_id: str, account: CreditAccount, events: list[Event]
) -> CreditAccount:
    version = await ledger.last_version(account_stream(pass_id))
    facts = {"correlation_id": "test", "causation_id": "test:given", "pass_id": pass_id}
    numbered = enumerate(events, version + 1)
    await ledger.append([NewEvent(each.stream, at, each, facts) for at, each in numbered])
    for each in events:
        account = account.evolve(each)
    return account


@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=stories, page=some.integers(1, 40))
async def test_a_character_is_told_of_exactly_when_its_state_changes(
    story: Any, page: int, world: TestWorld
) -> None:
    with world.database() as database:
        async with Ledger(database.url, master_key=MASTER_KEY) as ledger:
            await Teller(ledger).tell(story)
            await catch_up(database.url, ledger, Feed(), page)
            said = sorted(told(database), key=lambda row: row["position"])
            assert [(row["position"], row["data"]["mint_ui_state"]) for row in said] == (
                await changes(ledger)
            )


async def changes(ledger: Ledger) -> list[tuple[int, str]]:
    """Where the cards change, as their own read model folds them."""
    cards, projection = dict[str, Any](), Characters()
    head, _ = await ledger.head()
    found = []
    for recorded in await ledger.window(0, head, sorted(projection.topics)):
        (key,) = projection.keys(recorded)
        was = projection.view(cards[key])["mint_ui_state"] if key in cards else "new"
        cards[key] = projection.fold(key, cards.get(key), recorded)
        if (now := projection.view(cards[key])["mint_ui_state"]) != was:
            found.append((recorded.position, now))
    return found


async def test_every_change_of_a_balance_is_told_with_what_it_was_changed_by(
    ledger: Ledger, database: Database
) -> None:
    account = await grant(ledger, "pass:user:ada", CreditAccount(), 3)
    captured = account.capture("pass:user:ada", "PFP", "batch 3", 1)
    account = await append(ledger, "pass:user:ada", account, captured)
    moved = account.move("pass:user:ada", "pass:user:bob")
    for pass_id, half in zip(("pass:user:ada", "pass:user:bob"), moved, strict=True):
        await append(ledger, pass_id, CreditAccount(), [half])
    await catch_up(database.url, ledger, Feed())
    said = sorted(told(database), key=lambda row: row["position"])
    numbers = [(row["pass_id"][-3:], row["data"]["balance"], row["data"]["delta"]) for row in said]
    assert numbers == [("ada", 3, 3), ("ada", 2, -1), ("ada", 0, -2), ("bob", 2, 2)]
    assert {row["type"] for row in said} == {"credits:changed"}


async def test_applied_again_nothing_is_told_twice(teller: Teller, database: Database) -> None:
    await teller.tell(PAID)
    await catch_up(database.url, teller.ledger, Feed())
    before = told(database)
    assert before
    with psycopg.connect(database.url) as connection:
        connection.execute("TRUNCATE views.feed_states")
        connection.execute("UPDATE views.projections SET position = 0 WHERE name = 'feed'")
    await catch_up(database.url, teller.ledger, Feed(), page=7)
    assert told(database) == before


async def test_what_is_too_old_goes_and_a_rebuild_leaves_it_out_too(
    database: Database,
) -> None:
    ahead = timedelta()
    async with Ledger(database.url, master_key=MASTER_KEY, ahead=lambda: ahead) as ledger:
        account = await grant(ledger, "pass:user:ada", CreditAccount(), 3)
        await catch_up(database.url, ledger, Feed())
        assert len(told(database)) == 1
        ahead = LASTING
        await grant(ledger, "pass:user:ada", account, 4)
        await catch_up(database.url, ledger, Feed())
        (left,) = told(database)
        assert left["data"] == {"asset": "PFP", "balance": 7, "delta": 4}
        assert (await Rebuild(database.url, ledger, Feed(), page=1).run()).done
        assert told(database) == [left]


async def test_a_dropped_feed_is_told_again(teller: Teller, database: Database) -> None:
    await teller.tell(PAID)
    await catch_up(database.url, teller.ledger, Feed())
    before, states = told(database), told(database, "feed_states")
    with psycopg.connect(database.url) as connection:
        connection.execute("DROP TABLE views.feed")
    await catch_up(database.url, teller.ledger, Feed())
    assert (told(database), told(database, "feed_states")) == (before, states)
