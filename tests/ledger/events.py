"""Events that only tests know, for what no event of the domain does yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from domain.event import Event, Secret, SecretLeaves, event
from ledger.ledger import NewEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class OfStream(Event):
    at: str

    @property
    def stream(self) -> str:
        return self.at


@event("test_noted.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class Noted(OfStream):
    text: str = ""


@event("test_matcha_moved.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MatchaMoved(OfStream):
    pass_id: str
    matcha_delta: int = 0
    matcha_held_delta: int = 0


@event("test_transaction.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction(OfStream):
    """A record of one event: the database keeps its `mg_id` unique."""

    mg_id: str


@event("test_told.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class Told(OfStream):
    secret: Secret


@event("test_told_within.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ToldWithin(OfStream):
    said: SecretLeaves


def metadata(**more: Any) -> Mapping[str, Any]:
    ids = {name: str(uuid4()) for name in ("correlation_id", "causation_id", "command_id")}
    return {**ids, **more}


def new(event: Event, version: int, **more: Any) -> NewEvent:
    return NewEvent(event.stream, version, event, metadata(**more))


def noted(stream: str, version: int, text: str = "") -> NewEvent:
    return new(Noted(at=stream, text=text), version)


def moved(pass_id: str, version: int, delta: int = 0, held: int = 0) -> NewEvent:
    """One movement in the pass's own stream of credits."""
    fact = MatchaMoved(
        at=f"credit_account:{pass_id}",
        pass_id=pass_id,
        matcha_delta=delta,
        matcha_held_delta=held,
    )
    return new(fact, version)
