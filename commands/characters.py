"""What can be asked of a Character: to exist, and to get its image once it is paid for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from commands.command import Answer, Command, Seen
from commands.passes import current_pass, survivors
from domain.character import Character, CharacterCreated, ImageStored, Kind, character_stream
from domain.event import Event, Refused
from domain.mint_ui import OrderStatus
from domain.mint_view import describe_character
from domain.order import Order
from domain.order_events import order_stream
from domain.roles import prompt_for

_CHARACTERS = UUID("5b1f1c0e-8f0f-5a63-9c56-0d6d1f6f5a10")


class NotPaid(Refused):
    """The order behind this character is not confirmed; nothing is made before it is paid."""


FURTHER: tuple[OrderStatus, ...] = ("failed", "pending", "verifying", "confirmed")


def character_id(pass_id: str, role: str, kind: Kind) -> str:
    """One id for (pass, role, kind), so that asking twice meets the same stream."""
    return str(uuid5(_CHARACTERS, f"{pass_id}\n{role}\n{kind}"))


def order_of(seen: Seen, character: Character) -> Order | None:
    return seen.get(Order, order_stream(character.order_id)) if character.order_id else None


def described(seen: Seen, stream: str) -> dict[str, object]:
    """The view of a character that this command has in sight, with the events it rests on."""
    character = seen.get(Character, stream)
    order = order_of(seen, character)
    streams = [stream, order.stream] if order else [stream]
    because = [f"{name}/{seen.version(name)}" for name in streams]
    return describe_character(character, order, because)


class WithCharacter(Command):
    character_id: str

    @property
    def stream(self) -> str:
        return character_stream(self.character_id)

    def reads(self, seen: Seen) -> Iterator[str]:
        yield self.stream
        if self.stream in seen and (order_id := self.character(seen).order_id):
            yield order_stream(order_id)

    def character(self, seen: Seen) -> Character:
        return seen.get(Character, self.stream)

    def pass_id(self, seen: Seen) -> str:
        return self.character(seen).pass_id

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(200, described(seen, self.stream))


class CreateCharacter(Command):
    """Creates or finds the one character of (pass, role, kind).

    A pass that absorbed others finds theirs too: it never gets a second one.
    """

    owner: str
    role: str
    kind: Kind

    def reads(self, seen: Seen) -> Iterator[str]:
        chain = list(survivors(seen, self.owner))
        yield from chain
        if chain[-1] in seen:
            yield from self._candidates(seen)
            for stream in self._candidates(seen):
                if stream in seen and (order_id := seen.get(Character, stream).order_id):
                    yield order_stream(order_id)

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        stream = self._stream(seen)
        known = seen.get(Character, stream)
        owner = current_pass(seen, self.owner).pass_id or self.owner
        id_ = stream.partition(":")[2]
        created = CharacterCreated(character_id=id_, pass_id=owner, role=self.role, kind=self.kind)
        return known.create(created)

    def pass_id(self, seen: Seen) -> str:
        return current_pass(seen, self.owner).pass_id or self.owner

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(201 if new else 200, described(seen, self._stream(seen)))

    def _candidates(self, seen: Seen) -> list[str]:
        known = current_pass(seen, self.owner)
        owners = [known.pass_id or self.owner, *known.absorbed]
        return [character_stream(character_id(o, self.role, self.kind)) for o in owners]

    def _stream(self, seen: Seen) -> str:
        """Of several, brought together by a merge, the one that has come furthest."""
        candidates = self._candidates(seen)
        made = [stream for stream in candidates if seen.get(Character, stream).created]

        def came(stream: str) -> int:
            order = order_of(seen, seen.get(Character, stream))
            return FURTHER.index(order.status) + 1 if order else 0

        return max(made, key=came) if made else candidates[0]


class RequestGeneration(WithCharacter):
    """Records the intent to make the image of a confirmed order, before a provider is asked."""

    provider: str
    model: str

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        character, order = self.character(seen), order_of(seen, self.character(seen))
        if order is None or order.payment is None:
            raise NotPaid()
        prompt = prompt_for(character.role, character.kind)
        return character.request_generation(order.order_id, prompt, self.provider, self.model)


class RetryGeneration(RequestGeneration):
    """The pass asks again for a failed image: the same unit, free, one attempt for all who ask."""

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        self.character(seen).may_retry_generation()
        return super().decide(seen, at)

    def answer(self, seen: Seen, new: bool) -> Answer:
        return Answer(202, described(seen, self.stream))


class FailGeneration(WithCharacter):
    """An attempt ended without a picture; `error_class` is one of `providers.md` §0."""

    attempt: int
    error_class: str
    reason: str
    retry_cap: timedelta
    not_before: timedelta = timedelta()

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.character(seen).fail_generation(
            self.attempt,
            self.error_class,
            self.reason,
            at=at,
            cap=self.retry_cap,
            not_before=self.not_before,
        )


class StoreImage(WithCharacter):
    """The picture of an attempt is stored and was read back with this digest."""

    attempt: int
    output_url: str
    sha256: str
    content_type: str
    bytes: int
    width: int
    height: int

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.character(seen).store_image(ImageStored(**self.model_dump()))
