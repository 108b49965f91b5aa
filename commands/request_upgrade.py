"""Asking for a level: qualified by evidence, prepared for the wallet, in one decision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from commands.command import Answer, Command, Seen
from commands.passes import current_pass, followed, survivors
from domain.config import Config, config_stream
from domain.event import Event
from domain.levels import (
    LEVELS_KEY,
    Level,
    Qualification,
    Record,
    levels_of,
    next_level,
    spoken_usd,
)
from domain.solana import Prepared
from domain.upgrade import Upgrade
from domain.upgrade_attempt import Attempt
from domain.upgrade_events import UpgradeRecipe, UpgradeRequested, upgrade_stream
from domain.upgrade_refusals import LevelWalletRequired, NotQualified, TopLevel
from domain.upgrade_view import describe_prepared, describe_shortfall


@dataclass(frozen=True, slots=True)
class Minting:
    """How a level token is prepared: arithmetic and signatures, nothing is sent. `mint` is the
    address that the upgrade's token will have; `metadata`: level → (JSON, its CID)."""

    mint: str
    metadata: Callable[[int], tuple[str, str]]
    prepare: Callable[[UpgradeRequested], Prepared]


class SeeLevels(Command):
    """Decides nothing: the upgrades of a pass and of all passes that were merged into it."""

    asked_by: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from survivors(seen, self.asked_by)
        yield config_stream(LEVELS_KEY)
        if followed(seen, self.asked_by):
            yield from map(upgrade_stream, self.names(seen))

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []

    def pass_id(self, seen: Seen) -> str:
        return current_pass(seen, self.asked_by).pass_id or self.asked_by

    def names(self, seen: Seen) -> tuple[str, ...]:
        """The pass of today, then those that it has absorbed."""
        return (self.pass_id(seen), *current_pass(seen, self.asked_by).absorbed)

    def upgrades(self, seen: Seen) -> dict[str, Upgrade]:
        return {n: seen.get(Upgrade, upgrade_stream(n)) for n in self.names(seen)}

    def owner(self, seen: Seen) -> str:
        """Under which of its names the pass goes on with its upgrades: the one that is highest."""
        known = self.upgrades(seen)
        return max(known, key=lambda name: known[name].standing)

    def levels(self, seen: Seen) -> tuple[Level, ...]:
        return levels_of(seen.get(Config, config_stream(LEVELS_KEY)).value(LEVELS_KEY))


class RequestUpgrade(SeeLevels):
    """Begins an attempt for the next level, or finds the one that is open. `record` is what the
    topics say of the pass."""

    kind: Literal["unlock", "upgrade"]
    recipe: UpgradeRecipe
    upgrade_id: str
    record: Record
    minting: Minting
    expires_at: datetime

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        upgrade = self.upgrades(seen)[self.owner(seen)]
        known, again = upgrade.offered(unlock=self.kind == "unlock", at=at)
        if known:
            return again
        asked = self._qualification(seen, upgrade)
        if not asked.qualified:
            raise NotQualified(describe_shortfall(asked))
        terms = self._terms(seen, upgrade, asked, at)
        prepared = Attempt(terms).prepare(self.minting.prepare(terms), self.expires_at)
        begun = current_pass(seen, self.asked_by).begin_upgrade(self.upgrade_id)
        return [*begun, *upgrade.request(terms), *prepared]

    def answer(self, seen: Seen, new: bool) -> Answer:
        upgrade = self.upgrades(seen)[self.owner(seen)]
        assert upgrade.attempt is not None
        return Answer(200, describe_prepared(upgrade.attempt))

    def _qualification(self, seen: Seen, upgrade: Upgrade) -> Qualification:
        level = next_level(self.levels(seen), upgrade.level)
        if level is None:
            raise TopLevel()
        taken = frozenset().union(*(one.bound_badges for one in self.upgrades(seen).values()))
        return Qualification(level, self.record.without(taken))

    def _terms(
        self, seen: Seen, upgrade: Upgrade, asked: Qualification, at: datetime
    ) -> UpgradeRequested:
        metadata, cid = self.minting.metadata(asked.level.level)
        return UpgradeRequested(
            pass_id=self.owner(seen),
            upgrade_id=self.upgrade_id,
            recipe=self.recipe,
            level=asked.level.level,
            wallet=self._wallet(seen, upgrade),
            mint=self.minting.mint,
            burns=upgrade.token.mint if upgrade.token else "",
            cid=cid,
            metadata=metadata,
            volume_usd=spoken_usd(asked.record.volume_usd),
            required_volume_usd=spoken_usd(asked.level.volume_usd),
            badges=tuple(badge.badge_id for badge in asked.badges),
            config_version=seen.get(Config, config_stream(LEVELS_KEY)).version,
            requested_at=at,
        )

    def _wallet(self, seen: Seen, upgrade: Upgrade) -> str:
        """The one that holds the token; without a token the one of the pass that was linked first,
        so that nobody with several is stuck."""
        if upgrade.token:
            return upgrade.token.owner
        linked = current_pass(seen, self.asked_by).identities
        for name in linked:
            if name.startswith("solana:"):
                return name.removeprefix("solana:")
        raise LevelWalletRequired()
