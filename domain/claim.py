"""Claim: what may be taken only once, as a stream whose first version collides when taken.

A claim is written in the same append as the fact that it guards, so that both stand or neither.
Its streams never travel to Kafka. Six kinds: `claim:identity:…` (which pass a wallet belongs to),
`claim:payment:…` (which order a payment on chain funds), `claim:mint:…` (which unit of a batch a
request opened), `claim:welcome:…` (who was given free matcha), `key:…` (the first answer to a
request with an idempotency key) and `inbox:…` (a message that was already taken in).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from domain.event import Event, Secret, event


def mint_claim(wish: str) -> str:
    return f"claim:mint:{wish}"


def welcome_claim(identity: str) -> str:
    return f"claim:welcome:{identity}"


@event("claim_taken.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimTaken(Event):
    """`holder` is the stream that may count on what `claim` names."""

    claim: str
    holder: str

    @property
    def stream(self) -> str:
        return self.claim


@event("request_answered.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAnswered(Event):
    """The first answer to an idempotency key; `request_hash` tells the same request from another.

    The answer itself is in the event's metadata (`answer`), as `contract.md` §1 asks.
    """

    claim: str
    request_hash: str

    @property
    def stream(self) -> str:
        return self.claim


@event("request_answered_in_secret.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAnsweredInSecret(Event):
    """Like RequestAnswered, for an answer that moves money or mints: JSON, sealed for its pass."""

    claim: str
    request_hash: str
    answer: Secret

    @property
    def stream(self) -> str:
        return self.claim


@event("message_taken.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTaken(Event):
    """A message of a topic took effect; `origin` is topic/partition/offset."""

    claim: str
    origin: str

    @property
    def stream(self) -> str:
        return self.claim


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds a claim; `holder` is empty while it is free."""

    holder: str = ""
    request_hash: str = ""
    answer: str = field(default="", repr=False)

    @property
    def taken(self) -> bool:
        return bool(self.holder)

    def take(self, claim: str, holder: str) -> list[Event]:
        return [] if self.holder == holder else [ClaimTaken(claim=claim, holder=holder)]

    def evolve(self, event: Event) -> Claim:
        match event:
            case ClaimTaken(holder=holder):
                return replace(self, holder=holder)
            case RequestAnswered(claim=claim, request_hash=request_hash):
                return replace(self, holder=claim, request_hash=request_hash)
            case RequestAnsweredInSecret(claim=claim, request_hash=request_hash, answer=answer):
                return replace(self, holder=claim, request_hash=request_hash, answer=answer)
            case MessageTaken(origin=origin):
                return replace(self, holder=origin)
        return self
