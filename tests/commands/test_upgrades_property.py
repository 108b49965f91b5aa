"""Whatever happens in whatever order, nobody ends with two tokens, nor with none after a burn."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import example, given, settings

from domain import upgrade_events as happened
from domain.event import Event, Refused
from domain.levels import spoken_usd
from domain.upgrade import Upgrade
from ledger.codec import Recorded
from projections.levels import Levels
from projections.projection import Projection
from projections.recoveries import Recoveries
from projections.upgrade_cases import owed_case
from projections.upgrades import Upgrades
from tests.commands.climbing import PASSES, Climbing, attempts
from tests.commands.climbing_steps import STEPS, stories


class Checked:
    """The story so far, and what the projections make of it."""

    def __init__(self) -> None:
        self.climbing = Climbing()
        for name in PASSES:
            self.climbing.earn(name, 20_000_000, 12)
        self.events: list[Event] = []
        self.versions: Counter[str] = Counter()
        self.views: list[tuple[Projection[Any], dict[str, Any]]] = [
            (Levels(), {}),
            (Upgrades(), {}),
            (Recoveries(), {}),
        ]
        self.of_attempt: defaultdict[str, list[Event]] = defaultdict(list)
        self.tokens: defaultdict[str, set[str]] = defaultdict(set)
        self.badges: dict[str, tuple[str, ...]] = {}
        self.levels: dict[str, int] = {}

    def take(self, what: str, name: str, which: int) -> None:
        minted = set(self.climbing.chain.coins)
        record = self.climbing.record(name)
        try:
            STEPS[what](self.climbing, name, which)
        except Refused:
            pass
        else:
            self._take_in(record)
        self._one_token_is_minted_at_a_time(set(self.climbing.chain.coins) - minted)
        for each in PASSES:
            self._stands(self.climbing.upgrade(each), each)

    def _take_in(self, record: Any) -> None:
        new = self.climbing.memory.history[len(self.events) :]
        for event in new:
            self.events.append(event)
            number, at = len(self.events), self.climbing.memory.now
            self.versions[event.stream] += 1
            version = self.versions[event.stream]
            told = Recorded(number, event.stream, version, event.TOPIC, at, event, {})
            for projection, rows in self.views:
                if event.TOPIC in projection.topics:
                    for key in projection.keys(told):
                        rows[key] = projection.fold(key, rows.get(key), told)
            if isinstance(event, happened.UpgradeRequested):
                assert event.volume_usd == spoken_usd(record.volume_usd)
                assert {*event.badges} <= {badge.badge_id for badge in record.badges}
            if isinstance(event, happened.UpgradeEvent):
                self._follows(event)
                self._count_tokens(event)
                self.of_attempt[event.upgrade_id].append(event)

    def _follows(self, event: happened.UpgradeEvent) -> None:
        """What each fact needs to have been before it."""
        before = [
            each for each in self.events[:-1] if getattr(each, "upgrade_id", "") == event.upgrade_id
        ]
        kinds = Counter(type(each) for each in before)
        match event:
            case happened.LevelMintSigned():
                assert kinds[happened.BurnConfirmed] == 1, "signed before the burn was proven"
                signed = kinds[happened.LevelMintSigned]
                assert signed == kinds[happened.LevelMintDropped], "two mints that may land"
            case happened.BurnConfirmed(mint=mint):
                burns = [each for each in self.events if isinstance(each, happened.BurnConfirmed)]
                assert [each.mint for each in burns].count(mint) == 1, "a burn counted twice"
                assert self.climbing.chain.coins[mint].burned_by == event.owner
            case happened.LevelMinted(level=level):
                assert not kinds[happened.LevelMinted], "two tokens of one attempt"
                [terms] = [each for each in before if isinstance(each, happened.UpgradeRequested)]
                if terms.burns:
                    assert kinds[happened.BurnConfirmed] == 1, "minted without a burn"
                assert terms.level == self.levels.get(terms.burns, 0) + 1
                better = {
                    each.level: {each.by, each.proposed_by}
                    for each in before
                    if isinstance(each, happened.CompensationApproved)
                }
                assert level == terms.level or (level > terms.level and len(better[level]) == 2)
                self.levels[event.mint] = level

    def _count_tokens(self, event: happened.UpgradeEvent) -> None:
        """What the ledger says that a pass has."""
        tokens = self.tokens[event.pass_id]
        match event:
            case happened.LevelMinted(mint=mint):
                tokens.add(mint)
            case happened.CorrectionRecorded(kind="came_back", mint=mint):
                tokens.add(mint)
            case happened.BurnConfirmed(mint=mint) | happened.CorrectionRecorded(mint=mint):
                tokens.discard(mint)
        assert len(tokens) <= 1, "two tokens of one pass"

    def _one_token_is_minted_at_a_time(self, new: set[str]) -> None:
        for mint in new:
            made = self.climbing.chain.coins[mint]
            others = [
                other
                for key, other in self.climbing.chain.coins.items()
                if key != mint and other.owner == made.owner
            ]
            assert all(other.burned_by or other.strayed for other in others), "two tokens"

    def _stands(self, upgrade: Upgrade, name: str) -> None:
        owed = [each for each in upgrade.attempts.values() if each.owed]
        assert len(owed) + (upgrade.token is not None) <= 1, "a token and another that is owed"
        assert len(upgrade.watched) <= 1
        (_, climbs), (_, tracked), (_, cases) = self.views
        assert name not in climbs or climbs[name].upgrade == upgrade
        for id_, attempt in upgrade.attempts.items():
            assert tracked[id_].attempt.state == attempt.state
            case = cases.get(owed_case(id_))
            assert (case is not None and case.status == "open") == attempt.owed
            if attempt.burn or attempt.minted:
                self.badges.setdefault(id_, attempt.terms.badges)
        consumed = Counter(badge for badges in self.badges.values() for badge in badges)
        assert max(consumed.values(), default=1) == 1, "a badge was consumed twice"

    def settle(self) -> None:
        """The chain is asked, and mints land, until nothing moves."""
        climbing = self.climbing
        for name in PASSES:
            climbing.lose(name)
            for _ in range(5):
                self.take("reconcile", name, 0)
                upgrade = climbing.upgrade(name)
                if not upgrade.watched and not upgrade.recovery:
                    break
                climbing.memory.later(60)
                climbing.chain.height += 200
                for step in ("watch", "deliver", "land_mint", "deliver"):
                    self.take(step, name, 0)
            upgrade = climbing.upgrade(name)
            assert not upgrade.recovery and not upgrade.watched, "it waits for ever"
            for id_ in climbing.landed & set(upgrade.attempts):
                assert upgrade.attempts[id_].minted, "burned or paid for, and not there"

    def told_again(self) -> None:
        """Once everything is known, the same burns and mints told once more are no news."""
        climbing, known = self.climbing, len(self.climbing.memory.history)
        for name in PASSES:
            for mint, coin in climbing.chain.coins.items():
                if coin.burned_by:
                    climbing.tell_burn(name, mint)
            for attempt in attempts(climbing, name):
                if attempt.minted:
                    climbing.record_level(attempt)
        assert climbing.memory.history[known:] == []

    def revived(self) -> None:
        """The rows of the projections say the same once they are read again."""
        for projection, rows in self.views:
            for key, row in rows.items():
                if row is not None:
                    assert projection.revive(projection.record(key, row)["state"]) == row


@pytest.mark.timeout(400)  # of a failing story, to make it short
@settings(max_examples=80, deadline=None)
@given(stories)
@example([(what, PASSES[0], 1) for what in ("unlocked", "given_up", "upgrade", "burned_by_hand")])
@example([(what, PASSES[0], 0) for what in ("unlocked", "upgrade", "send_away", "stranger_burns")])
def test_a_pass_has_one_token_or_none_or_is_owed_one(story):
    checked = Checked()
    for what, name, which in story:
        checked.take(what, name, which)
    checked.settle()
    checked.told_again()
    checked.revived()
