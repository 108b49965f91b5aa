"""What can be asked of allowances: to say how many tokens each wallet may mint."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from commands.command import Answer, Command, Seen
from domain.allowance import Allowance, allowance_stream
from domain.event import Event

ITEMS_MAX = 1_000


class SetAllowances(Command):
    """Sets what is allowed for each (wallet, allowed), all or none."""

    items: tuple[tuple[str, int], ...]

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from (allowance_stream(wallet) for wallet, _ in self.items)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return [
            event
            for wallet, allowed in self.items
            for event in self.allowance(seen, wallet).set(wallet, allowed)
        ]

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, {"wallets": len(self.items)})

    def allowance(self, seen: Seen, wallet: str) -> Allowance:
        return seen.get(Allowance, allowance_stream(wallet))


class StartAllowances(SetAllowances):
    """Sets them where nobody has set any yet: what an administrator did later stays."""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return [
            event
            for wallet, allowed in self.items
            if self.allowance(seen, wallet).allowed is None
            for event in self.allowance(seen, wallet).set(wallet, allowed)
        ]


class SeeAllowance(Command):
    wallet: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield allowance_stream(self.wallet)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []
