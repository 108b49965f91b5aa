"""Whatever the world does: delivered and paid for once, or free; never two makers at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from commands.generations import CancelCreation
from consumers.gateways.mma_ports import NotWhole
from consumers.gateways.ports import Failure, OutcomeUnknown, TryAgain, WillNotWork
from consumers.reactions.mma_acts import TRIES_MAX
from domain.event import Refused
from domain.generation import Generation
from domain.generation_events import CreationCancelled, MediaRequested
from domain.generation_lines import DONE, SORRY
from domain.matcha_events import MatchaCaptured, MatchaReleased
from tests.reactions.studio import ASSETS, FIRST, Crash, Studio

REFUSED = WillNotWork("no", error_class="refused")
PASSES = (TryAgain("busy"), TryAgain("slowly", after_s=20, error_class="throttled"))
NEVER = (REFUSED, WillNotWork("empty", error_class="quota"), WillNotWork("malformed"))
LOST = OutcomeUnknown("silence", reference="r")


def fates(*outcomes: Any) -> some.SearchStrategy[list[Any]]:
    """Mostly it works."""
    return some.lists(some.sampled_from((None, None, None, *outcomes)), max_size=8)


@dataclass
class World:
    kind: str
    texts: list[Any]
    starts: list[Any]
    polls: list[Any]
    fetches: list[Any]
    puts: list[Any]
    deaths: set[int]
    interrupts: dict[int, str]


worlds = some.builds(
    World,
    kind=some.sampled_from(["still", "video"]),
    texts=fates(*PASSES, *NEVER, NotWhole("cut"), LOST, "no JSON"),
    starts=fates("lost", *PASSES, *NEVER),
    polls=fates("working", "working", *PASSES, *NEVER, WillNotWork("x", error_class="transient")),
    fetches=fates(TryAgain("damaged"), WillNotWork("a foreign host")),
    puts=fates(TryAgain("s3: down")),
    deaths=some.sets(some.integers(1, 120), max_size=4),
    interrupts=some.dictionaries(
        some.integers(0, 12), some.sampled_from(["cancel", "deadline"]), max_size=1
    ),
)


@settings(max_examples=150)
@given(worlds)
def test_a_creation_is_paid_for_once_or_free_whatever_happens(world: World) -> None:
    asyncio.run(live(world))


async def live(world: World) -> None:
    studio = Studio()
    assets = ASSETS if world.kind == "still" else {"image": "https://media.example/a.png"}
    await getattr(studio, world.kind)(assets=assets)
    fated = zip(
        (studio.texts.fate, studio.starts, studio.polls, studio.fetches, studio.puts),
        (world.texts, world.starts, world.polls, world.fetches, world.puts),
        strict=True,
    )
    for fate, told in fated:
        fate.next = list(told)
    studio.calls, studio.deaths = 0, world.deaths
    for look in range(20):
        await interrupted(studio, world.interrupts.get(look))
        await attended(studio)
    studio.deaths = set()
    known = await studio.until_done(tries=1_000)
    check(studio, known)


async def interrupted(studio: Studio, how: str | None) -> None:
    try:
        if how == "cancel":
            await studio.desk.do(CancelCreation(generation_id=FIRST), cause="test")
        elif how == "deadline":
            studio.ledger.later(15 * 60)
            await studio.end()
    except (Refused, Crash):
        studio.open()


async def attended(studio: Studio) -> None:
    try:
        await studio.attend()
    except Failure as failure:
        studio.ledger.later(getattr(failure, "after_s", 1.0))
    except Crash:
        studio.open()
    studio.ledger.later(1)


def check(studio: Studio, known: Generation) -> None:
    account, history = studio.account(), studio.ledger.history
    captured = [event for event in history if isinstance(event, MatchaCaptured)]
    released = [event for event in history if isinstance(event, MatchaReleased)]
    delivered = known.delivered is not None
    assert (len(captured), len(released)) == ((1, 0) if delivered else (0, 1))
    assert (account.balance, account.held) == (99 if delivered else 100, 0)
    steps = studio.steps()
    assert [step.step_no for step in steps] == list(range(1, len(steps) + 1))
    four = {"input", "output", "timing", "error"}
    assert all(step.payload.keys() == four for step in steps)
    assert len(steps) <= TRIES_MAX + len(ASSETS)
    assert "temporary" not in str(studio.events())
    never_two_at_work(studio)
    made = any(step.step_type.endswith("_generate") and step.payload["output"] for step in steps)
    assert not made or delivered or known.late_url
    if delivered:
        assert known.messages[-1] == DONE[known.terms.mma_mode]
    elif known.failed:
        assert known.messages[-1] == SORRY[known.failed.error_code]
    else:
        assert any(isinstance(event, CreationCancelled) for event in studio.events())


def never_two_at_work(studio: Studio) -> None:
    known = Generation()
    for event in studio.events():
        if isinstance(event, MediaRequested):
            assert known.media is None and not known.ended
        known = known.evolve(event)
