"""What passes, operators and auditors are shown of matcha."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from psycopg import AsyncConnection

from commands.command import Command, Context, handle
from commands.passes import Identify, OpenPass
from consumers.reactions.matcha import Expiry
from consumers.reactions.promise import Desk
from consumers.worker import Worker
from domain.event import Event, Refused
from domain.matcha import MatchaAccount
from ledger import audit
from ledger.codec import Recorded
from ledger.ledger import Ledger
from projections.feed import Feed
from projections.matcha import Matcha
from projections.recoveries import Recoveries
from projections.statement import OUTCOMES, STREAMS, make_statement
from tests.commands.drinking import Buy, Capture, Hold, Refund, Release
from tests.domain.matchas import Story, capturing, free, granting, holding, refunding, releasing
from tests.domain.matchas import stories as random_stories
from tests.projections.looking import catch_up, catch_up_all, eventually_so, rows
from tests.spec import NOON
from tests.world import Database

ANN, EVE = "pass:user:ann", "pass:anon:eve"


def recorded_of(*decisions: Any) -> list[Recorded]:
    account, found = MatchaAccount(), list[Recorded]()
    for decision in decisions:
        events: list[Event] = decision(account)
        for event in events:
            account = account.evolve(event)
            n = len(found) + 1
            found.append(Recorded(n, event.stream, n, event.TOPIC, NOON, event, {}))
    return found


def stated(history: list[Recorded]) -> dict[str, Any]:
    return make_statement(ANN, history, position=len(history), head_hash="")


def test_a_statement_names_what_each_matcha_was_spent_on_and_where_it_came_from() -> None:
    used = [granting("a", 5), free("w", 1), holding("g1", 2), capturing("g1"), holding("g2", 1)]
    said = stated(recorded_of(*used, refunding("a", 1)))
    paid = {"paid": "5", "delivered": "1", "credit": "2", "refund_due": "0"}
    rest = {"refunded": "1", "expired": "0", "in_flight": "1"}
    assert said["assets"]["MATCHA"] == {**paid, **rest}
    assert said["assets"]["MATCHA_FREE"]["delivered"] == "1"
    lines = {(line["what"], line["outcome"]) for line in said["lines"]}
    assert ("order:a, generation g1: 1 MATCHA", "delivered") in lines
    assert ("order:w, generation g1: 1 MATCHA_FREE", "delivered") in lines
    assert ("order:a, generation g2: 1 MATCHA", "in_flight") in lines
    assert ("order:a: 1 MATCHA", "refunded") in lines


@settings(max_examples=100, deadline=None)
@given(random_stories)
def test_what_was_granted_is_the_sum_of_what_became_of_it(steps: Any) -> None:
    account, story, decisions = MatchaAccount(), Story(), list[Any]()
    for step in steps:
        decision = story.decision(step, account)
        try:
            events = decision(account) if decision else []
        except Refused:
            continue
        for event in events:
            account = account.evolve(event)
        decisions.append(lambda _, events=events: events)
    for asset, sums in stated(recorded_of(*decisions))["assets"].items():
        granted = [
            lot for lot in account.lots.values() if (lot.lot_class == "free") == ("_" in asset)
        ]
        assert int(sums["paid"]) == sum(lot.amount for lot in granted)
        assert int(sums["credit"]) == sum(lot.free for lot in granted)
        assert min(int(sums[outcome]) for outcome in OUTCOMES) >= 0


def test_matcha_that_was_refunded_and_used_is_an_operators_case_until_it_came_back() -> None:
    recoveries, case = Recoveries(), None
    used = [granting("a", 5), holding("g1", 4), refunding("a", 3)]
    history = recorded_of(*used)
    for recorded in history[-1:]:
        [key] = recoveries.keys(recorded)
        case = recoveries.fold(key, case, recorded)
    assert case and (case.kind, case.amount, case.status) == ("matcha_owed", 2, "open")
    assert case.pass_id == ANN
    for recorded in recorded_of(*used, releasing("g1"))[len(history) + 1 :]:
        assert list(recoveries.keys(recorded)) == [key]
        case = recoveries.fold(key, case, recorded)
    assert case and (case.amount, case.status) == (0, "withdrawn")


def test_a_refund_that_leaves_nothing_owed_is_no_case() -> None:
    recoveries = Recoveries()
    recorded = recorded_of(granting("a", 5), refunding("a", 3))[-1]
    assert [recoveries.fold(key, None, recorded) for key in recoveries.keys(recorded)] == [None]


def credits(database: Database) -> int:
    [row] = rows(database.url, ["mega_customers"], schema="public")["mega_customers"]
    return int(row["mg_credits"])


class Ledgered:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.now = ledger, NOON

    async def do(self, command: Command) -> None:
        await handle(self.ledger, command, Context(self.now, "story", "story"))


async def test_a_pass_hears_of_its_matcha_and_of_what_is_held(
    ledger: Ledger, database: Database
) -> None:
    told = Ledgered(ledger)
    await told.do(OpenPass(new_pass_id=ANN, identities=("email:ann",)))
    told.now += timedelta(days=1)
    await told.do(OpenPass(new_pass_id=EVE))
    await told.do(Buy(owner=EVE, id_="a", amount=5))
    await told.do(Hold(owner=EVE, id_="g1", amount=2))
    await told.do(Capture(owner=EVE, id_="g1"))
    await told.do(Identify(identity="email:ann", new_pass_id="pass:x", current=EVE))
    await catch_up(database.url, ledger, Feed())
    said = sorted(rows(database.url, ["feed"])["feed"], key=lambda row: row["position"])
    data = [row["data"] for row in said if row["type"] == "credits:changed"]
    numbers = [(each["balance"], each["available"], each["delta"]) for each in data]
    assert numbers == [(5, 5, 5), (5, 3, 0), (3, 3, -2), (0, 0, -3), (3, 3, 3)]
    assert {each["asset"] for each in data} == {"MATCHA"}
    shown = [row["shown"] for row in rows(database.url, ["feed_states"])["feed_states"]]
    assert {"asset": "MATCHA", "balance": 3, "available": 3} in shown


async def test_a_statement_finds_the_matcha_of_all_names_of_a_pass(
    ledger: Ledger, database: Database
) -> None:
    told = Ledgered(ledger)
    await told.do(OpenPass(new_pass_id=ANN, identities=("email:ann",)))
    await told.do(OpenPass(new_pass_id=EVE))
    await told.do(Buy(owner=EVE, id_="a", amount=5))
    await told.do(Hold(owner=EVE, id_="g1", amount=2))
    await told.do(Identify(identity="email:ann", new_pass_id="pass:x", current=EVE))
    await told.do(Capture(owner=EVE, id_="g1"))
    async with await AsyncConnection.connect(database.url) as connection:

        async def asked(statement: Any, values: Any) -> Any:
            return await (await connection.execute(statement, values)).fetchall()

        streams = await audit.streams_of(asked, [ANN, EVE], STREAMS)
        [sums] = stated(await audit.history(asked, streams))["assets"].values()
    assert (sums["paid"], sums["delivered"], sums["credit"]) == ("5", "2", "3")


async def test_holds_and_lots_end_when_their_time_comes_without_anybody_asking(
    ledger: Ledger, database: Database
) -> None:
    told = Ledgered(ledger)
    await told.do(OpenPass(new_pass_id=ANN))
    await told.do(Buy(owner=ANN, id_="a", amount=5))
    await told.do(Hold(owner=ANN, id_="g1", amount=2, lasts=timedelta(days=40)))
    await told.do(Buy(owner=ANN, id_="b", amount=3, lot_class="free"))
    await told.do(Release(owner=ANN, id_="none"))
    await told.do(Refund(owner=ANN, id_="a", amount=1, reference="r1"))
    await catch_up_all(database.url, ledger)
    [row] = rows(database.url, ["matcha"])["matcha"]
    assert (row["balance"], row["held"], row["due_at"]) == (7, 2, NOON + timedelta(days=30))
    expiry = Expiry(Desk(ledger, lambda: told.now))
    worker = Worker(database.url, {"matcha": expiry.expire}, lambda: told.now)
    working = asyncio.create_task(worker.run())
    for days, left in ((30, 2), (40, 0)):
        told.now = NOON + timedelta(days=days)
        await eventually_so(lambda left=left: credits(database) == left)
        await catch_up(database.url, ledger, Matcha())
    worker.stop()
    await working
    [row] = rows(database.url, ["matcha"])["matcha"]
    assert (row["balance"], row["held"], row["due_at"]) == (0, 0, None)
