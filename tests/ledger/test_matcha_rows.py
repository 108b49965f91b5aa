"""The rows of matcha on the real database: what the columns say is what the domain says, always."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from commands.command import Command, Context, handle
from commands.matcha import ExpireMatcha
from commands.passes import Identify, OpenPass
from domain.event import Refused
from domain.matcha import MatchaAccount, matcha_stream
from ledger.ledger import Ledger
from tests.commands.drinking import Buy, Capture, Hold, Refund, Release
from tests.spec import NOON

STEPS = {"buy": Buy, "hold": Hold, "capture": Capture, "release": Release, "refund": Refund}
steps = some.tuples(
    some.sampled_from([*STEPS, "gift", "expire", "merge", "wait", "age"]),
    some.integers(0, 1),
    some.integers(1, 3),
)
BY_POSITION = """
SELECT p, c.mg_pass_id, c.mg_credits, c.mg_credits_held, nullif(c.mg_expires_at, '-infinity')
FROM unnest(%s::bigint[]) AS p, mega_fold_customers(1, p) AS c WHERE c.mg_pass_id = ANY (%s)
"""
ROWS = """
SELECT mg_pass_id, mg_credits, mg_credits_held, mg_expires_at FROM mega_customers
WHERE mg_pass_id = ANY (%s)
"""
SUMS = """
SELECT mg_position, mg_pass_id, sum(coalesce(mg_delta, 0)) OVER so_far
FROM mega_generations WHERE mg_pass_id = ANY (%s)
WINDOW so_far AS (PARTITION BY mg_pass_id ORDER BY mg_position)
"""
Row = tuple[int, int, datetime | None]


class Story:
    """Two passes, the second a day younger; ids are fresh in each story."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._tag, self._fresh = ledger, uuid4().hex, count(1)
        self.passes = [f"pass:user:{self._tag}", f"pass:anon:{self._tag}"]
        self.now, self._known = NOON, {"lot": ["none"], "hold": ["none"]}

    async def begin(self) -> None:
        await self._ask(OpenPass(new_pass_id=self.passes[0], identities=(f"email:{self._tag}",)))
        self.now += timedelta(days=1)
        await self._ask(OpenPass(new_pass_id=self.passes[1]))

    async def do(self, step: str, who: int, n: int) -> None:
        owner = self.passes[who]
        match step:
            case "wait" | "age":
                self.now += timedelta(minutes=30 * n) if step == "wait" else timedelta(days=12 * n)
            case "expire":
                await self._ask(ExpireMatcha(owner=owner))
            case "merge":
                mail, me = f"email:{self._tag}", self.passes[1]
                await self._ask(Identify(identity=mail, new_pass_id="pass:x", current=me))
            case "buy" | "gift":
                about: Any = {"lot_class": "free"} if step == "gift" else {}
                await self._ask(Buy(owner=owner, id_=self._new("lot"), amount=n, **about))
            case "hold":
                await self._ask(Hold(owner=owner, id_=self._new("hold"), amount=n))
            case "refund":
                about = {"amount": n, "reference": f"r{next(self._fresh)}"}
                await self._ask(Refund(owner=owner, id_=self._known["lot"][-n:][0], **about))
            case _:
                await self._ask(STEPS[step](owner=owner, id_=self._known["hold"][-n:][0]))

    async def accounts(self) -> dict[tuple[int, str], Row]:
        """What the domain says of each pass after each of its events, by position."""
        names = {matcha_stream(name): name for name in self.passes}
        known = {name: MatchaAccount() for name in self.passes}
        found: dict[tuple[int, str], Row] = {}
        for recorded in await self._ledger.history([*names]):
            name = names[recorded.stream]
            account = known[name] = known[name].evolve(recorded.event)
            row = (account.balance, account.held, account.expires_at)
            found[recorded.position, name] = row
            assert sum(lot.left for lot in account.lots.values()) == account.balance
        return found

    async def latest(self) -> dict[str, Row]:
        nothing: dict[str, Row] = dict.fromkeys(self.passes, (0, 0, None))
        return nothing | {name: row for (_, name), row in (await self.accounts()).items()}

    def _new(self, kind: str) -> str:
        self._known[kind].append(f"{kind}-{self._tag}-{next(self._fresh)}")
        return self._known[kind][-1]

    async def _ask(self, command: Command) -> None:
        context = Context(at=self.now, correlation_id="story", causation_id="story")
        try:
            await handle(self._ledger, command, context)
        except Refused:
            return


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(some.lists(steps, min_size=8, max_size=40))
async def test_columns_and_domain_say_the_same_at_every_position(
    ledger: Ledger, app: psycopg.Connection, owner: psycopg.Connection, told: list[Any]
) -> None:
    story = Story(ledger)
    await story.begin()
    for step in told:
        await story.do(*step)
        assert rows_of(app, story.passes) == await story.latest()
    accounts = await story.accounts()
    positions = sorted({position for position, _ in accounts})
    folded = {
        (p, name): row for p, name, *row in app.execute(BY_POSITION, [positions, story.passes])
    }
    sums = {(p, name): total for p, name, total in app.execute(SUMS, [story.passes])}
    for place, (balance, held, expires_at) in accounts.items():
        assert sums[place] == balance, "the sum of mg_delta is the balance"
        assert folded[place] == [balance, held, expires_at]
    everything = "SELECT * FROM mega_customers ORDER BY mg_pass_id"
    lived = app.execute(everything).fetchall()
    owner.execute("SELECT mega_rebuild_customers()")
    assert app.execute(everything).fetchall() == lived


def rows_of(app: psycopg.Connection, names: Iterable[str]) -> dict[str, Row]:
    found = app.execute(ROWS, [list(names)])
    return {name: (credits, held, at) for name, credits, held, at in found}
