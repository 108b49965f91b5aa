"""Makes the image of a paid character: intent, look-up, provider, store, outcome.

An attempt has one place in the store. Before a provider is asked, that place is looked at: a crash
after the picture was stored costs nothing, one before it may cost a second picture, never a second
payment. Spec `providers.md` §2: no provider here can be asked what became of a lost call.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from commands.characters import FailGeneration, RequestGeneration, WithCharacter
from commands.command import look
from consumers.gateways.ports import (
    Failure,
    ImageProvider,
    Picture,
    PictureStore,
    StoredPicture,
    TryAgain,
)
from consumers.reactions.promise import Desk, Promise, Publishes
from domain.character import Character

PROVIDER_RESULTS = "provider.results"
MADE_MAX = 64


class Generation:
    def __init__(
        self,
        desk: Desk,
        provider: ImageProvider,
        store: PictureStore,
        publisher: Publishes,
        retry_cap: timedelta,
    ) -> None:
        self._retry_cap = retry_cap
        self._desk, self._provider = desk, provider
        self._store, self._publisher = store, publisher
        # A picture that was paid for and is not stored yet, by character; it waits for its store.
        self._made: dict[str, Picture] = {}

    async def generate(self, promise: Promise) -> None:
        """Opens the next attempt, or goes on with the open one, and publishes its outcome."""
        request = RequestGeneration(
            character_id=promise.character_id,
            provider=self._provider.name,
            model=self._provider.model,
        )
        await self._desk.do(request, cause=promise.todo_id)
        character = request.character(await look(self._desk.ledger, request))
        if not character.generating:
            return
        assert character.attempt is not None
        key = picture_key(character.character_id, character.attempt.number)
        try:
            stored = await self._store.find(key) or await self._make(character, key)
        except Failure as failure:
            await self._fail(character, failure, promise)
        else:
            await self._say_stored(character, stored)

    async def _make(self, character: Character, key: str) -> StoredPicture:
        assert character.attempt is not None
        id_ = character.character_id
        reference = f"{id_}/{character.attempt.number}"
        if id_ not in self._made:
            prompt = await self._prompt(character)
            self._made[id_] = await self._provider.generate(prompt, reference=reference)
            while len(self._made) > MADE_MAX:
                del self._made[next(iter(self._made))]
        stored = await self._store.put(key, self._made[id_])
        del self._made[id_]
        return stored

    async def _prompt(self, character: Character) -> str:
        see = WithCharacter(character_id=character.character_id)
        events = (await self._desk.ledger.streams([see.stream]))[see.stream].events
        return next(e.prompt for e in reversed(events) if e.TOPIC == "generation_requested.v1")

    async def _say_stored(self, character: Character, stored: StoredPicture) -> None:
        await self._say(character, "stored", asdict(stored))

    async def _fail(self, character: Character, failure: Failure, promise: Promise) -> None:
        """Recorded first: no message could prove it, and until it is, the attempt is open."""
        assert character.attempt is not None
        after_s = failure.after_s if isinstance(failure, TryAgain) else 0.0
        reason = failure.reason[:500]
        command = FailGeneration(
            character_id=character.character_id,
            attempt=character.attempt.number,
            error_class=failure.error_class,
            reason=reason,
            retry_cap=self._retry_cap,
            not_before=timedelta(seconds=after_s),
        )
        await self._desk.do(command, cause=promise.todo_id)
        await self._say(character, "failed", {"error_class": failure.error_class, "reason": reason})

    async def _say(self, character: Character, outcome: str, facts: dict[str, object]) -> None:
        assert character.attempt is not None
        attempt = character.attempt.number
        value = {"character_id": character.character_id, "attempt": attempt, "outcome": outcome}
        stream = f"character:{character.character_id}"
        await self._publisher.publish(
            PROVIDER_RESULTS,
            stream,
            {**value, **facts},
            message_id=f"{stream}/attempt/{attempt}:{outcome}",
        )


def picture_key(character_id: str, attempt: int) -> str:
    """Where the picture of an attempt is stored, once it is."""
    return f"characters/{character_id}/{attempt}.png"
