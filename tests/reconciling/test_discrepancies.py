"""A thousand discrepancies of eight kinds between ledger and chain: each is told for what it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from commands.cases import CloseCase
from consumers.gateways.ports import TryAgain
from consumers.level_check import LevelComparison
from consumers.reactions.promise import Desk
from consumers.reconciler import Finding, Report
from domain.upgrade_events import upgrade_stream
from tests.commands.memory import Memory
from tests.reconciling.shown import Chain, KnownInMemory, MemoryLedger
from tests.reconciling.worlds import Climber, live, world

PASSES, DISCREPANCIES = 1_400, 1_050

HOLDING = ["unlocked", "burning", "submitted", "burn_lapsed", "upgraded", "exchanged"]
REVIEWED = ["sent_away", "vanished", "unknown_token", "level_mismatch"]
Injected = Callable[[Climber, Random], str]


def burned_outside(pass_: Climber, random: Random) -> str:
    """By the wallet, but for no attempt of its own; or by somebody who was allowed to."""
    attempt = random.choice(["", "an-attempt-of-another-time"])
    pass_.chain.burn(pass_.held, random.choice([pass_.wallet, "", "delegate"]), attempt)
    return pass_.pass_id


def sent_away(pass_: Climber, random: Random) -> str:
    pass_.chain.send(pass_.held, f"stranger-{random.randrange(100)}")
    return pass_.pass_id


def burn_missed(pass_: Climber, random: Random) -> str:
    """After the attempt had lapsed the memo has to name it."""
    pass_.shows_burn(memo=pass_.what == "burn_lapsed" or random.random() < 0.5)
    return pass_.pass_id


def mint_missed(pass_: Climber, random: Random) -> str:
    pass_.shows_mint()
    return pass_.pass_id


def vanished(pass_: Climber, random: Random) -> str:
    del pass_.chain.tokens[pass_.held]
    return pass_.pass_id


def unknown_token(pass_: Climber, random: Random) -> str:
    nobody = random.random() < 0.3
    owner = f"stranger-{random.random()}" if nobody else pass_.wallet
    pass_.chain.mint(f"forged-{random.random()}", owner, random.randint(1, 5), "cid-2")
    return "pass:unknown" if nobody else pass_.pass_id


def level_mismatch(pass_: Climber, random: Random) -> str:
    """The token that is owed turns out to be another one than was signed."""
    terms = pass_.attempt.terms
    level, cid = random.choice([(terms.level + 1, terms.cid), (terms.level, "another-cid")])
    owner = terms.wallet
    if random.random() < 0.3:
        owner, level, cid = "stranger", terms.level, terms.cid
    pass_.chain.mint(terms.mint, owner, level, cid)
    return pass_.pass_id


def came_back(pass_: Climber, random: Random) -> str:
    (token,) = pass_.upgrade.away.values()
    pass_.chain.send(token.mint, token.owner)
    return pass_.pass_id


KINDS: dict[Injected, list[str]] = {
    burned_outside: ["unlocked", "burn_lapsed", "upgraded", "exchanged"],
    sent_away: HOLDING,
    burn_missed: ["burning", "submitted", "burn_lapsed"],
    mint_missed: ["unlocking", "unlock_lapsed", "owed", "mint_signed", "exchanging"],
    vanished: HOLDING,
    unknown_token: ["nothing", *HOLDING, "owed", "burned_elsewhere"],
    level_mismatch: ["unlocking", "owed", "mint_signed"],
    came_back: ["left"],
}


def inject(passes: list[Climber], random: Random) -> Counter[tuple[str, str]]:
    """(kind, pass) of every discrepancy, one a pass at most; all kinds as evenly as can be."""
    injected: Counter[tuple[str, str]] = Counter()
    told = Counter[str]()
    for pass_ in random.sample(passes, len(passes)):
        fitting = [each for each, states in KINDS.items() if pass_.what in states]
        if not fitting or sum(told.values()) == DISCREPANCIES:
            continue
        chosen = min(fitting, key=lambda each: told[each.__name__])
        told[chosen.__name__] += 1
        injected[chosen.__name__, chosen(pass_, random)] += 1
        if chosen is mint_missed and pass_.what == "exchanging":
            injected["burn_missed", pass_.pass_id] += 1  # in the same transaction
    return injected


async def compared(passes: list[Climber], known: KnownInMemory | None = None) -> list[Finding]:
    memory, chain = passes[0].memory, passes[0].chain
    desk, report = Desk(MemoryLedger(memory), lambda: memory.now), Report("levels")
    known = known or KnownInMemory.of(memory)
    await LevelComparison(desk, chain, known, report).run()
    return report.findings


async def test_every_discrepancy_is_told_for_what_it_is_and_none_is_invented() -> None:
    random = Random(20260101)
    passes = world(random, PASSES)
    memory = passes[0].memory
    injected = inject(passes, random)
    kinds = Counter(kind for kind, _ in injected.elements())
    assert sum(kinds.values()) >= 1_000 and min(kinds[each.__name__] for each in KINDS) >= 50
    before = {name: len(events) for name, events in memory.streams.items()}

    found = await compared(passes)

    assert Counter((each.kind, each.pass_id) for each in found) == injected
    assert {each.done for each in found} == {"corrected", "for review"}
    touched = {upgrade_stream(each.pass_id) for each in found}
    assert {n for n, events in memory.streams.items() if len(events) != before.get(n)} == touched

    assert all(each.done == "for review" for each in found if each.kind in REVIEWED)
    recorded = len(memory.history)
    again = await compared(passes)
    assert {each.done for each in again} <= {"known"}
    assert len(memory.history) == recorded, "with the cursor lost: the same again, and no news"


async def test_an_untouched_world_has_no_discrepancy() -> None:
    passes = world(Random(4), 500)
    recorded = len(passes[0].memory.history)
    assert await compared(passes) == []
    assert len(passes[0].memory.history) == recorded


async def test_what_a_person_has_closed_is_not_opened_again() -> None:
    passes = one("unlocked")
    vanished(passes[0], Random(5))
    (found,) = await compared(passes)
    memory = passes[0].memory
    memory.do(CloseCase(owner=found.pass_id, mint=found.subject, reason="seen to", by="ops"))
    assert [each.done for each in await compared(passes)] == ["known"]


async def test_views_that_are_behind_invent_nothing() -> None:
    passes = one("unlocked")
    behind = KnownInMemory.of(passes[0].memory)
    passes[0].ask("nft_upgrade")
    passes[0].burn()
    passes[0].mint()
    assert await compared(passes, behind) == []
    behind = KnownInMemory.of(passes[0].memory)
    passes[0].leave()
    assert await compared(passes, behind) == []


async def test_what_the_chain_showed_before_we_knew_better_says_nothing() -> None:
    passes = one("left")
    assert passes[0].upgrade.away
    came_back(passes[0], Random(7))
    passes[0].chain.slot = 1
    assert await compared(passes) == []
    for kind in (sent_away, vanished):
        passes = one("unlocked")
        kind(passes[0], Random(7))
        passes[0].chain.slot = 1
        assert await compared(passes) == []


async def test_a_token_beside_another_is_left_to_a_person() -> None:
    passes = one("unlock_lapsed")
    given_up = passes[0].attempt.terms
    passes[0].ask("nft_unlock")
    passes[0].mint()
    passes[0].chain.mint(given_up.mint, given_up.wallet, given_up.level, given_up.cid)
    assert [(e.kind, e.done) for e in await compared(passes)] == [("unknown_token", "for review")]
    passes = one("left")
    (review,) = passes[0].upgrade.reviews
    passes[0].memory.do(CloseCase(owner=passes[0].pass_id, mint=review, reason="sold it", by="ops"))
    passes[0].ask("nft_unlock")
    came_back(passes[0], Random(7))
    assert await compared(passes) == [], "another is on its way, or it is not"
    passes[0].mint()
    assert [(e.kind, e.done) for e in await compared(passes)] == [("unknown_token", "for review")]


async def test_tokens_that_are_not_told_hold_up_no_other() -> None:
    passes = world(Random(8), 60)
    held = [each for each in passes if each.what == "unlocked"]
    for each in held:
        burned_outside(each, Random(9))
    memory, chain = passes[0].memory, passes[0].chain
    chain.silent = {held[0].held, held[-1].held}
    others = {each.held for each in held[1:-1]}
    chain.mint("forged", "stranger", 1, "cid-1")
    known, report = KnownInMemory.of(memory), Report("levels")
    known.limit = 5
    await LevelComparison(
        Desk(MemoryLedger(memory), lambda: memory.now), chain, known, report
    ).run()
    assert {each.subject for each in report.findings} == {*others, "forged"}
    assert report.failure.startswith("the token of") and "2 were not told" in report.failure
    chain.silent = set()
    found = await compared(passes, known)
    assert {held[0].pass_id, held[-1].pass_id} <= {each.pass_id for each in found}


async def test_a_burn_that_is_not_told_is_said_in_the_report() -> None:
    (ada,) = one("unlocked")
    ada.chain.burn(ada.held, ada.wallet)
    ada.chain.burns.clear()
    ada.chain.unknown_burns = True
    report = Report("levels")
    desk = Desk(MemoryLedger(ada.memory), lambda: ada.memory.now)
    await LevelComparison(desk, ada.chain, KnownInMemory.of(ada.memory), report).run()
    assert report.findings == [] and f"the burn of {ada.held}" in report.failure


async def test_a_chain_that_tells_no_places_still_tells_its_mints() -> None:
    passes = world(Random(10), 60)
    passes[0].chain.dead = True
    passes[0].chain.mint("forged", "stranger", 1, "cid-1")
    memory, report = passes[0].memory, Report("levels")
    desk = Desk(MemoryLedger(memory), lambda: memory.now)
    with pytest.raises(TryAgain):
        await LevelComparison(desk, passes[0].chain, KnownInMemory.of(memory), report).run()
    assert [each.subject for each in report.findings] == ["forged"]


def one(what: str) -> list[Climber]:
    climber = Climber("ada", Memory(), Chain())
    live(climber, what)
    return [climber]
