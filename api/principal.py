"""Who asks: the pass that a token names today, through merges, and whether its session goes on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from api.problems import Forbidden, Unauthenticated
from api.tokens import Claims
from domain.event import Event
from domain.passes import PassAbsorbed, PassMerged, SessionEnded
from projections.passes import Passes

POLL_S = 0.05

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Principal:
    """`pass_id` is the canonical id, `names` that and every id that was merged into it."""

    pass_id: str
    names: tuple[str, ...]
    scopes: frozenset[str]
    session_id: str
    expires_at: int

    def owns(self, pass_id: str) -> bool:
        return pass_id in self.names

    def may(self, *scopes: str) -> bool:
        """Whether one of these scopes is granted; an admin may do what an auditor may."""
        if not self.scopes.isdisjoint(scopes):
            return True
        return "auditor" in scopes and "admin" in self.scopes

    def must(self, *scopes: str) -> Principal:
        if not self.may(*scopes):
            raise Forbidden()
        return self


class Directory:
    """What the projection `passes` says about merges and ended sessions, kept in memory."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool
        self._position = 0
        self._survivor: dict[str, str] = {}
        self._absorbed: dict[str, tuple[str, ...]] = {}
        self._ended: set[str] = set()

    def principal(self, claims: Claims) -> Principal:
        """Raises Unauthenticated when the session was ended."""
        if claims.session_id in self._ended:
            raise Unauthenticated()
        canonical = self.canonical(claims.pass_id)
        names = self.names(canonical)
        return Principal(canonical, names, claims.scopes, claims.session_id, claims.until)

    def today(self, who: Principal) -> Principal:
        """The same caller by what is known now. Raises Unauthenticated when the session was
        ended."""
        if who.session_id in self._ended:
            raise Unauthenticated()
        canonical = self.canonical(who.pass_id)
        return replace(who, pass_id=canonical, names=self.names(canonical))

    def canonical(self, pass_id: str) -> str:
        while pass_id in self._survivor:
            pass_id = self._survivor[pass_id]
        return pass_id

    def names(self, pass_id: str) -> tuple[str, ...]:
        found = [pass_id]
        for name in found:
            found.extend(n for n in self._absorbed.get(name, ()) if n not in found)
        return tuple(found)

    def learn(self, events: tuple[Event, ...]) -> None:
        """What this process has just recorded itself counts at once."""
        for event in events:
            match event:
                case PassMerged(pass_id=pass_id, absorbed=absorbed):
                    known = self._absorbed.get(pass_id, ())
                    if absorbed not in known:
                        self._absorbed[pass_id] = (*known, absorbed)
                case PassAbsorbed(pass_id=pass_id, survivor=survivor):
                    self._survivor[pass_id] = survivor
                case SessionEnded(session_id=session_id):
                    self._ended.add(session_id)

    async def refresh(self) -> None:
        statement, since = Passes.sql["changed_since"], {"position": self._position}
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(statement, since, prepare=True)).fetchall()
        for pass_id, changed, survivor, absorbed, ended in rows:
            if survivor:
                self._survivor[pass_id] = survivor
            if absorbed:
                known = self._absorbed.get(pass_id, ())
                self._absorbed[pass_id] = tuple(dict.fromkeys((*known, *absorbed)))
            self._ended.update(ended)
            self._position = max(self._position, changed)

    async def follow(self) -> None:
        """Keeps up with what other processes record, until it is cancelled."""
        while True:
            try:
                await self.refresh()
            except (psycopg.OperationalError, PoolTimeout) as down:
                log.warning("directory_waits", why=str(down))
            await asyncio.sleep(POLL_S)
