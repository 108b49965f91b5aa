"""What happened to a pass's matcha. Spec `decisions.md` C5, C11, C30; the ledger's columns read it.

`matcha_delta` becomes `mg_delta`, `matcha_held_delta` and `matcha_expires_at` move the row of
`mega_customers`. An event that moves the balance has a `mg_id` of its own, and so a row each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.event import Event, event
from domain.matcha_lots import Hold, Lot, LotClass, Why


def matcha_stream(pass_id: str) -> str:
    return f"credit_account:matcha:{pass_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchaEvent(Event):
    """`meta` is what `mg_meta` shows: the asset, by how much balance and holds moved, the lots."""

    pass_id: str
    meta: dict[str, Any]

    @property
    def stream(self) -> str:
        return matcha_stream(self.pass_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryTold(MatchaEvent):
    """`matcha_expires_at` is the latest expiry among lots that are not empty, after this event."""

    matcha_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceMoved(ExpiryTold):
    """`mg_id` is None where nothing moved."""

    mg_id: str | None
    matcha_delta: int


@event("matcha_granted.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MatchaGranted(BalanceMoved):
    lot_id: str
    lot_class: LotClass
    source: str
    amount: int
    granted_at: datetime
    expires_at: datetime


@event("matcha_lots_extended.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MatchaLotsExtended(ExpiryTold):
    """A purchase keeps everything that was paid for as long as itself."""

    lot_ids: tuple[str, ...]
    expires_at: datetime


@event("matcha_held.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MatchaHeld(MatchaEvent):
    """`lots` says how much of each lot. Ends by itself at `expires_at`."""

    generation_id: str
    amount: int
    lots: Mapping[str, int]
    expires_at: datetime
    matcha_held_delta: int


@event("matcha_released.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MatchaReleased(MatchaEvent):
    """Nothing was delivered, so nothing is spent."""

    generation_id: str
    amount: int
    lots: Mapping[str, int]
    reason: Why
    matcha_held_delta: int


@event("matcha_captured.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MatchaCaptured(BalanceMoved):
    """What was held is spent: the generation was delivered."""

    generation_id: str
    amount: int
    lots: Mapping[str, int]
    matcha_held_delta: int


@event("matcha_expired.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MatchaExpired(BalanceMoved):
    lot_id: str
    amount: int


@event("matcha_clawed_back.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MatchaClawedBack(BalanceMoved):
    """`refunded` of the lot were paid back in money by `reference` (0: no more than before, but a
    hold ended); `amount` are taken for it, and `owed` is what the pass owes for the lot now."""

    lot_id: str
    reference: str
    refunded: int
    amount: int
    owed: int


@event("matcha_moved_out.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MatchaMovedOut(BalanceMoved):
    """The pass was merged: all of its matcha, holds included, is now `to`'s."""

    amount: int
    to: str
    matcha_held_delta: int


@event("matcha_moved_in.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MatchaMovedIn(BalanceMoved):
    """Empty lots come along: a later refund of one still finds it."""

    amount: int
    source: str
    lots: tuple[Lot, ...]
    holds: tuple[Hold, ...]
    matcha_held_delta: int
