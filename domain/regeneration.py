"""Regeneration: the one picture that a paid order is owed, however many tries it takes.

One attempt is open at a time, whoever asked for it. Within a day the payer may ask again for
nothing; what is not delivered by then is refund due. Seed 004 scenario 4, `decisions.md` C8, C23.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from domain import geoplet_events as happened
from domain.event import Event, Refused

RETRY_WITHIN = timedelta(hours=24)
QUICK_ATTEMPTS = 3
QUICK_RETRY = timedelta(seconds=0.5)
BACKGROUND_RETRY = timedelta(seconds=30)
RETRIED = frozenset({"transient", "throttled", "quota", "unknown"})


class NothingPaid(Refused):
    """There is no paid regeneration to make a picture for."""


@dataclass(frozen=True, slots=True)
class Regeneration:
    """`rounds` are the quick tries since somebody last asked; `error_class` is of the last one."""

    attempt: int = 0
    open: bool = False
    rounds: int = 0
    failures: int = 0
    error_class: str = ""
    reason: str = ""
    gave_up: bool = False
    retry_at: datetime | None = None
    stored: happened.RegenerationStored | None = None
    delivered: bool = False

    def request(self, requested: happened.RegenerationRequested) -> list[Event]:
        """Opens the next attempt; an open one, or one that comes by itself at once, serves all."""
        if self.stored or self.open:
            return []
        return [replace(requested, attempt=self.attempt + 1)]

    def fail(
        self, failed: happened.RegenerationFailed, *, at: datetime, cap: timedelta, wish: timedelta
    ) -> list[Event]:
        """`cap` bounds the pause before the next try, `wish` is the provider's own."""
        if not self.open or failed.attempt != self.attempt:
            return []
        again = failed.error_class in RETRIED
        quick = failed.error_class in ("transient", "throttled") and wish <= 4 * QUICK_RETRY
        gave_up = not quick or self.rounds + 1 >= QUICK_ATTEMPTS
        pause = max(self._pause(failed.order_id, gave_up, cap), wish)
        return [replace(failed, retry_at=at + pause if again else None, gave_up=gave_up)]

    def store(self, stored: happened.RegenerationStored) -> list[Event]:
        """A picture that comes late, for an attempt already given up, is kept all the same."""
        return [] if self.stored or stored.attempt > self.attempt else [stored]

    def deliver(self, delivered: happened.RegenerationDelivered) -> list[Event]:
        return [] if self.delivered or not self.stored else [delivered]

    def evolve(self, event: Event) -> Regeneration:
        match event:
            case happened.RegenerationRequested(attempt=number):
                rounds = 0 if self.gave_up else self.rounds
                asked = replace(self, attempt=number, open=True, retry_at=None)
                return replace(asked, rounds=rounds, gave_up=False)
            case happened.RegenerationFailed():
                return replace(
                    self,
                    open=False,
                    rounds=self.rounds + 1,
                    failures=self.failures + 1,
                    error_class=event.error_class,
                    reason=event.reason,
                    gave_up=event.gave_up,
                    retry_at=event.retry_at,
                )
            case happened.RegenerationStored():
                return replace(self, stored=event, open=False, retry_at=None, gave_up=False)
            case happened.RegenerationDelivered():
                return replace(self, delivered=True)
        return self

    def _pause(self, order_id: str, gave_up: bool, cap: timedelta) -> timedelta:
        """Doubles up to `cap`, less a share of up to a quarter drawn from the id: jitter without
        chance."""
        first = BACKGROUND_RETRY if gave_up else QUICK_RETRY
        waited = max(self.failures - QUICK_ATTEMPTS, 0) if gave_up else self.rounds
        pause: timedelta = min(cap, first * 2 ** min(waited, 16))
        share = sha256(f"{order_id}/{self.failures}".encode()).digest()[0]
        return pause - pause * share / 1024
