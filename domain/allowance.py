"""Allowance: how many tokens a wallet may mint, and which batches hold a place of it.

A slot is reserved when a batch is prepared, used when it is paid, and travels with the credit from
then on. It is released at most once, and only while nothing is paid. used + reserved never grows
beyond what was allowed. Keyed by wallet; a stream that never travels. Seed 003, `decisions.md` C13.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from domain.event import Event, event
from domain.pfp_refusals import NoSlots, NotEligible

ALLOWED_MAX = 1_000_000
GIVEN_BACK_MAX = 20


def allowance_stream(wallet: str) -> str:
    return f"allowance:{wallet}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceEvent(Event):
    wallet: str

    @property
    def stream(self) -> str:
        return allowance_stream(self.wallet)


@event("allowance_set.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceSet(AllowanceEvent):
    allowed: int


@event("slots_reserved.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsReserved(AllowanceEvent):
    """`count` 0: a credit covers it all, and the batch is only listed as open."""

    batch_id: str
    count: int


@event("slots_used.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsUsed(AllowanceEvent):
    batch_id: str
    count: int


@event("slots_released.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsReleased(AllowanceEvent):
    batch_id: str
    count: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """`reserved`: slots by open batch, oldest first. `given_back`: the last batches that let go of
    theirs; a transaction of one that was cancelled may still land."""

    allowed: int | None = None
    used: int = 0
    reserved: Mapping[str, int] = field(default_factory=dict)
    given_back: tuple[str, ...] = ()

    # Questions.

    @property
    def eligible(self) -> bool:
        return bool(self.allowed)

    @property
    def free(self) -> int:
        return max(0, (self.allowed or 0) - self.used - sum(self.reserved.values()))

    def slots_for(self, batch_id: str, wanted: int) -> int:
        """How many of `wanted` slots a payment that landed can have: those it reserved, else free
        ones, for it was given up and they were released."""
        return self.reserved[batch_id] if batch_id in self.reserved else min(wanted, self.free)

    # Decisions.

    def set(self, wallet: str, allowed: int) -> list[Event]:
        return [] if allowed == self.allowed else [AllowanceSet(wallet=wallet, allowed=allowed)]

    def reserve(self, wallet: str, batch_id: str, count: int) -> list[Event]:
        if batch_id in self.reserved:
            return []
        if count and not self.eligible:
            raise NotEligible()
        if count > self.free:
            raise NoSlots(f"({self.free} are left)")
        return [SlotsReserved(wallet=wallet, batch_id=batch_id, count=count)]

    def use(self, wallet: str, batch_id: str, count: int) -> list[Event]:
        return [SlotsUsed(wallet=wallet, batch_id=batch_id, count=count)]

    def release(self, wallet: str, batch_id: str) -> list[Event]:
        if batch_id not in self.reserved:
            return []
        count = self.reserved[batch_id]
        return [SlotsReleased(wallet=wallet, batch_id=batch_id, count=count)]

    # History.

    def evolve(self, event: Event) -> Allowance:
        match event:
            case AllowanceSet(allowed=allowed):
                return replace(self, allowed=allowed)
            case SlotsReserved(batch_id=batch_id, count=count):
                return replace(self, reserved={**self.reserved, batch_id: count})
            case SlotsUsed(batch_id=batch_id, count=count):
                return replace(self, reserved=self._without(batch_id), used=self.used + count)
            case SlotsReleased(batch_id=batch_id):
                last = (*self.given_back, batch_id)[-GIVEN_BACK_MAX:]
                return replace(self, reserved=self._without(batch_id), given_back=last)
        return self

    def _without(self, batch_id: str) -> Mapping[str, int]:
        return {id_: count for id_, count in self.reserved.items() if id_ != batch_id}
