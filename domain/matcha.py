"""MatchaAccount: the matcha of a pass, in lots that expire, with holds for what is being made.

Life of a matcha: granted in a lot → held by a generation → captured on delivery, or released and
held by another; or expired, or clawed back because its purchase was refunded. Per lot, and so in
all: granted = captured + expired + taken + left; available = unheld of lots that are in date ≥ 0.
A hold ends at most once and is captured whole or not at all; what is held does not expire.
Spec `decisions.md` C5, C11, C30, `invariants.md` I-10 … I-12d; seed 001 §5.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from typing import Any

from domain.event import Event, Refused
from domain.matcha_events import (
    ExpiryTold,
    MatchaCaptured,
    MatchaClawedBack,
    MatchaExpired,
    MatchaGranted,
    MatchaHeld,
    MatchaLotsExtended,
    MatchaMovedIn,
    MatchaMovedOut,
    MatchaReleased,
    matcha_stream,
)
from domain.matcha_facts import (
    MATCHA,
    account_fields,
    clawed_back,
    ended_fields,
    moved_fields,
)
from domain.matcha_lots import WELCOME, Hold, Lot, NewLot, Why
from domain.state import changed

__all__ = [
    "MATCHA",
    "Hold",
    "InsufficientMatcha",
    "Lot",
    "MatchaAccount",
    "NewLot",
    "matcha_stream",
]


class InsufficientMatcha(Refused):
    """There is not enough matcha for this."""


@dataclass(frozen=True)
class MatchaAccount:
    """All lots ever granted, and the holds that are open; or where a merge has moved them."""

    lots: Mapping[str, Lot] = field(default_factory=dict)
    holds: Mapping[str, Hold] = field(default_factory=dict)
    moved_to: str = ""

    # Questions.

    @property
    def balance(self) -> int:
        return sum(lot.left for lot in self.lots.values())

    @property
    def held(self) -> int:
        return sum(hold.amount for hold in self.holds.values())

    @property
    def owed(self) -> int:
        """Refunded in money, but used: an operator's matter, never a negative balance (C30)."""
        return sum(lot.debt for lot in self.lots.values())

    @property
    def welcomed(self) -> bool:
        return any(lot.source == WELCOME for lot in self.lots.values())

    @property
    def expires_at(self) -> datetime | None:
        """The one date that is shown: the latest among lots that are not empty (C11)."""
        return max((lot.expires_at for lot in self.lots.values() if lot.left), default=None)

    @property
    def next_deadline(self) -> datetime | None:
        """When `expire` has something to do; a lot whose rest is held waits for the hold."""
        lots = (lot.expires_at for lot in self.lots.values() if lot.free)
        return min((*lots, *(hold.expires_at for hold in self.holds.values())), default=None)

    def available(self, at: datetime) -> int:
        return sum(lot.free for lot in self.lots.values() if lot.expires_at > at)

    # Decisions.

    def grant(self, pass_id: str, lot: NewLot, at: datetime) -> list[Event]:
        """A lot is granted once. A paid one keeps the other paid ones as long as itself, but what
        has expired already is not brought back."""
        if lot.lot_id in self.lots or lot.amount <= 0:
            return []
        lapsed = self._lapse(pass_id, at)
        granted = MatchaGranted(
            **moved_fields(pass_id, lot.lot_id, lot.amount, lots={lot.lot_id: lot.amount}),
            lot_id=lot.lot_id,
            lot_class=lot.lot_class,
            source=lot.source,
            amount=lot.amount,
            granted_at=at,
            expires_at=lot.expires_at,
        )
        extended = self._after(lapsed)._extend(pass_id, lot) if lot.lot_class == "paid" else []
        return self._told([*lapsed, granted, *extended])

    def hold(
        self, pass_id: str, hold_id: str, amount: int, expires_at: datetime, at: datetime
    ) -> list[Event]:
        """Sets `amount` aside for one generation; raises InsufficientMatcha. What is free of charge
        holds nothing. An id is used once: the ledger takes no second capture under it."""
        if not amount or hold_id in self.holds:
            return []
        if amount > self.available(at):
            raise InsufficientMatcha(f"({self.available(at)} of {amount})")
        lots: dict[str, int] = {}
        for lot in sorted(self.lots.values(), key=lambda lot: lot.turn):
            taken = min(lot.free, amount - sum(lots.values())) if lot.expires_at > at else 0
            lots |= {lot.lot_id: taken} if taken else {}
        about: Any = {"generation_id": hold_id, "lots": lots, "matcha_held_delta": amount}
        about |= account_fields(pass_id, held=amount, lots=lots)
        return [MatchaHeld(**about, amount=amount, expires_at=expires_at)]

    def capture(self, pass_id: str, hold_id: str, at: datetime) -> list[Event]:
        """Spends a hold; silent where none is open, since then nothing may be charged."""
        hold = self.holds.get(hold_id)
        if hold is None:
            return []
        ids = moved_fields(pass_id, hold_id, -hold.amount, held=-hold.amount, lots=hold.lots)
        return self._told([MatchaCaptured(**ids, **ended_fields(hold))])

    def release(self, pass_id: str, hold_id: str, reason: Why, at: datetime) -> list[Event]:
        """Frees a hold. What comes back to a refunded lot pays its debt first, and what comes back
        to a lot past its date expires at once."""
        hold = self.holds.get(hold_id)
        if hold is None:
            return []
        ids = account_fields(pass_id, held=-hold.amount, lots=hold.lots)
        events: list[Event] = [MatchaReleased(**ids, **ended_fields(hold), reason=reason)]
        freed = self._after(events)
        for lot_id in sorted(hold.lots):
            if paid := self.lots[lot_id].debt - freed.lots[lot_id].debt:
                reference = f"released:{hold_id}"
                events.append(clawed_back(pass_id, freed.lots[lot_id], reference, 0, paid))
        return self._told([*events, *self._after(events)._lapse(pass_id, at)])

    def expire(self, pass_id: str, at: datetime) -> list[Event]:
        """Ends what is past its date: holds, then what is unheld of lots."""
        events: list[Event] = []
        for hold in sorted(self.holds.values(), key=lambda hold: (hold.expires_at, hold.hold_id)):
            if hold.expires_at <= at:
                events += self._after(events).release(pass_id, hold.hold_id, "expired", at)
        return self._told([*events, *self._after(events)._lapse(pass_id, at)])

    def claw_back(
        self, pass_id: str, lot_id: str, amount: int, reference: str, at: datetime
    ) -> list[Event]:
        """Money for `amount` of a lot went back. Takes what is neither spent nor held; what was
        used becomes owed. Never more than the lot was. Silent for a lot that was not granted yet:
        whoever tells of the refund keeps it until then."""
        lot = self.lots.get(lot_id)
        if lot is None or reference in lot.references:
            return []
        lapsed = self._lapse(pass_id, at)
        lot = self._after(lapsed).lots[lot_id]
        refunded = min(amount, lot.amount - lot.refunded)
        if refunded <= 0:
            return []
        taken = min(refunded, lot.free)
        return self._told([*lapsed, clawed_back(pass_id, lot, reference, refunded, taken)])

    def move(self, pass_id: str, to: str, there: MatchaAccount, at: datetime) -> list[Event]:
        """Both halves of a merge, for one append; `there` is the account of `to`. Nothing is moved
        out, too, so that who grants or holds meanwhile meets the merge and looks again. One pass
        has one welcome (C31): where `there` had its own, this one's ends here."""
        ending = self._unwelcomed(at) if there.welcomed else self
        rest = ending._after(lapsed := ending._lapse(pass_id, at))
        amount, held = rest.balance, rest.held
        out = moved_fields(pass_id, f"merge:{pass_id}:out", -amount, held=-held)
        left = MatchaMovedOut(**out, amount=amount, to=to, matcha_held_delta=-held)
        gone = self._told([*lapsed, left])
        if not rest.lots:
            return gone
        come = MatchaMovedIn(
            **moved_fields(to, f"merge:{pass_id}:in", amount, held=held),
            amount=amount,
            source=pass_id,
            lots=tuple(rest.lots.values()),
            holds=tuple(rest.holds.values()),
            matcha_held_delta=held,
        )
        return [*gone, *there._told([come])]

    def _unwelcomed(self, at: datetime) -> MatchaAccount:
        """What is held of a welcome that ends may still be spent, but not held again."""
        lots = (lot for lot in self.lots.values() if lot.source == WELCOME and lot.expires_at > at)
        return self._with(*(replace(lot, expires_at=at) for lot in lots))

    def _lapse(self, pass_id: str, at: datetime) -> list[Event]:
        due = (lot for lot in self.lots.values() if lot.free and lot.expires_at <= at)
        return [
            MatchaExpired(
                **moved_fields(pass_id, lot.lapse_id, -lot.free, lots={lot.lot_id: lot.free}),
                lot_id=lot.lot_id,
                amount=lot.free,
            )
            for lot in sorted(due, key=lambda lot: lot.turn)
        ]

    def _extend(self, pass_id: str, lot: NewLot) -> list[Event]:
        kept = tuple(
            known.lot_id
            for known in self.lots.values()
            if known.lot_class == "paid" and known.left and known.expires_at < lot.expires_at
        )
        ids = account_fields(pass_id, lots=dict.fromkeys(kept, 0))
        return [MatchaLotsExtended(**ids, lot_ids=kept, expires_at=lot.expires_at)] if kept else []

    def _told(self, events: Iterable[Event]) -> list[Event]:
        """Each with the expiry that is shown after it."""
        told: list[Event] = []
        known = self
        for each in events:
            known = known.evolve(each)
            dated = isinstance(each, ExpiryTold)
            told.append(replace(each, matcha_expires_at=known.expires_at) if dated else each)  # type: ignore[call-arg]
        return told

    def _after(self, events: Iterable[Event]) -> MatchaAccount:
        return reduce(lambda known, event: known.evolve(event), events, self)

    # History.

    def evolve(self, event: Event) -> MatchaAccount:
        match event:
            case MatchaGranted() as e:
                lot = Lot(
                    lot_id=e.lot_id,
                    lot_class=e.lot_class,
                    source=e.source,
                    amount=e.amount,
                    granted_at=e.granted_at,
                    expires_at=e.expires_at,
                    left=e.amount,
                )
                return self._with(lot)
            case MatchaLotsExtended(lot_ids=lot_ids, expires_at=expires_at):
                return self._with(*(changed(self.lots[n], expires_at=expires_at) for n in lot_ids))
            case MatchaHeld(generation_id=id_, lots=lots, expires_at=expires_at):
                held = {**self.holds, id_: Hold(id_, lots, expires_at)}
                return changed(self._held(lots, 1), holds=held)
            case MatchaReleased(generation_id=id_, lots=lots):
                return self._held(lots, -1)._without(id_)
            case MatchaCaptured(generation_id=id_, lots=lots):
                return self._held(lots, -1)._without(id_)._spent(lots)
            case MatchaExpired(lot_id=lot_id, amount=n):
                lot = self.lots[lot_id]
                gone = changed(lot, expired=lot.expired + n, lapses=lot.lapses + 1)
                return self._with(gone)._spent({lot_id: n})
            case MatchaClawedBack() as e:
                lot = self.lots[e.lot_id]
                refunded, taken = lot.refunded + e.refunded, lot.taken + e.amount
                said = (*lot.references, e.reference)
                clawed = changed(lot, refunded=refunded, taken=taken, references=said)
                return self._with(clawed)._spent({e.lot_id: e.amount})
            case MatchaMovedOut(to=to):
                return MatchaAccount(moved_to=to)
            case MatchaMovedIn(lots=came, holds=holds):
                held = {**self.holds, **{hold.hold_id: hold for hold in holds}}
                return changed(self._with(*came), holds=held)
        return self

    def _with(self, *lots: Lot) -> MatchaAccount:
        return changed(self, lots={**self.lots, **{lot.lot_id: lot for lot in lots}})

    def _without(self, hold_id: str) -> MatchaAccount:
        rest = {name: hold for name, hold in self.holds.items() if name != hold_id}
        return changed(self, holds=rest)

    def _held(self, lots: Mapping[str, int], sign: int) -> MatchaAccount:
        moved = ((self.lots[name], sign * n) for name, n in lots.items())
        return self._with(*(changed(lot, held=lot.held + n) for lot, n in moved))

    def _spent(self, lots: Mapping[str, int]) -> MatchaAccount:
        moved = ((self.lots[name], n) for name, n in lots.items())
        return self._with(*(changed(lot, left=lot.left - n) for lot, n in moved))
