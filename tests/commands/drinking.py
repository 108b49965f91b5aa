"""What happens to a pass's matcha, as commands of the kind that the studio and the shop have."""

from __future__ import annotations

from datetime import datetime, timedelta

from commands.command import Seen
from commands.matcha import SeeMatcha
from domain.event import Event
from domain.matcha import NewLot

LASTS = timedelta(days=30)


class OfMatcha(SeeMatcha):
    """`id_` names a lot or a hold."""

    id_: str
    amount: int = 0


class Buy(OfMatcha):
    """A paid order; `lot_class` free: a gift."""

    lot_class: str = "paid"

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        lot = NewLot(self.id_, self.lot_class, self.amount, at + LASTS, f"order:{self.id_}")  # type: ignore[arg-type]
        return self.account(seen).grant(self.pass_id(seen), lot, at)


class Hold(OfMatcha):
    lasts: timedelta = timedelta(hours=1)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        owner, until = self.pass_id(seen), at + self.lasts
        return self.account(seen).hold(owner, self.id_, self.amount, until, at)


class Capture(OfMatcha):
    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.account(seen).capture(self.pass_id(seen), self.id_, at)


class Release(OfMatcha):
    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.account(seen).release(self.pass_id(seen), self.id_, "failed", at)


class Refund(OfMatcha):
    reference: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        owner = self.pass_id(seen)
        return self.account(seen).claw_back(owner, self.id_, self.amount, self.reference, at)
