"""What a reaction is given and what it may use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from commands.command import Command, Context, Outcome, handle
from ledger.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Promise:
    """A due row of the projection `todo`."""

    todo_id: str
    kind: str
    order_id: str
    character_id: str
    attempts: int
    due_at: datetime


Reaction = Callable[[Promise], Awaitable[None]]
"""Does the next step of a promise. Raises a Failure when the world would not let it."""


class Publishes(Protocol):
    async def publish(
        self, topic: str, key: str, value: dict[str, Any], *, message_id: str
    ) -> None: ...


class Desk:
    """Issues commands on behalf of a promise or a message, with ids that lead back to it."""

    def __init__(self, ledger: Ledger, now: Callable[[], datetime]) -> None:
        self.ledger, self.now = ledger, now

    async def do(self, command: Command, *, cause: str, message: str = "") -> Outcome:
        """`cause` is the promise or message that led here, named in every event that follows."""
        context = Context(at=self.now(), correlation_id=cause, causation_id=cause, message=message)
        return await handle(self.ledger, command, context)
