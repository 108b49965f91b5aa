"""Coalescer: turns whatever waits into one call, so that a round trip is shared.

No timer: while a call is under way the next batch gathers, and it leaves when the call is back and
those just answered have had a turn to ask again. Without that turn callers fall into two groups
that alternate, each call half as full as it could be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")
TURNS = 2


class Coalescer(Generic[Q, A]):
    """Answers questions in batches of at most `limit` (by `weight`).

    Two questions that share a `touches` key never share a batch: the second waits for the next.
    `call` answers a batch in order, an exception being the answer of one question; if `call` itself
    raises, every question of the batch gets that exception.
    """

    def __init__(
        self,
        call: Callable[[list[Q]], Awaitable[list[A | BaseException]]],
        *,
        limit: int,
        weight: Callable[[Q], int] = lambda _: 1,
        touches: Callable[[Q], Iterable[Hashable]] = lambda _: (),
    ) -> None:
        self._call, self._limit, self._weight, self._touches = call, limit, weight, touches
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._running: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return await answer

    async def drain(self) -> None:
        """Returns when nothing waits any more."""
        while self._running is not None and not self._running.done():
            await self._running

    async def _run(self) -> None:
        while self._waiting:
            batch = self._take()
            try:
                answers = await self._call([question for question, _ in batch])
            except Exception as failure:  # noqa: BLE001 — it is raised again, to each who asked
                answers = [failure] * len(batch)
            for (_, waiter), answer in zip(batch, answers, strict=True):
                if waiter.done():
                    continue
                if isinstance(answer, BaseException):
                    waiter.set_exception(answer)
                else:
                    waiter.set_result(answer)
            for _ in range(TURNS):
                await asyncio.sleep(0)

    def _take(self) -> list[tuple[Q, asyncio.Future[A]]]:
        batch: list[tuple[Q, asyncio.Future[A]]] = []
        left: list[tuple[Q, asyncio.Future[A]]] = []
        weight, touched = 0, set[Hashable]()
        for index, item in enumerate(self._waiting):
            keys = set(self._touches(item[0]))
            weight += self._weight(item[0])
            if batch and weight > self._limit:
                left.extend(self._waiting[index:])
                break
            if keys & touched:
                weight -= self._weight(item[0])
                left.append(item)
            else:
                batch.append(item)
            touched |= keys
        self._waiting = left
        return batch
