"""What operators decide: about tokens that stay owed, and where ledger and chain differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from commands.command import Answer, Seen
from commands.passes import survivors
from commands.upgrades import WithAttempt, WithUpgrade
from domain.compensation import Compensation, compensate
from domain.config import Config, config_stream
from domain.event import Event
from domain.levels import LEVELS_KEY, levels_of
from domain.upgrade_attempt import Attempt
from domain.upgrade_events import ReviewClosed, upgrade_stream
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
        yield from survivors(seen, self.by)
        if upgrade_stream(self.owner) in seen:
            yield from survivors(seen, self._first(seen))

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        attempt = self._known(seen)
        levels = levels_of(seen.get(Config, config_stream(LEVELS_KEY)).value(LEVELS_KEY))
        if not 1 <= self.level <= max(len(levels), attempt.terms.level):
            raise LevelUnknown(f"({self.level})")
        text, cid = self.metadata(self.level)
        wanted = Compensation(
            level=self.level,
            reason=self.reason,
            by=_today(seen, self.by),
            proposed_by=_today(seen, self._first(seen)),
            metadata=text,
            cid=cid,
        )
        return compensate(attempt, wanted)

    def answer(self, seen: Seen, new: bool) -> Answer:
        attempt = self._known(seen)
        proposal, approval = attempt.proposal, attempt.approval
        approved = approval is not None and approval.level == self.level
        return Answer(
            202,
            {
                "upgrade_id": self.upgrade_id,
                "state": "approved" if approved else "proposed",
                "level": self.level,
                "proposed_by": proposal.by if proposal else None,
                "approved_by": approval.by if approval and approved else None,
            },
        )

    def _first(self, seen: Seen) -> str:
        """Who wanted a level before, by the name that it had then; empty: nobody."""
        attempt = self.upgrade(seen).attempts.get(self.upgrade_id)
        return attempt.proposal.by if attempt and attempt.proposal else ""

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
        if attempt and attempt.state != "failed":
            raise NothingOwed()
        if attempt and attempt.reviewed:
            return []
        # One that is not remembered any more has failed; the caller has seen its case open.
        ids = {"pass_id": self.owner, "upgrade_id": self.upgrade_id}
        return [ReviewClosed(**ids, mint="", reason=self.reason, by=self.by)]

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(202, {"state": "resolved"})


def _today(seen: Seen, pass_id: str) -> str:
    """The pass that this one means today: two names that were merged are one person."""
    return (list(survivors(seen, pass_id)) or [""])[-1]
