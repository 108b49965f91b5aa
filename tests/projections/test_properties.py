"""What holds of the read models after any story (I-13, I-14, I-15, I-26)."""

from __future__ import annotations

from functools import reduce
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from commands.characters import RetryGeneration
from commands.command import Command, look
from commands.orders import OpenMintOrder, ReopenOrder
from domain.money import Money
from domain.roles import Offer
from ledger.ledger import Ledger
from projections.catalog import all_projections
from projections.characters import Characters
from projections.rebuild import Rebuild
from tests.projections.conftest import MASTER_KEY
from tests.projections.looking import catch_up_all, rows
from tests.projections.stories import PRICE, START, TERMS, Teller, stories
from tests.world import Database, TestWorld

pages = some.integers(1, 40)
no_limits: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


@settings(max_examples=8, **no_limits)
@given(told=some.lists(stories, min_size=1, max_size=2), live=pages, again=pages)
async def test_live_rebuilt_and_folded_read_models_are_the_same(
    told: list[Any], live: int, again: int, world: TestWorld
) -> None:
    with world.database() as database:
        async with Ledger(database.url, master_key=MASTER_KEY) as ledger:
            teller = Teller(ledger)
            for story in told:
                await teller.tell(story)
                await catch_up_all(database.url, ledger, live)
            lived = rows(database.url)
            for projection in all_projections():
                assert (await Rebuild(database.url, ledger, projection, page=again).run()).done
            assert rows(database.url) == lived
            for id_ in teller.characters:
                assert await folded(ledger, id_) == card(database, id_)


@settings(max_examples=25, **no_limits)
@given(told=stories)
async def test_a_character_never_disappears_and_always_has_a_way_on(
    told: Any, teller: Teller, database: Database
) -> None:
    before = shown(database) if teller.characters else set()
    mine = await teller.tell(told)
    await catch_up_all(database.url, teller.ledger, page=100)
    assert shown(database) == before | set(mine)
    for id_ in mine:
        view = card(database, id_)
        assert view["next_action"] in ("mint", "wait", "retry_mint", "retry_generation", "open")
        assert (view["next_action"] == "open") == (view["mint_ui_state"] == "done")
        assert not (view["will_charge"] and view["mint_paid"])
        if view["next_action"] == "wait":
            assert promised(database, id_), f"nobody works on {view}"
        else:
            await would_be_granted(teller, view)


def shown(database: Database) -> set[str]:
    """The characters in the list."""
    found = rows(database.url, ["characters"])["characters"]
    assert all(row["pass_id"] for row in found)
    return {row["character_id"] for row in found}


def card(database: Database, character_id: str) -> dict[str, Any]:
    found = rows(database.url, ["characters"])["characters"]
    [view] = [row["view"] for row in found if row["character_id"] == character_id]
    assert isinstance(view, dict)
    return view


def promised(database: Database, character_id: str) -> list[Any]:
    """What is on the list of open promises for this character, with the time to look at it."""
    todo = rows(database.url, ["todo"])["todo"]
    return [row for row in todo if row["character_id"] == character_id and row["due_at"]]


async def folded(ledger: Ledger, character_id: str) -> dict[str, Any]:
    """The card as the events give it, without any read model."""
    projection, stream = Characters(), f"character:{character_id}"
    attached = [r.event for r in await ledger.history([stream])]
    orders = {event.order_id for event in attached if event.TOPIC == "order_attached.v1"}
    history = await ledger.history([stream, *(f"order:{id_}" for id_ in orders)])
    state: Any = reduce(
        lambda known, recorded: projection.fold(character_id, known, recorded), history, None
    )
    return projection.view(state)


async def would_be_granted(teller: Teller, view: dict[str, Any]) -> None:
    """The offered action passes the write side's own judgement; nothing is recorded."""
    asked: dict[str, Command] = {
        "mint": OpenMintOrder(
            character_id=view["id"],
            offer=Offer("samurai", "role_mint", Money("MPT", PRICE)),
            terms=TERMS,
            opened_block=1,
        ),
        "retry_mint": ReopenOrder(order_id=view["mint_order_id"] or ""),
        "retry_generation": RetryGeneration(
            character_id=view["id"], provider="seedream", model="m"
        ),
    }
    if view["next_action"] in asked:
        command = asked[view["next_action"]]
        command.decide(await look(teller.ledger, command), START)
