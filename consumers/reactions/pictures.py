"""Makes the picture that a paid regeneration owes: intent, look-up, provider, store, outcome.

Like `generation.py`, but recorded at once and not by way of Kafka, for the payer waits for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import reduce

from commands.regeneration import FailRegeneration, RequestRegeneration, StoreRegeneration
from consumers.gateways.ports import (
    Failure,
    ImageProvider,
    Picture,
    PictureStore,
    StoredPicture,
    TryAgain,
)
from consumers.reactions.promise import Desk, Promise
from domain.geoplet_events import RegenerationRequested
from domain.x402_events import x402_stream
from domain.x402_order import X402Order

MADE_MAX = 64
QUOTE_CHARS = 12


class Pictures:
    """`mintable` makes a picture small enough for the contract."""

    def __init__(
        self,
        desk: Desk,
        provider: ImageProvider,
        store: PictureStore,
        mintable: Callable[[Picture], Awaitable[Picture]],
        retry_cap: timedelta,
    ) -> None:
        self._desk, self._provider, self._store = desk, provider, store
        self._mintable, self._retry_cap = mintable, retry_cap
        # Paid for and not stored yet, by order and words; it waits for its store.
        self._made: dict[tuple[str, str], Picture] = {}

    async def make(self, promise: Promise) -> None:
        """Opens the next attempt when its time has come, or goes on with the open one."""
        order, prompt = await self._order(promise.order_id)
        if not order.picture.open and not order.picture.stored:
            again = RequestRegeneration(
                order_id=order.order_id,
                prompt=prompt,
                provider=self._provider.name,
                model=self._provider.model,
            )
            await self._desk.do(again, cause=promise.todo_id)
            order, prompt = await self._order(promise.order_id)
        if not order.picture.open:
            return
        key = picture_key(order.order_id, order.picture.attempt)
        try:
            stored = await self._store.find(key) or await self._make(order, prompt, key)
        except Failure as failure:
            await self._fail(order, failure, prompt, promise)
        else:
            await self._keep(order, stored, promise)

    async def _order(self, order_id: str) -> tuple[X402Order, str]:
        """The order, and the words that its newest picture was asked for with."""
        stream = x402_stream(order_id)
        events = (await self._desk.ledger.streams([stream]))[stream].events
        prompts = [e.prompt for e in events if isinstance(e, RegenerationRequested)]
        return reduce(X402Order.evolve, events, X402Order()), prompts[-1] if prompts else ""

    async def _make(self, order: X402Order, prompt: str, key: str) -> StoredPicture:
        wanted = (order.order_id, prompt)
        if wanted not in self._made:
            reference = f"{order.order_id}/{order.picture.attempt}"
            made = await self._provider.generate(prompt, reference=reference)
            self._made[wanted] = await self._mintable(made)
            while len(self._made) > MADE_MAX:
                del self._made[next(iter(self._made))]
        stored = await self._store.put(key, self._made[wanted])
        self._made.pop(wanted, None)
        return stored

    async def _keep(self, order: X402Order, stored: StoredPicture, promise: Promise) -> None:
        command = StoreRegeneration(
            order_id=order.order_id,
            attempt=order.picture.attempt,
            provider=self._provider.name,
            output_url=stored.url,
            sha256=stored.sha256,
            content_type=stored.content_type,
            bytes=stored.bytes,
        )
        await self._desk.do(command, cause=promise.todo_id)

    async def _fail(
        self, order: X402Order, failure: Failure, prompt: str, promise: Promise
    ) -> None:
        after_s = failure.after_s if isinstance(failure, TryAgain) else 0.0
        command = FailRegeneration(
            order_id=order.order_id,
            attempt=order.picture.attempt,
            provider=self._provider.name,
            error_class=failure.error_class,
            reason=without(prompt, failure.reason)[:500],
            retry_cap=self._retry_cap,
            not_before=timedelta(seconds=after_s),
        )
        await self._desk.do(command, cause=promise.todo_id)


def without(prompt: str, reason: str) -> str:
    """A reason is read by many, a prompt by nobody: of a vendor's sentence that repeats some of it,
    only `vendor: code` is kept."""
    words, said = " ".join(prompt.split()), " ".join(reason.split())
    starts = range(max(1, len(words) - QUOTE_CHARS + 1))
    if any(words[start : start + QUOTE_CHARS] in said for start in starts):
        return ":".join(reason.split(":")[:2])
    return reason


def picture_key(order_id: str, attempt: int) -> str:
    """Where the picture of an attempt is stored, once it is."""
    return f"regenerations/{order_id}/{attempt}.webp"
