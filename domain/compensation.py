"""Compensation: what two people may decide when a token stays owed (seed 002, Recovery 1).

"Equivalent or superior": never a lower level than the one that is owed. It is minted to the same
address as the original would have been, so that only one of the two can ever exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.event import Event
from domain.upgrade_attempt import Attempt
from domain.upgrade_events import CompensationApproved, CompensationProposed
from domain.upgrade_refusals import LevelTooLow, NothingOwed, SecondPersonRequired


@dataclass(frozen=True, slots=True)
class Compensation:
    """What `by` wants: the level, why, and the metadata that its token would have. `proposed_by`
    is who wanted one before, by the name that their pass has today."""

    level: int
    reason: str
    by: str
    metadata: str
    cid: str
    proposed_by: str = ""


def compensate(attempt: Attempt, wanted: Compensation) -> list[Event]:
    """The first to want a level proposes it, a second person who wants the same approves."""
    if not attempt.owed:
        raise NothingOwed()
    if wanted.level < attempt.terms.level:
        raise LevelTooLow(f"({attempt.terms.level})")
    if attempt.approval and attempt.approval.level == wanted.level:
        return []
    proposal = attempt.proposal
    said: dict[str, Any] = {"level": wanted.level, "reason": wanted.reason, "by": wanted.by}
    said |= attempt.ids
    if proposal is None or proposal.level != wanted.level:
        return [CompensationProposed(**said)]
    if wanted.by in (proposal.by, wanted.proposed_by):
        raise SecondPersonRequired()
    said |= {"metadata": wanted.metadata, "cid": wanted.cid, "proposed_by": proposal.by}
    return [CompensationApproved(**said)]
