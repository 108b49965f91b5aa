"""CreditAccount: what a pass has paid for and not had yet, per asset, with holds on it.

Life of a credit: granted → held by a batch → captured when its token is minted, or released and
held by another. balance = granted − captured, available = balance − held; neither is ever negative.
A hold ends at most once a unit. `decisions.md` C12, C13; `PFP` credits never expire.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Literal

from domain.event import Event, Refused, event

Asset = Literal["PFP"]


class NotEnoughCredits(Refused):
    """There are not that many credits left."""


def account_stream(pass_id: str) -> str:
    return f"credit_account:{pass_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditEvent(Event):
    """`account_id` is the pass whose credits these are; `meta` is what the ledger's `mg_meta` shows
    of it: the asset, by how much the balance moved and how much more is held."""

    account_id: str
    asset: Asset
    meta: dict[str, str | int]

    @property
    def stream(self) -> str:
        return account_stream(self.account_id)


@event("credits_granted.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsGranted(CreditEvent):
    """`batch_id` is what was paid."""

    batch_id: str
    amount: int


@event("credits_held.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsHeld(CreditEvent):
    batch_id: str
    amount: int


@event("credits_released.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsReleased(CreditEvent):
    batch_id: str
    amount: int


@event("credit_captured.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCaptured(CreditEvent):
    """One credit became the token `index` of a batch."""

    batch_id: str
    index: int


@event("credits_moved_out.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsMovedOut(CreditEvent):
    """The pass was merged: all of its credits, holds included, are now `to`'s."""

    amount: int
    to: str


@event("credits_moved_in.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsMovedIn(CreditEvent):
    """`batch_ids` hold as much of it as stands in the same place of `held`."""

    amount: int
    batch_ids: tuple[str, ...]
    held: tuple[int, ...]
    source: str


@dataclass(frozen=True, slots=True)
class CreditAccount:
    """Balances by asset, holds by asset and batch, and the units that were captured already; or,
    in `moved_to`, the pass that a merge has moved them to."""

    balances: Mapping[str, int] = field(default_factory=dict)
    holds: Mapping[tuple[str, str], int] = field(default_factory=dict)
    captured: frozenset[tuple[str, int]] = frozenset()
    moved_to: str = ""

    # Questions.

    def balance(self, asset: Asset) -> int:
        return self.balances.get(asset, 0)

    def held(self, asset: Asset, batch_id: str) -> int:
        return self.holds.get((asset, batch_id), 0)

    def available(self, asset: Asset) -> int:
        of_asset = (amount for (held, _), amount in self.holds.items() if held == asset)
        return self.balance(asset) - sum(of_asset)

    def holders(self, asset: Asset) -> tuple[str, ...]:
        """The batches that hold some, oldest first."""
        return tuple(batch_id for held, batch_id in self.holds if held == asset)

    # Decisions.

    def grant(self, account_id: str, asset: Asset, batch_id: str, amount: int) -> list[Event]:
        """Adds what was paid for, held by the batch that paid it."""
        if not amount:
            return []
        granted = CreditsGranted(
            **_of(account_id, asset, delta=amount), batch_id=batch_id, amount=amount
        )
        return [granted, _held(account_id, asset, batch_id, amount)]

    def hold(self, account_id: str, asset: Asset, batch_id: str, amount: int) -> list[Event]:
        if not amount:
            return []
        if amount > self.available(asset):
            raise NotEnoughCredits(f"({self.available(asset)} {asset})")
        return [_held(account_id, asset, batch_id, amount)]

    def release(
        self, account_id: str, asset: Asset, batch_id: str, amount: int | None = None
    ) -> list[Event]:
        """`amount` of a batch's hold, None: all of it."""
        there = self.held(asset, batch_id)
        freed = there if amount is None else min(amount, there)
        if not freed:
            return []
        ids = _of(account_id, asset, held=-freed)
        return [CreditsReleased(**ids, batch_id=batch_id, amount=freed)]

    def capture(self, account_id: str, asset: Asset, batch_id: str, index: int) -> list[Event]:
        if (batch_id, index) in self.captured:
            return []
        if not self.held(asset, batch_id):
            raise NotEnoughCredits(f"(batch {batch_id} holds none)")
        ids = _of(account_id, asset, delta=-1, held=-1)
        return [CreditCaptured(**ids, batch_id=batch_id, index=index)]

    def move(self, account_id: str, to: str) -> list[Event]:
        """Both halves, for one append: a merge moves balances by ledger entries. Nothing is moved
        out, too, so that who grants a credit meanwhile meets the merge and looks again."""
        asset: Asset = "PFP"
        amount, holders = self.balance(asset), self.holders(asset)
        held = tuple(self.held(asset, batch_id) for batch_id in holders)
        gone = _of(account_id, asset, delta=-amount, held=-sum(held))
        out = CreditsMovedOut(**gone, amount=amount, to=to)
        if not amount:
            return [out]
        come = _of(to, asset, delta=amount, held=sum(held))
        holds: Any = {"batch_ids": holders, "held": held}
        return [out, CreditsMovedIn(**come, **holds, amount=amount, source=account_id)]

    # History.

    def evolve(self, event: Event) -> CreditAccount:
        match event:
            case CreditsGranted(asset=asset, amount=amount):
                return self._add(asset, amount)
            case CreditsHeld(asset=asset, batch_id=batch_id, amount=amount):
                return self._hold(asset, batch_id, amount)
            case CreditsReleased(asset=asset, batch_id=batch_id, amount=amount):
                return self._hold(asset, batch_id, -amount)
            case CreditCaptured(asset=asset, batch_id=batch_id, index=index):
                done = self._add(asset, -1)._hold(asset, batch_id, -1)
                return replace(done, captured=self.captured | {(batch_id, index)})
            case CreditsMovedOut(to=to):
                return CreditAccount(captured=self.captured, moved_to=to)
            case CreditsMovedIn(asset=asset, amount=amount, batch_ids=holders, held=held):
                more = self._add(asset, amount)
                holds = zip(holders, held, strict=True)
                return reduce(lambda a, hold: a._hold(asset, *hold), holds, more)
        return self

    def _add(self, asset: str, amount: int) -> CreditAccount:
        total = self.balances.get(asset, 0) + amount
        return replace(self, balances={**self.balances, asset: total})

    def _hold(self, asset: str, batch_id: str, amount: int) -> CreditAccount:
        place = (asset, batch_id)
        holds = {**self.holds, place: self.holds.get(place, 0) + amount}
        return replace(self, holds={name: held for name, held in holds.items() if held})


def _of(account_id: str, asset: Asset, *, delta: int = 0, held: int = 0) -> Any:
    """The fields that every event of an account has."""
    meta = {"asset": asset, "delta": delta, "held": held}
    return {"account_id": account_id, "asset": asset, "meta": meta}


def _held(account_id: str, asset: Asset, batch_id: str, amount: int) -> Event:
    return CreditsHeld(**_of(account_id, asset, held=amount), batch_id=batch_id, amount=amount)
