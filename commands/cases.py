"""What operators decide: about tokens that stay owed, and where ledger and chain differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from commands.command import Answer, Seen
from commands.upgrades import WithAttempt, WithUpgrade
from domain.compensation import Compensation, compensate
from domain.config import Config, config_stream
from domain.event import Event
from domain.levels import LEVELS_KEY, levels_of
from domain.upgrade_attempt import Attempt
from domain.upgrade_events import ReviewClosed
from domain.upgrade_refusals import LevelUnknown, NothingOwed


class Compensate(WithAttempt):
    """`by` wants a token of `level` in place of the one that is owed; `metadata`: level → (JSON,
    its CID). Carried out when two people want the same."""

    level: int
    reason: str
    by: str
    metadata: Callable[[int], tuple[str, str]]

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from super().reads(seen)
        yield config_stream(LEVELS_KEY)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        attempt = self._known(seen)
        levels = levels_of(seen.get(Config, config_stream(LEVELS_KEY)).value(LEVELS_KEY))
        if not 1 <= self.level <= max(len(levels), attempt.terms.level):
            raise LevelUnknown(f"({self.level})")
        text, cid = self.metadata(self.level)
        wanted = Compensation(self.level, self.reason, self.by, text, cid)
        return compensate(attempt, wanted)

    def answer(self, seen: Seen, new: bool) -> Answer:
        attempt = self._known(seen)
        proposal, approval = attempt.proposal, attempt.approval
        return Answer(
            202,
            {
                "upgrade_id": self.upgrade_id,
                "state": "approved" if approval and approval.level == self.level else "proposed",
                "level": self.level,
                "proposed_by": proposal.by if proposal else None,
                "approved_by": approval.by if approval else None,
            },
        )

    def _known(self, seen: Seen) -> Attempt:
        if self.upgrade_id not in self.upgrade(seen).attempts:
            raise NothingOwed()
        return self.attempt(seen)


class RetryMint(WithAttempt):
    """`by` does not want to wait for the next try."""

    by: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        if self.upgrade_id not in self.upgrade(seen).attempts:
            raise NothingOwed()
        return self.attempt(seen).retry(self.by)

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(202, {"upgrade_id": self.upgrade_id, "state": self.attempt(seen).state})


class CloseCase(WithUpgrade):
    """`by` has seen to it: to the conflict about a `mint`, else to the attempt that needed
    support. What is owed is never closed by hand."""

    upgrade_id: str = ""
    mint: str = ""
    reason: str
    by: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        upgrade = self.upgrade(seen)
        if self.mint:
            return upgrade.close_review(self.owner, self.mint, self.reason, self.by)
        attempt = upgrade.attempts.get(self.upgrade_id)
        if attempt is None or attempt.state != "failed":
            raise NothingOwed()
        if attempt.reviewed:
            return []
        return [ReviewClosed(**attempt.ids, mint="", reason=self.reason, by=self.by)]

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(202, {"state": "resolved"})
