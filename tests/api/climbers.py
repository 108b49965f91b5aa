"""People with a Solana wallet who trade and climb levels, and the consumers' part at their word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import msgspec
from solders.keypair import Keypair

from commands.command import look
from commands.passes import Identify
from commands.upgrades import (
    ConfirmBurn,
    FailAttempt,
    FailLevel,
    LapseAttempt,
    RecordLevel,
    SeeUpgrade,
    SignLevel,
)
from domain.solana import Absence, Prepared, TokenFound
from domain.upgrade import Upgrade
from domain.upgrade_attempt import Attempt
from domain.upgrade_events import ReasonClass
from projections.badges import Badges
from projections.tables import LIVE, connect
from projections.topical import TopicProjection, set_up, take
from projections.trading_volume import TradingVolume
from tests.api.fake_solana import signed
from tests.api.living import Caller, Living

SLOT = 77
CAP = timedelta(seconds=30)
_places = count()


@dataclass(frozen=True)
class Message:
    """As it lies on its topic."""

    value: bytes
    offset: int
    partition: int = 0
    timestamp: int = 1_700_000_000_000


@dataclass
class Climber:
    """Somebody whose pass has a Solana wallet; `key` signs for it."""

    here: Living
    caller: Caller
    key: Keypair

    @property
    def wallet(self) -> str:
        return str(self.key.pubkey())

    # What they do.

    async def trade(self, usd: str, user: str = "") -> None:
        """Adds to their volume, whatever name of theirs the exchange knows."""
        told = {"platform": "okx", "user_id": user or self.wallet, "volume_usd": usd}
        trade = {**told, "trade_id": str(next(_places)), "traded_at": "2026-03-01T12:00:00Z"}
        await tell(self.here, TradingVolume(), [trade])

    async def earn(self, *names: str, action: str = "awarded") -> None:
        """Badges; the id of each is its owner's and its name."""
        owner = {"user_id": self.caller.pass_id, "action": action}
        told = [{"badge_id": f"{self.wallet}/{name}", "badge": name, **owner} for name in names]
        await tell(self.here, Badges(), told)

    async def ask(self, path: str, body: Any = None, key: str = "") -> httpx.Response:
        named = {"Idempotency_Key": key} if key else {}
        return await self.caller.post(f"/api/nft/{path}", {} if body is None else body, **named)

    async def status(self, **query: Any) -> dict[str, Any]:
        position = await self.here.position()
        answer = await self.caller.get("/api/nft/status", min_position=position, **query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def asked(self, kind: str) -> dict[str, Any]:
        answer = await self.ask(kind)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def hand_in(self, id_: str, **more: Any) -> httpx.Response:
        key = more.pop("key", "")
        return await self.ask("transactions", {"upgrade_id": id_, **more}, key)

    def sign(self, prepared: dict[str, Any]) -> str:
        raw = prepared.get("transactionBase64") or prepared["burn_transactionBase64"]
        return signed(raw, self.key)

    # What the consumers find on the chain.

    async def upgrade(self) -> Upgrade:
        see = SeeUpgrade(owner=self.caller.pass_id)
        return see.upgrade(await look(self.here.parts.ledger, see))

    async def attempt(self, id_: str) -> Attempt:
        return (await self.upgrade()).attempts[id_]

    def about(self, id_: str) -> dict[str, str]:
        return {"owner": self.caller.pass_id, "upgrade_id": id_}

    async def mint(self, id_: str) -> None:
        """The chain shows the attempt's token."""
        attempt = await self.attempt(id_)
        token = TokenFound(attempt.terms.mint, "", 0, SLOT)
        shown = {"level": attempt.level, "cid": attempt.cid, "signature": f"mint-{id_}"}
        await self.here.do(RecordLevel(**self.about(id_), token=token, **shown))

    async def burn(self, id_: str) -> None:
        """The chain shows the burn that the attempt waits for."""
        terms = (await self.attempt(id_)).terms
        seen = {"burned_by": terms.wallet, "signature": f"burn-{id_}", "slot": SLOT, "named": id_}
        await self.here.do(ConfirmBurn(owner=self.caller.pass_id, mint=terms.burns, **seen))

    async def lapse(self, id_: str) -> None:
        proof = Absence("", height=1_151, slot=SLOT)
        await self.here.do(LapseAttempt(**self.about(id_), proof=proof))

    async def fail(self, id_: str, kind: ReasonClass, reason: str = "no SOL") -> None:
        await self.here.do(FailAttempt(**self.about(id_), reason_class=kind, reason=reason))

    async def sign_mint(self, id_: str) -> None:
        attempt = await self.attempt(id_)
        prepared = Prepared("bQ==", "cg==", f"mint-{id_}-{attempt.signed}", "hash", 1_150)
        await self.here.do(SignLevel(**self.about(id_), prepared=prepared, cid=attempt.cid))

    async def fail_mint(self, id_: str, times: int = 1) -> None:
        failed = {"error_class": "transient", "reason": "RPC away", "cap": CAP}
        for _ in range(times):
            await self.here.do(FailLevel(**self.about(id_), **failed))

    # Where they stand.

    async def unlocked(self) -> str:
        """Level 1; the attempt's id."""
        id_ = (await self.asked("unlock"))["upgrade_id"]
        await self.mint(id_)
        return str(id_)

    async def owed(self) -> str:
        """Their token of level 1 is burned for one of level 2; the attempt's id."""
        await self.unlocked()
        id_ = (await self.asked("upgrade"))["upgrade_id"]
        await self.burn(id_)
        return str(id_)


async def tell(here: Living, projection: TopicProjection[Any], told: Sequence[Any]) -> None:
    """Messages of a topic, through its projection."""
    messages = [Message(msgspec.json.encode(each), next(_places)) for each in told]
    async with await connect(here.parts.settings.database, LIVE) as connection:
        await set_up(connection, projection)
        assert await take(connection, projection, messages) == []


async def climber(here: Living, usd: str = "600000", *badges: str) -> Climber:
    key = Keypair()
    identity = f"solana:{key.pubkey()}"
    found = await here.do(Identify(identity=identity, new_pass_id=f"pass:user:{identity}"))
    caller = here.known(found.answer.body["pass_id"], "user", str(key.pubkey()))
    made = Climber(here, caller, key)
    await made.trade(usd)
    await made.earn(*badges)
    return made
