"""What can be asked of the trees that tokens are minted into."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from commands.command import Command, Seen
from domain.event import Event
from domain.grove import Grove, grove_stream
from domain.solana import Prepared


class WithGrove(Command):
    authority: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield grove_stream(self.authority)

    def grove(self, seen: Seen) -> Grove:
        return seen.get(Grove, grove_stream(self.authority))


class SeeGrove(WithGrove):
    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []


class SignTree(WithGrove):
    """The creation's bytes and signature, before they leave."""

    tree: str
    creation: Prepared

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.grove(seen).sign(self.authority, self.tree, self.creation)


class DropTree(WithGrove):
    signature: str
    reason: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.grove(seen).drop(self.signature, self.reason)


class GrowTree(WithGrove):
    """The chain has it."""

    tree: str
    capacity: int

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.grove(seen).grow(self.authority, self.tree, self.capacity)


class FillTree(WithGrove):
    tree: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.grove(seen).fill(self.authority, self.tree)
