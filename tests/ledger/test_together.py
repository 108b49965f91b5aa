"""Creations of one pass that come at once: as many are accepted as there is matcha for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg

from commands.command import Command, Context, Outcome, handle
from commands.creations import BeginStill
from commands.passes import Identify, OpenPass
from commands.together import Together
from domain.event import Refused
from domain.matcha import InsufficientMatcha
from ledger.ledger import Ledger
from tests.studio.making import SETTINGS, Grant

AT = datetime(2030, 1, 1, tzinfo=UTC)
ANN, EVE = "pass:user:ann", "pass:anon:eve"
HELD = "SELECT mg_credits, mg_credits_held FROM mega_customers WHERE mg_pass_id = %s"


def context(key: str = "") -> Context:
    return Context(at=AT, correlation_id="c", causation_id="c", key=key, request_hash=key)


def still(owner: str) -> BeginStill:
    ids = {"generation_id": str(uuid4()), "event_id": str(uuid4())}
    return BeginStill(owner=owner, **ids, brief="tea", settings=SETTINGS, assets={})


async def opened(ledger: Ledger, owner: str, amount: int, *names: str) -> None:
    commands: tuple[Command, ...] = (
        OpenPass(new_pass_id=owner, identities=names),
        Grant(to=owner, amount=amount, lot=f"lot:{owner}"),
    )
    for command in commands:
        await handle(ledger, command, context())


async def test_of_many_at_once_as_many_are_accepted_as_there_is_matcha_for(
    ledger: Ledger, app: psycopg.Connection
) -> None:
    await opened(ledger, ANN, 20)
    doors = Together(ledger), Together(ledger)
    asked = [still(ANN) for _ in range(100)]
    each = (doors[n % 2].handle(ANN, command, context(f"k{n}")) for n, command in enumerate(asked))
    answers = await asyncio.gather(*each, return_exceptions=True)
    taken: list[Any] = [
        (a, c) for a, c in zip(answers, asked, strict=True) if isinstance(a, Outcome)
    ]
    refused = [a for a in answers if isinstance(a, InsufficientMatcha)]
    assert (len(taken), len(refused)) == (20, 80)
    assert app.execute(HELD, [ANN]).fetchone() == (20, 20)
    for outcome, command in taken:
        row = app.execute(
            "SELECT max(mg_position) FROM mega_generations WHERE event->'metadata'->>'command_id' ="
            " (SELECT event->'metadata'->>'command_id' FROM mega_generations"
            "  WHERE originator_id = %s AND originator_version = 1)",
            [f"generation:{command.generation_id}"],
        ).fetchone()
        assert row == (outcome.position,), "each is told where its own effect is"


async def test_what_is_asked_again_under_its_key_is_the_first_answer(
    ledger: Ledger, app: psycopg.Connection
) -> None:
    await opened(ledger, ANN, 5)
    together, first = Together(ledger), still(ANN)
    one = await together.handle(ANN, first, context("k"))
    each = [together.handle(ANN, still(ANN), context(key)) for key in ("k", "l")]
    again, other = await asyncio.gather(*each)
    assert (again.replayed, again.answer, again.position) == (True, one.answer, one.position)
    assert not other.replayed
    assert app.execute(HELD, [ANN]).fetchone() == (5, 2)


async def test_a_merge_in_the_middle_loses_and_doubles_nothing(
    ledger: Ledger, app: psycopg.Connection
) -> None:
    await opened(ledger, ANN, 5, "email:ann")
    await opened(ledger, EVE, 5)
    together = Together(ledger)
    merge = Identify(identity="email:ann", new_pass_id="pass:user:x", current=EVE)
    asked = [together.handle(who, still(who), context()) for who in (ANN, EVE) for _ in range(10)]
    first, last = asked[:10], asked[10:]
    answers = await asyncio.gather(
        *last, handle(ledger, merge, context()), *first, return_exceptions=True
    )
    assert all(isinstance(a, Outcome | Refused) for a in answers), answers
    begun = sum(isinstance(a, Outcome) for a in answers) - 1
    rows = [app.execute(HELD, [who]).fetchone() for who in sorted((ANN, EVE))]
    assert begun == 10
    assert sorted(rows, key=str) == [(0, 0), (10, 10)]
