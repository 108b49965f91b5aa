"""The cases of level tokens: a token that is owed, a failure nobody can explain, a conflict.

A case of a token that is owed is open from the burn on, so that it is there before anything goes
wrong (`invariants.md` I-20), and ends with the token.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from domain import upgrade_events as happened
from ledger.codec import Recorded

TOPICS = (
    happened.BurnConfirmed,
    happened.LevelMintFailed,
    happened.MintRetryAsked,
    happened.LevelMinted,
    happened.CompensationProposed,
    happened.CompensationApproved,
    happened.UpgradeFailed,
    happened.UpgradeReopened,
    happened.CorrectionRecorded,
    happened.ReviewClosed,
)


@dataclass(frozen=True, slots=True)
class Tries:
    """What is particular to these cases: how often a mint was tried, when the next try comes."""

    attempts: int = 0
    next_try_at: datetime | None = None
    facts: dict[str, str] = field(default_factory=dict)


def owed_case(upgrade_id: str) -> str:
    return f"owed:{upgrade_id}"


def support_case(upgrade_id: str) -> str:
    return f"support:{upgrade_id}"


def review_case(mint: str) -> str:
    return f"review:{mint}"


def case_keys(event: happened.UpgradeEvent) -> tuple[str, ...]:
    match event:
        case happened.CorrectionRecorded(mint=mint, review=review):
            return (review_case(mint),) if review or closes(event) else ()
        case happened.ReviewClosed(mint=mint) if mint:
            return (review_case(mint),)
        case happened.UpgradeFailed() | happened.UpgradeReopened() | happened.ReviewClosed():
            return (support_case(event.upgrade_id),)
        case happened.BurnConfirmed(mint=mint):
            return (owed_case(event.upgrade_id), support_case(event.upgrade_id), review_case(mint))
        case happened.LevelMinted():
            return (owed_case(event.upgrade_id), support_case(event.upgrade_id))
    return (owed_case(event.upgrade_id),)


def opens(key: str, event: happened.UpgradeEvent) -> str:
    """The kind of case that this event opens; empty: none."""
    match event:
        case happened.BurnConfirmed() if key.startswith("owed:"):
            return "burned_not_minted"
        case happened.UpgradeFailed(reason_class="SUPPORT"):
            return "upgrade_failed"
        case happened.CorrectionRecorded(review=True, kind=kind):
            return kind
    return ""


def closes(event: happened.UpgradeEvent) -> bool:
    match event:
        case happened.LevelMinted() | happened.ReviewClosed() | happened.UpgradeReopened():
            return True
        case happened.CorrectionRecorded(kind="came_back" | "burned_outside"):
            return True
    return isinstance(event, happened.BurnConfirmed)


def fold_tries(known: Tries, recorded: Recorded) -> Tries:
    def said(**facts: str) -> Tries:
        return replace(known, facts={**known.facts, **facts})

    match recorded.event:
        case happened.BurnConfirmed(signature=signature, mint=mint, owner=owner):
            return said(tx=signature, burned=mint, wallet=owner)
        case happened.LevelMintFailed(tried=tried, retry_at=at, reason=reason):
            return replace(said(reason=reason), attempts=tried, next_try_at=at)
        case happened.MintRetryAsked():
            return replace(known, next_try_at=None)
        case happened.CompensationApproved(level=level, by=by):
            return replace(said(approved_level=str(level), approved_by=by), next_try_at=None)
        case happened.CompensationProposed(level=level, by=by):
            return said(proposed_level=str(level), proposed_by=by)
        case happened.LevelMinted(mint=mint, level=level):
            return replace(said(mint=mint, level=str(level)), next_try_at=None)
        case happened.UpgradeFailed(reason=reason):
            return said(reason=reason)
        case happened.CorrectionRecorded(mint=mint, ledger_value=ours, chain_value=theirs):
            return said(mint=mint, ledger=ours, chain=theirs)
    return known
