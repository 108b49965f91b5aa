"""Levels: what each asks for, and how far a pass is on its way to the next one.

Config `nft.levels` (spec `contract.md` §6; volumes of seed 002, badges of S2's own repository).
Volumes are decimal strings of US dollars, compared exactly; always the next level only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

LEVELS_KEY = "nft.levels"
LEVELS_MAX = 20
BADGES_MAX = 1_000
# As exact as trades are; `providers.md` §11.
_usd = re.compile(r"[0-9]{1,20}(\.[0-9]{1,10})?")

NAMES: Mapping[int, str] = {
    1: "Tech Chicken",
    2: "Quant Ape",
    3: "On-chain Hunter",
    4: "Alpha Alchemist",
    5: "Quantum Alchemist",
}


def level_name(level: int) -> str:
    """What the token of a level is called; of levels beyond the product's own just the number."""
    return NAMES.get(level, f"Level {level}")


@dataclass(frozen=True, slots=True)
class Level:
    level: int
    volume_usd: Decimal
    badges: int


DEFAULT_LEVELS = [
    {"level": 1, "volume_usd": "100000", "badges": 0},
    {"level": 2, "volume_usd": "500000", "badges": 2},
    {"level": 3, "volume_usd": "5000000", "badges": 4},
    {"level": 4, "volume_usd": "10000000", "badges": 5},
    {"level": 5, "volume_usd": "50000000", "badges": 6},
]


def levels_of(value: Any) -> tuple[Level, ...]:
    """The table in a config value. ValueError says what is wrong with it."""
    if not isinstance(value, list) or not 1 <= len(value) <= LEVELS_MAX:
        raise ValueError(f"must be a list of 1 to {LEVELS_MAX} levels")
    levels = tuple(_level(number, row) for number, row in enumerate(value, 1))
    if any(above.volume_usd <= below.volume_usd for below, above in pairwise(levels)):
        raise ValueError("each level must ask for more volume than the one below")
    return levels


def _level(number: int, row: Any) -> Level:
    if not isinstance(row, dict) or set(row) != {"level", "volume_usd", "badges"}:
        raise ValueError("each level has exactly level, volume_usd and badges")
    if type(row["level"]) is not int or row["level"] != number:
        raise ValueError("levels must count from 1 without a hole")
    if type(row["badges"]) is not int or not 0 <= row["badges"] <= BADGES_MAX:
        raise ValueError(f"badges must be an integer from 0 to {BADGES_MAX}")
    return Level(number, _volume(row["volume_usd"]), row["badges"])


def _volume(said: Any) -> Decimal:
    if not isinstance(said, str) or not _usd.fullmatch(said) or not Decimal(said):
        raise ValueError("volume_usd must be a decimal string above 0")
    return Decimal(said)


@dataclass(frozen=True, slots=True)
class Badge:
    """A badge that a pass has; `badge_id` names this one award of it."""

    badge_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Record:
    """What the topics `trades` and `badges` say of a pass; the badges in the order of award."""

    volume_usd: Decimal
    badges: tuple[Badge, ...]

    def without(self, taken: frozenset[str]) -> Record:
        """Badges that an upgrade has consumed, or holds, do not count again."""
        left = tuple(badge for badge in self.badges if badge.badge_id not in taken)
        return Record(self.volume_usd, left)


@dataclass(frozen=True, slots=True)
class Qualification:
    """How a pass stands before one level. `badges` are those that it would consume."""

    level: Level
    record: Record

    @property
    def missing(self) -> list[str]:
        enough = self.record.volume_usd >= self.level.volume_usd
        collected = len(self.record.badges) >= self.level.badges
        return [*([] if enough else ["volume"]), *([] if collected else ["badges"])]

    @property
    def qualified(self) -> bool:
        return not self.missing

    @property
    def progress_percent(self) -> int:
        """Of the volume; 100 only when there is enough of it."""
        share = Fraction(self.record.volume_usd) / Fraction(self.level.volume_usd)
        return max(0, min(100, int(share * 100)))

    @property
    def badges(self) -> tuple[Badge, ...]:
        return self.record.badges[: self.level.badges]


def next_level(levels: Sequence[Level], level: int) -> Level | None:
    """The one above; None at the top."""
    return levels[level] if level < len(levels) else None


def spoken_usd(amount: Decimal) -> str:
    """A decimal string without exponent and without zeros at its end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
