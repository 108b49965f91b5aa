"""What callers see of levels, and when somebody must look at one (`contract.md` §6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.levels import Level, Qualification, Record, next_level, spoken_usd
from domain.mint_view import spoken_time
from domain.upgrade import Upgrade
from domain.upgrade_attempt import Attempt
from domain.upgrade_events import ReasonClass


def describe_status(upgrade: Upgrade, free: Record, levels: Sequence[Level]) -> dict[str, Any]:
    """The body of `GET /api/nft/status`; `free` is without the badges that are taken. While a
    token is owed there is none, so the level is 0; `grace_level` is the one whose benefits go on
    meanwhile (`decisions.md` C18)."""
    token, attempt, recovery = upgrade.token, upgrade.attempt, upgrade.recovery
    shown = attempt is not None and not attempt.minted
    return {
        "level": upgrade.level,
        "nft": {"mint": token.mint, "level": token.level, "status": "minted"} if token else None,
        "grace_level": max(recovery.terms.level - 1, 0) if recovery else None,
        "volume_usd": spoken_usd(free.volume_usd),
        "badges": [badge.name for badge in free.badges],
        "next": describe_next(upgrade, free, levels),
        "upgrade": (
            {"id": attempt.terms.upgrade_id, "state": attempt.state} if attempt and shown else None
        ),
    }


def describe_next(upgrade: Upgrade, free: Record, levels: Sequence[Level]) -> dict[str, Any] | None:
    """How far the next level is. What an attempt that goes on has shown is not asked for again."""
    level = next_level(levels, upgrade.level_towards)
    if level is None:
        return None
    attempt = upgrade.recovery or next((each for each in upgrade.watched if each.open), None)
    proven = attempt is not None and attempt.level == level.level
    asked = Qualification(level, free)
    return {
        "level": level.level,
        "required_volume_usd": spoken_usd(level.volume_usd),
        "required_badges": level.badges,
        "progress_percent": 100 if proven else asked.progress_percent,
        "qualified": (proven or asked.qualified) and not upgrade.held_up,
        "missing": [] if proven else asked.missing,
    }


def describe_shortfall(asked: Qualification) -> dict[str, Any]:
    """What a refusal tells: the requirements and how far they are met."""
    level, record = asked.level, asked.record
    return {
        "requirements": {
            "level": level.level,
            "volume_usd": spoken_usd(level.volume_usd),
            "badges": level.badges,
        },
        "progress": {
            "volume_usd": spoken_usd(record.volume_usd),
            "badges": len(record.badges),
            "progress_percent": asked.progress_percent,
            "missing": asked.missing,
        },
    }


def describe_prepared(attempt: Attempt) -> dict[str, Any]:
    """The answer to whoever wants to unlock or upgrade."""
    unlock = attempt.terms.recipe == "nft_unlock"
    name = "transactionBase64" if unlock else "burn_transactionBase64"
    window = attempt.window
    return {
        "upgrade_id": attempt.terms.upgrade_id,
        name: window.raw if window else None,
        "expires_at": spoken_time(window.expires_at) if window else None,
    }


REASONS: Mapping[ReasonClass, str] = {
    "ADD_SOL": "Your wallet cannot pay the fee: add SOL and sign again. Nothing was taken.",
    "RETRYING": "The network did not take it in time. Nothing was taken; ask for it again.",
    "SUPPORT": "Something went wrong that we have to look into; nothing was taken.",
}
OWED_REASONS: Mapping[ReasonClass, str] = {
    "ADD_SOL": "",
    "RETRYING": "Your new token could not be minted yet. It is tried again by itself.",
    "SUPPORT": "Your new token could not be minted yet. It is tried again, and we look into it.",
}
"""While a token is owed; the wallet has nothing to pay then."""


def spoken_reason(attempt: Attempt) -> str | None:
    """For the customer; what a node said stands in the case of the operators."""
    kind = attempt.reason_class
    if kind is None:
        return None
    return OWED_REASONS[kind] if attempt.owed else REASONS[kind]


def describe_attempt(attempt: Attempt) -> dict[str, Any]:
    """The body of `GET /api/nft/upgrades/{id}`, but for its timeline."""
    terms, burn, minted, waits = attempt.terms, attempt.burn, attempt.minted, attempt.retry_at
    return {
        "upgrade_id": terms.upgrade_id,
        "recipe": terms.recipe,
        "state": attempt.state,
        "level": attempt.level,
        "reason_class": attempt.reason_class,
        "reason": spoken_reason(attempt),
        "expires_at": spoken_time(attempt.window.expires_at) if attempt.window else None,
        "wallet": terms.wallet,
        "burns": terms.burns or None,
        "mint": terms.mint,
        "metadata_uri": f"ipfs://{attempt.cid}",
        "evidence": {
            "volume_usd": terms.volume_usd,
            "required_volume_usd": terms.required_volume_usd,
            "badges": list(terms.badges),
            "config_version": terms.config_version,
        },
        "burn_signature": burn.signature if burn and burn.signature else None,
        "mint_signature": minted.signature if minted else None,
        "attempts": attempt.tried,
        "next_try_at": spoken_time(waits) if attempt.owed and waits else None,
    }


def watch_due(upgrade: Upgrade, since: datetime) -> datetime | None:
    """When somebody should ask the chain what became of a wallet's transaction, or go on with the
    mint of a token that is owed; None: nothing is open."""
    owed = upgrade.recovery
    if owed:
        return owed.retry_at or since
    return since if upgrade.watched else None


def pin_due(upgrade: Upgrade, since: datetime) -> datetime | None:
    """When somebody should store the metadata of a token that is, or is to be."""
    return since if unpinned(upgrade) else None


def unpinned(upgrade: Upgrade) -> tuple[Attempt, ...]:
    """Attempts whose metadata is not in the vault, the oldest first. What nobody has signed needs
    none yet, what failed needs none."""
    return tuple(
        each
        for each in upgrade.attempts.values()
        if (each.submitted or each.burn or each.minted)
        and not each.failed
        and not each.metadata_stored
    )
