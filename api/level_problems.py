"""How the level routes say no: from their refusals to status and code (`contract.md` §6)."""

from __future__ import annotations

from domain import upgrade_refusals as refusals
from domain.config import InvalidConfig

# class of refusal → status, code, seconds after which asking again makes sense
LEVEL_TABLE: dict[type[Exception], tuple[int, str, int | None]] = {
    refusals.NotQualified: (403, "NOT_QUALIFIED", None),
    refusals.AlreadyUnlocked: (409, "ALREADY_UNLOCKED", None),
    refusals.TokenElsewhere: (409, "TOKEN_ELSEWHERE", None),
    refusals.LevelWalletRequired: (409, "WALLET_REQUIRED", None),
    refusals.NotDecidedSo: (409, "NOT_DECIDED_SO", None),
    refusals.NoToken: (409, "NO_TOKEN", None),
    refusals.TopLevel: (409, "TOP_LEVEL", None),
    refusals.UpgradeUnderway: (409, "UPGRADE_UNDERWAY", 10),
    refusals.UpgradeOver: (410, "UPGRADE_EXPIRED", None),
    refusals.SecondPersonRequired: (409, "SECOND_PERSON_REQUIRED", None),
    refusals.NothingOwed: (409, "NOTHING_OWED", None),
    refusals.LevelTooLow: (422, "LEVEL_TOO_LOW", None),
    refusals.LevelUnknown: (422, "LEVEL_UNKNOWN", None),
    refusals.TooManySubmissions: (409, "TOO_MANY_ATTEMPTS", 60),
    InvalidConfig: (422, "INVALID_CONFIG", None),
}
