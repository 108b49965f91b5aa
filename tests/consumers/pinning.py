"""A pass with attempts in a real ledger, two IPFS nodes, and a cache that may be away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from commands.command import Command, Seen, look
from commands.upgrades import SeeUpgrade, WithUpgrade
from consumers.gateways.ipfs import Ipfs
from consumers.gateways.ports import TryAgain
from consumers.levels.token import sealed
from consumers.reactions.level_metadata import LevelMetadata
from consumers.reactions.promise import Desk, Promise
from domain.event import Event
from domain.upgrade_attempt import Attempt
from domain.upgrade_events import UpgradeFailed, UpgradeRequested, UpgradeSubmitted
from ledger.ledger import Ledger
from tests.consumers.filling import AT
from tests.twins.alone import Alone

ADD = "/api/v0/add"
ADD_AT_BACKUP = "/backup/api/v0/add"
PATIENCE_S = 0.25


class Happen(Command):
    """Records what a test says has happened."""

    history: list[Event]

    def reads(self, seen: Seen) -> Iterator[str]:
        yield from {event.stream for event in self.history}

    def decide(self, seen: Seen, at: datetime) -> list[Event]:
        return self.history


class CacheInMemory:
    """The `Cache` port. `away`: nothing is kept or found."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, str]] = {}
        self.away = False

    async def keep(self, key: str, content: bytes, content_type: str) -> None:
        self._reach()
        self.kept[key] = (content, content_type)

    async def find(self, key: str) -> bytes | None:
        self._reach()
        return self.kept.get(key, (None, ""))[0]

    def _reach(self) -> None:
        if self.away:
            raise TryAgain("the cache is away")


@dataclass
class Pinning:
    """`nodes`: the first and its backup under one address, which had `before` done so much;
    `metadata` is the reaction."""

    ledger: Ledger
    nodes: Alone
    before: int
    owner: str = field(default_factory=lambda: str(uuid4()))
    cache: CacheInMemory = field(default_factory=CacheInMemory)

    def __post_init__(self) -> None:
        self.desk = Desk(self.ledger, lambda: AT)
        self.metadata = self.reaction(self.nodes.url, f"{self.nodes.url}/backup")

    def reaction(self, *urls: str) -> LevelMetadata:
        vault = Ipfs(urls=urls, client=self.nodes.client, read_timeout_s=PATIENCE_S)
        return LevelMetadata(self.desk, vault, self.cache)

    async def wanted(self, level: int, **given: str) -> UpgradeRequested:
        """One more attempt that was signed; `given` instead of what its metadata would be."""
        id_ = str(uuid4())
        text, cid = sealed(level, id_)
        requested = UpgradeRequested(
            pass_id=self.owner,
            upgrade_id=id_,
            recipe="nft_unlock",
            level=level,
            wallet="wallet",
            mint="mint",
            burns="",
            volume_usd="1",
            required_volume_usd="1",
            badges=(),
            config_version=1,
            requested_at=AT,
            **({"metadata": text, "cid": cid} | given),
        )
        ids = {"pass_id": self.owner, "upgrade_id": id_}
        signed = UpgradeSubmitted(**ids, raw="", signature="signature", submitted_at=AT)
        await self._happen(requested, signed)
        return requested

    async def failed(self, requested: UpgradeRequested) -> None:
        ids = {"pass_id": self.owner, "upgrade_id": requested.upgrade_id}
        await self._happen(UpgradeFailed(**ids, reason_class="ADD_SOL", reason="no SOL"))

    async def pin(self, reaction: LevelMetadata | None = None) -> None:
        """As the worker asks."""
        promise = Promise(f"pin:{self.owner}", "pin", self.owner, "", 0, AT)
        await (reaction or self.metadata).pin(promise)

    async def attempt(self, requested: UpgradeRequested) -> Attempt:
        see = SeeUpgrade(owner=self.owner)
        upgrade = WithUpgrade.upgrade(see, await look(self.ledger, see))
        return upgrade.attempts[requested.upgrade_id]

    async def faulty(self, path: str, times: int = 2, **rule: Any) -> None:
        """The next calls of a node go wrong."""
        await self.nodes.steer("script", {"match": {"path": path}, "times": times, **rule})

    async def pins(self, node: str) -> Sequence[str]:
        """CIDs that a node has pinned, oldest first, as often as it was asked."""
        items = await effects(self.nodes)
        return [item["cid"] for item in items[self.before :] if item["node"] == node]

    async def fetch(self, cid: str) -> bytes | None:
        answer = await self.nodes.client.get(f"/ipfs/{cid}")
        return answer.content if answer.status_code == 200 else None

    async def _happen(self, *history: Event) -> None:
        await self.desk.do(Happen(history=list(history)), cause="test")


async def effects(nodes: Alone) -> list[Any]:
    return list((await nodes.client.get("/_twin/ledger")).json()["items"])
