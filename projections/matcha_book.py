"""What became of every matcha: spent on a generation, there, held, expired, or taken for a refund.

In two assets: `MATCHA` was paid for, `MATCHA_FREE` was given. All names of a pass make one account
here: a merge moves lots and changes none, so it is left out. What was refunded in money although it
is used was delivered all the same; that it is owed is an operator's case, not a line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain.matcha import MATCHA, Lot, MatchaAccount
from domain.matcha_events import (
    MatchaCaptured,
    MatchaClawedBack,
    MatchaEvent,
    MatchaExpired,
    MatchaGranted,
    MatchaHeld,
    MatchaMovedIn,
    MatchaMovedOut,
)
from domain.matcha_lots import LotClass
from ledger.codec import Recorded
from projections.book import Line, Outcome

ASSETS: Mapping[LotClass, str] = {"paid": MATCHA, "free": f"{MATCHA}_FREE"}


@dataclass(slots=True)
class MatchaBook:
    """`ended` are the parts of lots that are gone, `began` where lots and holds were recorded."""

    account: MatchaAccount = field(default_factory=MatchaAccount)
    ended: list[tuple[Recorded, Outcome, str, int]] = field(default_factory=list)
    began: dict[str, Recorded] = field(default_factory=dict)
    paid: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, recorded: Recorded) -> None:
        match recorded.event:
            case MatchaMovedOut() | MatchaMovedIn():
                return
            case MatchaGranted(lot_id=lot_id, lot_class=lot_class, amount=amount):
                self.paid[ASSETS[lot_class]] += amount
                self.began[lot_id] = recorded
            case MatchaHeld(generation_id=id_):
                self.began[id_] = recorded
            case MatchaCaptured(lots=lots):
                self.ended += [(recorded, "delivered", lot_id, n) for lot_id, n in lots.items()]
            case MatchaExpired(lot_id=lot_id, amount=amount):
                self.ended.append((recorded, "expired", lot_id, amount))
            case MatchaClawedBack(lot_id=lot_id, amount=amount) if amount:
                self.ended.append((recorded, "refunded", lot_id, amount))
        if isinstance(recorded.event, MatchaEvent):
            self.account = self.account.evolve(recorded.event)

    def lines(self) -> Iterable[Line]:
        """`event_id` is of what became of it: a capture, an expiry, a refund; for what is held its
        hold, for what is there its grant."""
        lots = self.account.lots
        for recorded, outcome, lot_id, amount in self.ended:
            yield _line(recorded, lots[lot_id], outcome, amount)
        for hold in self.account.holds.values():
            for lot_id, amount in hold.lots.items():
                yield _line(self.began[hold.hold_id], lots[lot_id], "in_flight", amount)
        for lot in lots.values():
            if lot.free:
                yield _line(self.began[lot.lot_id], lot, "credit", lot.free)


def _line(recorded: Recorded, lot: Lot, outcome: Outcome, amount: int) -> Line:
    generation_id = getattr(recorded.event, "generation_id", None)
    return Line(
        event_id=recorded.id,
        position=recorded.position,
        what=f"{lot.source}, generation {generation_id}" if generation_id else lot.source,
        outcome=outcome,
        tx="",
        asset=ASSETS[lot.lot_class],
        amount=amount,
    )
