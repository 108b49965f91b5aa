"""Character: an image that may become a token; one of each (pass, role, kind), for ever.

Life: created → orders attached → generation requested → failed (tried again, free) … → stored.
One attempt is open at a time, whoever asked for it, so a user's retry and a background retry never
buy twice. A stored image is final. Seed 000, `contract.md` §3, `decisions.md` C23.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from domain.event import Event, Refused, Secret, event
from domain.mint_ui import ImageStatus
from domain.state import changed

QUICK_ATTEMPTS = 3
QUICK_RETRY = timedelta(seconds=1)
Kind = Literal["role", "mini_me"]
RETRIED = frozenset({"transient", "throttled", "quota", "unknown"})


def character_stream(character_id: str) -> str:
    return f"character:{character_id}"


class NothingToRetry(Refused):
    """There is no failed image to make again; `next_action` tells the next step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterEvent(Event):
    character_id: str

    @property
    def stream(self) -> str:
        return character_stream(self.character_id)


@event("character_created.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterCreated(CharacterEvent):
    pass_id: str
    role: str
    kind: Kind


@event("order_attached.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAttached(CharacterEvent):
    """`order_id` is now the order of this character; `number` counts from 1."""

    order_id: str
    number: int


@event("generation_requested.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequested(CharacterEvent):
    """The intent, recorded before a provider is called; `order_id` is the paid order behind it."""

    order_id: str
    attempt: int
    prompt: Secret
    provider: str
    model: str


@event("generation_failed.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationFailed(CharacterEvent):
    """`retry_at` None: only the pass asks again. `gave_up`: the quick tries are used up."""

    attempt: int
    error_class: str
    reason: str
    retry_at: datetime | None
    gave_up: bool


@event("image_stored.v1")
@dataclass(frozen=True, slots=True, kw_only=True)
class ImageStored(CharacterEvent):
    """The picture is at its permanent public URL. `bytes` is its size, `sha256` its digest."""

    attempt: int
    output_url: str
    sha256: str
    content_type: str
    bytes: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Attempt:
    number: int
    open: bool = True


@dataclass(frozen=True)
class Character:
    character_id: str = ""
    pass_id: str = ""
    role: str = ""
    kind: Kind = "role"
    order_id: str = ""
    orders: int = 0
    attempt: Attempt | None = None
    failures: int = 0
    gave_up: bool = False
    retry_at: datetime | None = None
    image: ImageStored | None = None

    # Questions.

    @property
    def created(self) -> bool:
        return bool(self.character_id)

    @property
    def image_status(self) -> ImageStatus:
        if self.image:
            return "done"
        if self.attempt is None:
            return ""
        return "failed" if self.gave_up and not self.attempt.open else "generating"

    @property
    def generating(self) -> bool:
        return self.attempt is not None and self.attempt.open and self.image is None

    # Decisions: what the business does when asked. Asked again, it does nothing more.

    def create(self, created: CharacterCreated) -> list[Event]:
        return [] if self.created else [created]

    def attach(self, order_id: str) -> list[Event]:
        if order_id == self.order_id:
            return []
        number = self.orders + 1
        ids = {"character_id": self.character_id, "order_id": order_id}
        return [OrderAttached(**ids, number=number)]

    def request_generation(
        self, order_id: str, prompt: str, provider: str, model: str
    ) -> list[Event]:
        """Opens the next attempt of a paid order; an open attempt serves whoever asks."""
        if self.image or self.generating:
            return []
        number = self.attempt.number + 1 if self.attempt else 1
        return [
            GenerationRequested(
                character_id=self.character_id,
                order_id=order_id,
                attempt=number,
                prompt=prompt,
                provider=provider,
                model=model,
            )
        ]

    def fail_generation(
        self,
        attempt: int,
        error_class: str,
        reason: str,
        *,
        at: datetime,
        cap: timedelta,
        not_before: timedelta = timedelta(),
    ) -> list[Event]:
        """`cap` bounds the pause before the next try; `not_before` is the provider's own wish."""
        if not self._awaits(attempt):
            return []
        failures = self.failures + 1
        again = error_class in RETRIED
        gave_up = failures >= QUICK_ATTEMPTS or error_class not in ("transient", "throttled")
        return [
            GenerationFailed(
                character_id=self.character_id,
                attempt=attempt,
                error_class=error_class,
                reason=reason,
                retry_at=at + max(self._pause(failures, cap), not_before) if again else None,
                gave_up=gave_up,
            )
        ]

    def store_image(self, stored: ImageStored) -> list[Event]:
        """A picture that arrives late, for an attempt already given up, is kept all the same."""
        known = self.attempt is not None and stored.attempt <= self.attempt.number
        return [stored] if known and self.image is None else []

    def may_retry_generation(self) -> None:
        if self.image_status != "failed":
            raise NothingToRetry()

    # History: how each fact changes what is known. It never refuses.

    def evolve(self, event: Event) -> Character:
        match event:
            case CharacterCreated(character_id=id_, pass_id=owner, role=role, kind=kind):
                return changed(self, character_id=id_, pass_id=owner, role=role, kind=kind)
            case OrderAttached(order_id=order_id, number=number):
                return changed(self, order_id=order_id, orders=number)
            case GenerationRequested(attempt=number):
                return changed(self, attempt=Attempt(number), retry_at=None)
            case GenerationFailed(attempt=number, retry_at=retry_at, gave_up=gave_up):
                closed = changed(self, attempt=Attempt(number, open=False), retry_at=retry_at)
                return changed(closed, gave_up=gave_up, failures=self.failures + 1)
            case ImageStored():
                return changed(self, image=event, retry_at=None)
        return self

    # Helpers.

    def _awaits(self, attempt: int) -> bool:
        return self.generating and self.attempt is not None and self.attempt.number == attempt

    def _pause(self, failures: int, cap: timedelta) -> timedelta:
        """Doubles up to `cap`, less a share of up to a quarter drawn from the id: jitter without
        chance."""
        pause: timedelta = min(cap, QUICK_RETRY * 2 ** min(failures - 1, 20))
        share = sha256(f"{self.character_id}/{failures}".encode()).digest()[0]
        return pause - pause * share / 1024
