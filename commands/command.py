"""A command names the streams it must see and what to decide; `handle` is the only way to write.

handle = load, decide, append; look again when somebody else decided first. Claims, idempotency
keys and messages already taken in are streams like any other: one append holds the whole effect.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import Any, TypeVar
from uuid import uuid4

from pydantic import BaseModel, ConfigDict

from commands.aggregates import Aggregate, initial
from domain.claim import Claim, MessageTaken, RequestAnswered, RequestAnsweredInSecret
from domain.event import ERASED, Event, Refused
from ledger.errors import StreamConflict
from ledger.ledger import Ledger, NewEvent

ATTEMPTS_MAX = 8


A = TypeVar("A", bound=Aggregate)


class KeyReused(Refused):
    """This Idempotency-Key was used for another request; use a new key for a new request."""


class AnswerErased(Refused):
    """The answer to this Idempotency-Key was erased with its pass; use a new key."""


class TooBusy(Refused):
    """Others kept changing the same thing; nothing was done. Ask again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told: an HTTP status and a JSON body. Kept with an idempotency key; one
    that is `secret` is kept sealed."""

    status: int
    body: dict[str, Any]
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """Who asks, when, and what led to it. `causation_id` names one command or external fact."""

    at: datetime
    correlation_id: str
    causation_id: str
    by: str = ""
    key: str = ""
    request_hash: str = ""
    message: str = ""
    command_id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def claims(self) -> list[str]:
        kept = [f"key:{self.key}"] if self.key else []
        return [*kept, f"inbox:{self.message}"] if self.message else kept


class Seen:
    """What a command has loaded: each stream folded, with its version and last position."""

    def __init__(self) -> None:
        self._states: dict[str, tuple[Any, int]] = {}
        self.position = 0

    def get(self, kind: type[A], stream: str) -> A:
        """The aggregate of a stream that `reads` has named, as its events have made it."""
        state = self._states[stream][0]
        assert isinstance(state, kind)
        return state

    def version(self, stream: str) -> int:
        return self._states[stream][1]

    def __contains__(self, stream: str) -> bool:
        return stream in self._states

    def add(self, stream: str, events: list[Event], position: int) -> None:
        state = reduce(lambda known, event: known.evolve(event), events, initial(stream))
        self._states[stream] = (state, len(events))
        self.position = max(self.position, position)

    def evolve(self, events: Iterable[Event]) -> None:
        for event in events:
            state, version = self._states.get(event.stream) or (initial(event.stream), 0)
            self._states[event.stream] = (state.evolve(event), version + 1)


class Command(BaseModel):
    """A request in the imperative. Ids come from the caller; a command never calls out."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    def reads(self, seen: Seen) -> Iterator[str]:
        """Names the streams to see. Asked again after each load, so one may lead to the next."""
        raise NotImplementedError

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        """The facts, of any of the streams named; `[]` when it was done before; or a refusal."""
        raise NotImplementedError

    def pass_id(self, seen: Seen) -> str | None:
        """Whose events these are: the `pass_id` of their metadata and the key of their secrets."""
        return None

    def answer(self, seen: Seen, new: bool) -> Answer:
        """What the caller is told once it is recorded; `new` tells whether anything was."""
        return Answer(200, {})


@dataclass(frozen=True, slots=True)
class Outcome:
    """`position` is where the ledger shows the effect; `replayed` means the first answer again."""

    position: int
    answer: Answer
    events: tuple[Event, ...] = ()
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """What a command came to, not yet recorded. `rows` empty: nothing is to be recorded."""

    events: tuple[Event, ...]
    rows: tuple[NewEvent, ...]
    answer: Answer
    owner: str | None


async def handle(ledger: Ledger, command: Command, context: Context) -> Outcome:
    """Loads, decides, appends. Raises a Refused, LedgerUnavailable or BalanceRefused."""
    for _ in range(ATTEMPTS_MAX):
        seen = await look(ledger, command, context.claims)
        if before := await answered_before(ledger, context, seen):
            return before
        try:
            decided = decide(command, context, seen)
            if not decided.rows:
                return Outcome(seen.position, decided.answer)
            position = await ledger.append(decided.rows, pass_id=decided.owner)
        except StreamConflict:
            continue
        return Outcome(position, decided.answer, decided.events)
    raise TooBusy()


