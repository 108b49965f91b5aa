"""A chain of plain values, what is known of it beforehand, and a ledger in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from consumers.gateways.level_ports import BurnSeen, Holding, LevelMintSeen
from consumers.gateways.ports import TryAgain
from domain.upgrade import Upgrade
from domain.upgrade_events import UpgradeRequested
from ledger.errors import StreamConflict
from ledger.rows import NewEvent, Stream
from tests.commands.memory import Memory

MINTS_AT_ONCE = 50
UPGRADE = "upgrade:"


class MemoryLedger:
    """The ledger as `handle` uses it, over the streams of a Memory."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    async def streams(self, names: Sequence[str]) -> dict[str, Stream]:
        return {name: Stream(self.memory.streams.get(name, []), 0) for name in names}

    async def append(self, events: Sequence[NewEvent], *, pass_id: str | None = None) -> int:
        for new in events:
            if new.version != len(self.memory.streams[new.stream]) + 1:
                raise StreamConflict(new.stream)
            self.memory.streams[new.stream].append(new.event)
        self.memory.history += [new.event for new in events]
        return len(self.memory.history)


@dataclass(slots=True)
class Chain:
    """The reads of `LevelTokens`. `silent`: mints about which it says nothing; `dead`: no
    endpoint says where any token is."""

    tokens: dict[str, Holding] = field(default_factory=dict)
    burns: dict[str, BurnSeen] = field(default_factory=dict)
    mints: list[LevelMintSeen] = field(default_factory=list)
    slot: int = 1_000
    silent: set[str] = field(default_factory=set)
    dead: bool = False
    unknown_burns: bool = False

    def mint(self, mint: str, owner: str, level: int, cid: str) -> LevelMintSeen:
        self.slot += 1
        seen = LevelMintSeen(mint, owner, level, cid, f"sig-{mint}", self.slot)
        self.mints.append(seen)
        self.tokens[mint] = Holding(mint, "held", owner, self.slot)
        return seen

    def burn(self, mint: str, owner: str, reference: str = "") -> BurnSeen:
        self.slot += 1
        self.tokens[mint] = Holding(mint, "burned", "", self.slot)
        self.burns[mint] = BurnSeen(mint, owner, f"burn-{mint}", self.slot, reference)
        return self.burns[mint]

    def send(self, mint: str, owner: str) -> None:
        self.slot += 1
        self.tokens[mint] = Holding(mint, "held", owner, self.slot)

    async def holdings(self, expected: Sequence[tuple[str, str]]) -> list[Holding]:
        if self.dead:
            raise TryAgain("no endpoint answers")
        told = self.tokens | {mint: Holding(mint, "untold", "", 0) for mint in self.silent}
        known = [told.get(mint, Holding(mint, "absent", "", 0)) for mint, _ in expected]
        return [replace(each, slot=self.slot) for each in known]

    async def burned(self, mint: str) -> BurnSeen | None:
        if mint in self.silent or self.unknown_burns:
            raise TryAgain("which transaction is not told")
        return self.burns.get(mint)

    async def mints_after(self, signature: str) -> tuple[list[LevelMintSeen], str]:
        places = {"": 0} | {seen.signature: at for at, seen in enumerate(self.mints, 1)}
        start = places[signature]
        found = self.mints[start : start + MINTS_AT_ONCE]
        return found, found[-1].signature if found else signature


@dataclass(slots=True)
class KnownInMemory:
    """`upgrades` as the views had them when it was made; `limit` of them make a page."""

    memory: Memory
    upgrades: Mapping[str, Upgrade]
    place: str = ""
    limit: int = 20

    @classmethod
    def of(cls, memory: Memory) -> KnownInMemory:
        streams = sorted(name for name in memory.streams if name.startswith(UPGRADE))
        return cls(memory, {name.removeprefix(UPGRADE): memory.state(name) for name in streams})

    async def page(self, after: str) -> list[tuple[str, Upgrade]]:
        held = [(owner, up) for owner, up in self.upgrades.items() if up.token or up.away]
        return [(owner, up) for owner, up in held if owner > after][: self.limit]

    async def requests(self, mints: Sequence[str]) -> dict[str, tuple[str, str]]:
        asked = [event for event in self.memory.history if isinstance(event, UpgradeRequested)]
        return {e.mint: (e.pass_id, e.upgrade_id) for e in asked if e.mint in mints}

    async def mark(self) -> str:
        return self.place

    async def move(self, mark: str) -> None:
        self.place = mark
