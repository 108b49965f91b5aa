"""Lots of matcha and holds on them: the values that a MatchaAccount is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

LotClass = Literal["paid", "free"]
Why = Literal["failed", "cancelled", "expired"]
"""Why a hold was released."""

WELCOME: Final = "welcome"
"""The source of the free matcha that a pass is given once."""


@dataclass(frozen=True, slots=True)
class NewLot:
    """What is to be granted. `lot_id` names it for ever, across passes; `source` is what led to it:
    the stream of an order, or `welcome`."""

    lot_id: str
    lot_class: LotClass
    amount: int
    expires_at: datetime
    source: str


@dataclass(frozen=True)
class Lot:
    """Matcha that came together. amount = left + captured + expired + taken; `held` is part of
    `left`. `refunded` is how much of it was paid back in money, by `references`; `taken` is how
    much was clawed back for that. `lapses` counts how often some of it expired."""

    lot_id: str
    lot_class: LotClass
    source: str
    amount: int
    granted_at: datetime
    expires_at: datetime
    left: int
    held: int = 0
    expired: int = 0
    taken: int = 0
    refunded: int = 0
    references: tuple[str, ...] = ()
    lapses: int = 0

    @property
    def free(self) -> int:
        """Neither spent nor held."""
        return self.left - self.held

    @property
    def debt(self) -> int:
        """What was refunded although it is used: captured, or held and so perhaps captured soon.
        What expired was not used, so nobody owes it."""
        return max(0, self.refunded - self.taken - self.expired - self.free)

    @property
    def lapse_id(self) -> str:
        return f"expired:{self.lot_id}:{self.lapses + 1}"

    @property
    def turn(self) -> tuple[datetime, bool, datetime, str]:
        """Which is spent first: earliest expiry, free before paid, then the oldest (C11)."""
        return (self.expires_at, self.lot_class == "paid", self.granted_at, self.lot_id)


@dataclass(frozen=True, slots=True)
class Hold:
    """`lots` says how much of each lot it holds."""

    hold_id: str
    lots: Mapping[str, int]
    expires_at: datetime

    @property
    def amount(self) -> int:
        return sum(self.lots.values())
