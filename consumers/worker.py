"""Takes due promises from the views and hands each to its reaction, one holder at a time.

A promise is held by an advisory lock of this process's session, so a process that dies lets go at
once and another goes on. A promise stays due until the event that keeps it is projected; between
two looks at the same one there is a pause, longer after each failure of the world, and longer the
older the promise: what nobody ever keeps costs little. Of the kinds in `NUDGED`, `due_at` moves
only for news from outside, and then nobody waits for the end of the pause.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import structlog
from psycopg import AsyncConnection

from consumers.gateways.ports import Failure, TryAgain
from consumers.reactions.promise import Promise, Reaction
from domain.event import Refused
from ledger.errors import LedgerUnavailable
from ledger.statements import named_statements

SQL = named_statements(Path(__file__).with_suffix(".sql"))
POLL_S = 0.03
RECONNECT_S = 0.5
AGE_SHARE = 64
FAILURES_MAX = 10_000
NUDGED = frozenset({"mma"})
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. `again`: between two looks at a fresh promise; `longest`: between any two."""

    again: float = 1.0
    longest: float = 30.0

    def after(self, failures: int, age_s: float) -> float:
        pause = max(self.again * 2 ** min(failures, 16), age_s / AGE_SHARE)
        return min(self.longest, pause) * random.uniform(0.75, 1.0)


class Worker:
    """Runs `reactions` by kind, at most `hands` at once, until `stop`; looks for promises that are
    due every `poll_s` seconds."""

    def __init__(
        self,
        url: str,
        reactions: Mapping[str, Reaction],
        now: Callable[[], datetime],
        *,
        hands: int = 32,
        poll_s: float = POLL_S,
        paces: Mapping[str, Pace] | None = None,
    ) -> None:
        self._url, self._reactions, self._now, self._hands = url, reactions, now, hands
        self._paces, self._poll_s = paces or {}, poll_s
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._not_before: dict[tuple[str, str], tuple[float, datetime]] = {}
        self._failures: dict[str, int] = {}
        self._stop = asyncio.Event()

    def stop(self) -> None:
        self._stop.set()

    async def run(self) -> None:
        while not self._stop.is_set():
            try:
                async with await AsyncConnection.connect(self._url, autocommit=True) as session:
                    await self._work(session)
            except psycopg.OperationalError as down:
                log.warning("worker_waits", why=str(down))
                await self._pause(RECONNECT_S)
            finally:
                await self._let_go()

    async def _work(self, session: AsyncConnection) -> None:
        one_at_a_time = asyncio.Lock()
        while not self._stop.is_set():
            async with one_at_a_time:
                rows = await self._due(session)
            for row in rows:
                promise = Promise(*row)
                task = asyncio.create_task(self._hold(session, one_at_a_time, promise))
                self._busy[promise.todo_id] = task
                task.add_done_callback(lambda _, id_=promise.todo_id: self._busy.pop(id_, None))
            await self._pause(self._poll_s)

    async def _due(self, session: AsyncConnection) -> list[Any]:
        moment = asyncio.get_running_loop().time()
        self._not_before = {k: p for k, p in self._not_before.items() if p[0] > moment}
        skip, paused = list(self._busy), [f"{id_} {kind}" for id_, kind in self._not_before]
        seen = [due_at for _, due_at in self._not_before.values()]
        free = self._hands - len(self._busy)
        if free <= 0:
            return []
        kinds = list(self._reactions)
        values = {"at": self._now(), "skip": skip, "kinds": kinds, "limit": free}
        values |= {"paused": paused, "seen": seen}
        return await (await session.execute(SQL["due"], values)).fetchall()

    async def _hold(
        self, session: AsyncConnection, one_at_a_time: asyncio.Lock, promise: Promise
    ) -> None:
        values = {
            "id": promise.todo_id,
            "kind": promise.kind,
            "order": promise.order_id,
            "at": self._now(),
        }
        async with one_at_a_time:
            take = SQL.get(f"take_{promise.kind}", SQL["take"])
            row = await (await session.execute(take, values)).fetchone()
        if row is None or not row[0]:
            self._wait(promise, 0)
            return
        try:
            await self._react(promise)
        finally:
            async with one_at_a_time:
                await session.execute(SQL["let_go"], values)

    async def _react(self, promise: Promise) -> None:
        try:
            await self._reactions[promise.kind](promise)
        except Refused as refused:
            log.info("promise_refused", todo=promise.todo_id, why=refused.sentence)
            self._wait(promise, self._fail(promise))
        except (Failure, LedgerUnavailable, psycopg.OperationalError) as failure:
            log.warning("promise_waits", todo=promise.todo_id, why=str(failure))
            least = failure.after_s if isinstance(failure, TryAgain) else 0.0
            self._wait(promise, self._fail(promise), least)
        except Exception:
            log.exception("promise_crashed", todo=promise.todo_id)
            self._wait(promise, self._fail(promise))
        else:
            self._failures.pop(promise.todo_id, None)
            self._wait(promise, 0)

    def _fail(self, promise: Promise) -> int:
        failures = self._failures.pop(promise.todo_id, 0) + 1
        self._failures[promise.todo_id] = failures
        while len(self._failures) > FAILURES_MAX:  # the longest ago: most likely kept since
            del self._failures[next(iter(self._failures))]
        return failures

    def _wait(self, promise: Promise, failures: int, least: float = 0.0) -> None:
        age_s = (self._now() - promise.due_at).total_seconds()
        pause = max(least, self._paces.get(promise.kind, Pace()).after(failures, age_s))
        until = asyncio.get_running_loop().time() + pause
        seen = promise.due_at if promise.kind in NUDGED else FOREVER
        self._not_before[promise.todo_id, promise.kind] = until, seen

    async def _let_go(self) -> None:
        """A reaction without its lock may not go on: whoever holds it next looks first."""
        for task in list(self._busy.values()):
            task.cancel()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return
