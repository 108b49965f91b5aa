"""What an append promises to its own command, and to those that leave with it."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from domain.claim import ClaimTaken
from ledger.chain import verify
from ledger.errors import BalanceRefused, StreamConflict
from ledger.ledger import Ledger
from tests.ledger.events import MatchaMoved, Transaction, moved, new, noted
from tests.world import Database

PASS = "pass:anon:7"


async def asked(*appends: object) -> list[object]:
    return await asyncio.gather(*appends, return_exceptions=True)  # type: ignore[call-overload, no-any-return]


async def test_a_conflict_is_named_and_fails_nobody_else(ledger: Ledger) -> None:
    await ledger.append([noted("a:1", 1)])
    before, taken, after = await asked(
        ledger.append([noted("b:1", 1)]),
        ledger.append([noted("a:1", 1)]),
        ledger.append([noted("c:1", 1)]),
    )
    assert (before, after) == (2, 3)
    assert isinstance(taken, StreamConflict)
    assert taken.stream == "a:1"


async def test_several_streams_are_recorded_together_or_not_at_all(ledger: Ledger) -> None:
    await ledger.append([noted("a:1", 1)])
    with pytest.raises(StreamConflict, match="a:1"):
        await ledger.append([noted("b:1", 1), noted("a:1", 1), noted("c:1", 1)])
    assert (await ledger.head())[0] == 1
    assert await ledger.append([noted("b:1", 1), noted("a:1", 2), noted("c:1", 1)]) == 4


@pytest.mark.parametrize("versions", [[2], [1, 3], [1, 1], [0, 1], [1, 2, 2, 4]])
async def test_a_stream_has_no_holes_and_no_version_twice(
    ledger: Ledger, versions: list[int]
) -> None:
    with pytest.raises(StreamConflict, match="a:1"):
        await ledger.append([noted("a:1", version) for version in versions])
    assert await ledger.last_version("a:1") == 0


async def test_a_claim_is_taken_once_with_what_it_guards(ledger: Ledger) -> None:
    claim = "claim:payment:0xabc:0"

    def funded(order: str) -> list[object]:
        return [noted(order, 1), new(ClaimTaken(claim=claim, holder=order), 1)]

    answers = await asked(*(ledger.append(funded(f"order:{n}")) for n in range(8)))  # type: ignore[arg-type]
    winners = [answer for answer in answers if isinstance(answer, int)]
    losers = [answer for answer in answers if isinstance(answer, StreamConflict)]
    assert (len(winners), len(losers)) == (1, 7)
    assert {loser.stream for loser in losers} == {claim}
    assert (await ledger.head())[0] == 2


async def test_what_goes_below_the_held_credits_is_refused_alone(
    ledger: Ledger, app: psycopg.Connection
) -> None:
    await ledger.append([moved(PASS, 1, delta=10)])
    before, refused, after = await asked(
        ledger.append([noted("b:1", 1)]),
        ledger.append([moved(PASS, 2, held=11)]),
        ledger.append([noted("c:1", 1)]),
    )
    assert isinstance(refused, BalanceRefused)
    assert (before, after) == (2, 3)
    assert balance(app) == (10, 0)


@pytest.mark.parametrize(("delta", "held"), [(-5, 0), (0, -7), (0, 5), (-11, -6)])
async def test_a_balance_never_goes_below_what_is_held(
    ledger: Ledger, app: psycopg.Connection, delta: int, held: int
) -> None:
    await ledger.append([moved(PASS, 1, delta=10, held=6)])
    with pytest.raises(BalanceRefused):
        await ledger.append([moved(PASS, 2, delta=delta, held=held)])
    assert balance(app) == (10, 6)
    assert (await ledger.head())[0] == 1


async def test_a_record_of_one_event_is_unique_by_its_id(ledger: Ledger) -> None:
    twice = [Transaction(at=f"x:{n}", mg_id="credit_transaction:9") for n in range(2)]
    first, second, third = await asked(
        ledger.append([new(twice[0], 1)]),
        ledger.append([new(twice[1], 1)]),
        ledger.append([noted("b:1", 1)]),
    )
    assert isinstance(second, psycopg.errors.UniqueViolation)
    assert {first, third} == {1, 2}


async def test_an_event_the_database_cannot_store_fails_alone(ledger: Ledger) -> None:
    bad, good = await asked(
        ledger.append([noted("a:1", 1, text="\0")]), ledger.append([noted("b:1", 1)])
    )
    assert isinstance(bad, psycopg.DataError)
    assert good == 1


@pytest.mark.parametrize("stream", ["a:1\n2", "a\n"])
async def test_a_name_with_a_line_feed_could_mimic_another_row_and_is_refused(
    ledger: Ledger, stream: str
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        await ledger.append([noted(stream, 1)])


async def test_an_append_larger_than_a_flush_is_recorded_whole(
    ledger: Ledger, database: Database
) -> None:
    assert await ledger.append([noted("a:1", n) for n in range(1, 1_002)]) == 1_001
    assert verify(database.url).position == 1_001


def balance(app: psycopg.Connection) -> tuple[int, int]:
    (row,) = app.execute("SELECT mg_credits, mg_credits_held FROM mega_customers").fetchall()
    return row


async def test_an_overdraft_is_not_covered_by_a_neighbour_of_the_same_flush(
    ledger: Ledger, app: psycopg.Connection
) -> None:
    await ledger.append([moved(PASS, 1, delta=4)])
    spent, granted = await asked(
        ledger.append([new(MatchaMoved(at="x:1", pass_id=PASS, matcha_delta=-5), 1)]),
        ledger.append([new(MatchaMoved(at="x:2", pass_id=PASS, matcha_delta=5), 1)]),
    )
    assert isinstance(spent, BalanceRefused)
    assert granted == 2
    assert balance(app) == (9, 0)


async def test_an_append_counts_as_a_whole_against_the_balance(
    ledger: Ledger, app: psycopg.Connection
) -> None:
    hold_then_grant = [moved(PASS, 1, held=3), moved(PASS, 2, delta=3)]
    assert await ledger.append(hold_then_grant) == 2
    assert balance(app) == (3, 3)


async def test_events_of_a_stream_are_recorded_in_the_order_of_their_versions(
    ledger: Ledger,
) -> None:
    with pytest.raises(StreamConflict):
        await ledger.append([noted("a:1", 2), noted("a:1", 1)])
