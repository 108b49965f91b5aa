"""Reads the feed for all listeners of this process, and looks after them; it rests without any."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import stamina
import structlog
from psycopg_pool import PoolTimeout

from api.live.messages import Message, about, message_of, reset, snapshot
from api.live.meters import LiveMeters
from api.live.subscription import FeedAway, Place, Subscription
from api.live.threads import Thread
from api.principal import Directory, Principal
from api.problems import Limited, Unauthenticated
from ledger.clock import Clock
from ledger.ledger import Ledger
from ledger.statements import named_statements
from projections.feed import RESUMABLE
from projections.runner import DROPPED
from projections.studio_announcers import TOLD

SQL = named_statements(Path(__file__).with_name("live.sql"))
POLL_S = 0.05
SWEEP_S = 1.0
PAGE = 500
MISSED_PAGE = 200
SNAPSHOT_MAX = 500
CATCHING_UP_AT_ONCE = 2
AGAIN_S = 5
DOWN = (psycopg.OperationalError, PoolTimeout, *DROPPED)
_id = re.compile(r"[1-9][0-9]{0,17}")
_NOBODY: set[Subscription] = set()

log = structlog.get_logger()


class TooManyListeners(Limited):
    """This pass listens with as many connections as a pass may have; close one."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """`per_pass` connections hear all that a pass is told, `threads` follow one generation each.
    `stall_s`: how long a connection may take nothing of what is sent to it."""

    per_pass: int = 20
    threads: int = 2_500
    stall_s: float = 30.0


class Hub:
    """One a process. `rows` reads from the database; `ledger` has the keys of sealed texts."""

    def __init__(
        self,
        rows: Callable[..., Awaitable[Any]],
        ledger: Ledger,
        directory: Directory,
        clock: Clock,
        meters: LiveMeters,
        bounds: Bounds | None = None,
    ) -> None:
        self._rows, self._directory, self._clock, self._meters = rows, directory, clock, meters
        self._ledger = ledger
        self.bounds = bounds or Bounds()
        self.position = 0
        self._listeners: set[Subscription] = set()
        self._by_ear: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._passes: Counter[tuple[str, bool]] = Counter()
        self._following: asyncio.Task[None] | None = None
        self._catching_up = asyncio.Semaphore(CATCHING_UP_AT_ONCE)

    # Coming and going.

    async def place(self, last_id: str | None) -> Place:
        """Where to go on from what a client says that it heard last; None: with what comes now."""
        wanted = int(last_id) if last_id and _id.fullmatch(last_id) else 0
        ((reached, recorded_at),) = await self._rows(SQL["place"], {"wanted": wanted})
        if not last_id:
            return Place(reached, reached)
        if recorded_at is None:
            return Place(reached, reached, "unknown")
        if recorded_at < self._clock.now() - RESUMABLE:
            return Place(reached, reached, "too_old")
        return Place(reached, wanted)

    def thread(self, generation_id: str) -> Thread:
        return Thread(self._ledger, self, generation_id)

    async def place_in_thread(self, last_id: str | None) -> Place:
        """Like `place`, for one who follows a thread: from its first line unless told otherwise,
        however old that is, since a thread is read from the ledger."""
        wanted = int(last_id) if last_id and _id.fullmatch(last_id) else 0
        ((reached, recorded_at),) = await self._rows(SQL["place"], {"wanted": wanted})
        return Place(reached, wanted if recorded_at else 0)

    @asynccontextmanager
    async def listening(
        self,
        who: Principal,
        place: Place,
        transport: str,
        cut: Callable[[], None],
        thread: Thread | None = None,
    ) -> AsyncIterator[Subscription]:
        """A subscription for as long as a connection lives, to all that the pass is told or to one
        thread; `cut` ends one that takes nothing any more. Raises TooManyListeners."""
        counted = (who.pass_id, thread is not None)
        if self._passes[counted] >= (self.bounds.threads if thread else self.bounds.per_pass):
            raise TooManyListeners(AGAIN_S)
        if not self._listeners:  # nobody needs what came before
            self.position = max(self.position, place.reached)
        tally, topic = self._meters.tally(transport), thread.topic if thread else ""
        one = Subscription(thread or self, who, place, tally, cut, topic)
        self._enter(one)
        self._passes[counted] += 1
        one.tally.began()
        try:
            yield one
        finally:
            self._leave(one)
            self._passes -= Counter((counted,))
            one.tally.ended(one.closing)

    def _enter(self, one: Subscription) -> None:
        self._listeners.add(one)
        for ear in one.ears:
            self._by_ear[ear].add(one)
        if self._following is None or self._following.done():
            self._following = asyncio.create_task(self._follow())
            self._following.add_done_callback(self._ended)

    def _leave(self, one: Subscription) -> None:
        self._listeners.discard(one)
        for ear in one.ears:
            self._by_ear[ear].discard(one)
            if not self._by_ear[ear]:
                del self._by_ear[ear]

    async def __aenter__(self) -> Hub:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

    def _ended(self, following: asyncio.Task[None]) -> None:
        """Without it nobody would hear anything: better they come again."""
        if not following.cancelled() and (crash := following.exception()):
            log.error("live_crashed", exc_info=crash)
            for one in self._listeners:
                one.close("crashed")

    # Following the feed.

    async def _follow(self) -> None:
        swept = time.monotonic()
        while self._listeners:
            try:
                await self._look()
            except DOWN as down:
                log.warning("live_waits", why=str(down))
            if time.monotonic() - swept >= SWEEP_S:
                swept = time.monotonic()
                self._sweep()
            await asyncio.sleep(POLL_S)

    async def _look(self) -> None:
        """Offers what is new to whom it is for; page by page, so that others get their turn."""
        full = True
        while full:
            rows = await self._rows(SQL["news"], {"after": self.position, "limit": PAGE})
            news = [row for _, *row in rows if row[0] is not None]
            await self._load_keys(row for row in news if self._heard(*row))
            full = len(news) == PAGE
            for row in news:
                self._offer(*row)
            reached = rows[0][0] if rows and not full else self.position
            self.position = max(self.position, reached)

    def _offer(self, position: int, pass_id: str, *said: Any) -> None:
        if position <= self.position:  # it was passed over while this was being read
            return
        self.position = position
        if listeners := self._heard(position, pass_id, *said):
            message = self._message(position, pass_id, *said)
            for one in listeners:
                one.offer(message)

    def _heard(
        self, _: int, pass_id: str, type_: str, __: datetime, data: str
    ) -> set[Subscription]:
        """Who hears a row: those of its pass, and those who follow what it is about."""
        topic = about(type_, data)
        return self._by_ear.get(pass_id, _NOBODY) | self._by_ear.get(topic, _NOBODY)

    def _message(self, position: int, pass_id: str, type_: str, at: datetime, data: str) -> Message:
        return message_of(position, pass_id, type_, at, data, self._ledger.vault.reveal)

    async def _load_keys(self, rows: Iterable[Sequence[Any]]) -> None:
        """Those that the texts in rows (position, pass, type, …) are sealed with."""
        await self._ledger.vault.load_keys({row[1] for row in rows if row[2] == TOLD})

    def _sweep(self) -> None:
        """Ends what has no right to go on, and what does not go on."""
        now, blocked_before = time.time(), time.monotonic() - self.bounds.stall_s
        for one in list(self._listeners):
            one.forgive()
            if one.who.expires_at <= now:
                one.close("expired")
            if one.blocked_at is not None and one.blocked_at <= blocked_before:
                one.close("stalled")
                one.cut()
            self._renew(one)

    def _renew(self, one: Subscription) -> None:
        """A session that ended; a pass that was merged, so that more is its own than it heard."""
        try:
            who = self._directory.today(one.who)
        except Unauthenticated:
            one.close("signed_out")
            return
        if who.names != one.who.names and not one.topic:
            self._leave(one)
            one.lose(who, "merged")
            self._enter(one)

    # What subscriptions ask.

    async def missed(
        self, names: tuple[str, ...], after: int, upto: int
    ) -> tuple[list[Message], bool]:
        between = {"names": list(names), "after": after, "upto": upto, "limit": MISSED_PAGE}
        rows = await self._asked(SQL["missed"], between)
        try:
            await self._load_keys(rows)
        except DOWN as down:
            raise FeedAway(str(down)) from down
        return [self._message(*row) for row in rows], len(rows) == MISSED_PAGE

    async def afresh(self, who: Principal, why: str) -> tuple[Message, Message]:
        named = {"names": list(who.names), "limit": SNAPSHOT_MAX}
        rows = await self._asked(SQL["snapshot"], named)
        shown = [(kind, text) for _, kind, text in rows if kind is not None]
        at = self._clock.now()
        whole = snapshot(rows[0][0], who.pass_id, at, shown)
        return reset(who.pass_id, at, why), whole

    async def _asked(self, statement: Any, values: Any) -> Any:
        """Few at once: a thousand who come back together must not keep others from the database."""
        try:
            async with self._catching_up:
                return await self._patiently(statement, values)
        except DOWN as down:
            raise FeedAway(str(down)) from down

    @stamina.retry(on=DOWN, attempts=6, timeout=15.0)
    async def _patiently(self, statement: Any, values: Any) -> Any:
        return await self._rows(statement, values)
