"""A handler for intake tests: it records steps, has a bug to mend, and meets outages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from commands.command import Command, Context, Seen, handle
from consumers.gateways.ports import TryAgain
from consumers.message import Message
from domain.event import Event
from domain.order_events import WalletStepShown, order_stream
from ledger.ledger import Ledger
from tests.consumers.filling import AT


class ShowStep(Command):
    """Records a step however often it is asked: only the message's id keeps it from twice."""

    order_id: str
    step: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield order_stream(self.order_id)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        ids = {"order_id": self.order_id, "character_id": self.order_id}
        return [WalletStepShown(**ids, step=self.step)]


class Steps:
    """A handler with a bug that can be mended, and a world that can misbehave for a while."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.broken: set[str] = set()
        self.outages: dict[str, int] = {}
        self.calls: list[str] = []

    async def take(self, message: Message) -> None:
        step = message.value["step"]
        self.calls.append(step)
        if step in self.broken:
            raise KeyError(f"nobody thought of {step}")
        if self.outages.get(step, 0) > 0:
            self.outages[step] -= 1
            raise TryAgain("the node is away", after_s=0.01)
        context = Context(
            at=AT, correlation_id=message.id, causation_id=message.id, message=message.id
        )
        await handle(self._ledger, ShowStep(order_id=message.key, step=step), context)