def decide(command: Command, context: Context, seen: Seen) -> Decided:
    """What the command comes to, by what is seen, which shows it from now on. May refuse."""
    events = command.decide(seen, context.at)
    versions = {event.stream: seen.version(event.stream) for event in events}
    seen.evolve(events)
    answer, owner = command.answer(seen, bool(events)), command.pass_id(seen)
    rows = _rows(events, versions, _metadata(context, owner), answer, context)
    return Decided(tuple(events), tuple(rows), answer, owner)


async def answered_before(ledger: Ledger, context: Context, seen: Seen) -> Outcome | None:
    """The first answer, when a key or message of `context` was taken in before."""
    for claim in context.claims:
        if seen.get(Claim, claim).taken:
            return await _first_answer(ledger, claim, context, seen)
    return None


async def look(ledger: Ledger, command: Command, claims: Sequence[str] = ()) -> Seen:
    """What the command would decide on, without deciding."""
    seen = Seen()
    await see(ledger, seen, lambda: [*claims, *command.reads(seen)])
    return seen


async def see(ledger: Ledger, seen: Seen, wanted: Callable[[], Iterable[str]]) -> None:
    """Adds the streams that are wanted, asking again after each load what they lead to."""
    while missing := list(dict.fromkeys(s for s in wanted() if s not in seen)):
        for stream, loaded in (await ledger.streams(missing)).items():
            seen.add(stream, loaded.events, loaded.position)


async def kept_outcome(ledger: Ledger, context: Context) -> Outcome | None:
    """The first answer to the key of `context`, None when it has none yet. Raises KeyReused."""
    claim = f"key:{context.key}"
    seen = Seen()
    for stream, loaded in (await ledger.streams([claim])).items():
        seen.add(stream, loaded.events, loaded.position)
    if not seen.get(Claim, claim).taken:
        return None
    return await _first_answer(ledger, claim, context, seen)


class KeepAnswer(Command):
    """Records nothing but the answer under its key, for work that took several commands; `about`
    is the stream it speaks of, whose pass it is kept for."""

    about: str
    status: int
    body: dict[str, Any]
    owner: str

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.about

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return []

    def pass_id(self, seen: Seen) -> str:
        return self.owner

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(self.status, self.body)


async def _first_answer(ledger: Ledger, claim: str, context: Context, seen: Seen) -> Outcome:
    if claim.startswith("inbox:"):
        return Outcome(seen.position, Answer(200, {}), replayed=True)
    if seen.get(Claim, claim).request_hash != context.request_hash:
        raise KeyReused()
    kept = await ledger.answer(claim)
    assert kept is not None
    answer, position = kept
    if sealed := seen.get(Claim, claim).answer:
        if sealed == ERASED:
            raise AnswerErased()
        answer = json.loads(sealed)
    return Outcome(position, Answer(answer["status"], answer["body"]), replayed=True)


def _metadata(context: Context, owner: str | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "correlation_id": context.correlation_id,
        "causation_id": context.causation_id,
        "command_id": context.command_id,
    }
    if owner:
        metadata["pass_id"] = owner
    if context.by:
        metadata["by"] = context.by
    if context.key:
        metadata["idempotency_key_hash"] = context.key
    return metadata


def _rows(
    events: list[Event],
    versions: dict[str, int],
    metadata: dict[str, Any],
    answer: Answer,
    context: Context,
) -> list[NewEvent]:
    rows = []
    for event in events:
        versions[event.stream] += 1
        rows.append(NewEvent(event.stream, versions[event.stream], event, metadata))
    if rows and context.message:
        taken = MessageTaken(claim=f"inbox:{context.message}", origin=context.message)
        rows.append(NewEvent(taken.stream, 1, taken, metadata))
    if context.key:
        rows.append(_kept(answer, metadata, context))
    return rows


def _kept(answer: Answer, metadata: dict[str, Any], context: Context) -> NewEvent:
    told: dict[str, Any] = {"status": answer.status, "body": answer.body}
    asked = {"claim": f"key:{context.key}", "request_hash": context.request_hash}
    if answer.secret:
        sealed = RequestAnsweredInSecret(**asked, answer=json.dumps(told))
        return NewEvent(sealed.stream, 1, sealed, metadata)
    first = RequestAnswered(**asked)
    return NewEvent(first.stream, 1, first, {**metadata, "answer": told})
