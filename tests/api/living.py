"""The application with its projections running, callers of several kinds, and a real socket."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from api.__main__ import configured
from api.app import create_app
from api.chain_head import Block
from api.emails import SendMail
from api.parts import Parts, open_parts
from api.solana import Patience
from api.studio import AskText, nobody
from api.uploads import Uploads
from commands.characters import FailGeneration, RequestGeneration, StoreImage
from commands.command import Command, Context, Outcome, handle
from commands.orders import ClaimTransaction, DismissTransaction, RecordPayment
from commands.passes import Identify
from domain.payment import Payment
from projections.catalog import all_projections
from projections.runner import Runner
from settings import Settings
from tests.api.based import FakeBase
from tests.api.fake_levels import FakeLevels
from tests.api.fake_solana import HURRIED, FakeSolana
from tests.api.fake_uploads import FakeUploads
from tests.api.opened import ADDRESSES, CHAIN_ID
from tests.world import Database, TestWorld

CONFIRMATIONS = 3
PRICE = 10_000_000


@dataclass
class Caller:
    """Somebody with a token. `wallet` is linked to the pass."""

    app: FastAPI
    pass_id: str
    wallet: str
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, headers=headers, **more)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.ask("GET", path, params=query)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask("POST", path, json=body, headers=named)

    async def character(self, role: str = "samurai", kind: str = "role") -> str:
        answer = await self.post("/characters", {"role": role, "kind": kind})
        assert answer.status_code in (200, 201), answer.text
        return str(answer.json()["id"])

    async def order(self, character_id: str | None = None) -> dict[str, Any]:
        character_id = character_id or await self.character()
        answer = await self.post(f"/characters/{character_id}/mint-orders", {})
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())


@dataclass
class Living:
    """`head` is the newest block of the chain; None: the chain does not answer."""

    parts: Parts
    app: FastAPI
    head: list[int | None]
    base: FakeBase
    solana: FakeSolana
    levels: FakeLevels

    async def caller(self, scope: str = "user", wallet: str | None = None) -> Caller:
        wallet = wallet or f"0x{secrets.token_hex(20)}"
        identity = f"eip155:{wallet}"
        found = await self.do(Identify(identity=identity, new_pass_id=f"pass:user:{identity}"))
        return self.known(found.answer.body["pass_id"], scope, wallet)

    def known(self, pass_id: str, scope: str = "user", wallet: str = "") -> Caller:
        token = self.parts.tokens.issue(pass_id, scope)
        headers = {"Authorization": f"Bearer {token}"}
        return Caller(self.app, pass_id, wallet, token, headers)

    def nobody(self) -> Caller:
        return Caller(self.app, "", "", "")

    async def do(self, command: Command) -> Outcome:
        at = self.parts.clock.now()
        context = Context(at=at, correlation_id="test", causation_id="test:given")
        return await handle(self.parts.ledger, command, context)

    async def position(self) -> int:
        return (await self.parts.ledger.head())[0]

    async def shown(self) -> None:
        """Waits until every projection shows all that is recorded."""
        head = await self.position()
        for projection in all_projections():
            await self.parts.reader.reached(projection.name, head, 20.0)

    async def revert(self, order_id: str) -> None:
        """The order's transaction failed on chain."""
        tx_hash = f"0x{secrets.token_hex(32)}"
        await self.do(ClaimTransaction(order_id=order_id, tx_hash=tx_hash))
        await self.do(DismissTransaction(order_id=order_id, tx_hash=tx_hash, reason="reverted"))

    async def pay(self, order_id: str, payer: str, block: int = 100) -> Payment:
        """The order's payment is on chain, deep enough."""
        paid = Payment(
            tx_hash=f"0x{secrets.token_hex(32)}",
            sender=payer,
            nonce=1,
            block_number=block,
            block_hash=f"0x{secrets.token_hex(32)}",
            log_index=0,
            payer=payer,
            amount=PRICE,
            token_id=7,
            depth=CONFIRMATIONS,
        )
        record = RecordPayment(order_id=order_id, found=paid, confirmations=CONFIRMATIONS)
        await self.do(record)
        return paid

    async def fail_image(self, character_id: str) -> None:
        """The image of a paid character was given up."""
        asked = RequestGeneration(character_id=character_id, provider="seedream", model="m")
        await self.do(asked)
        cap, why = timedelta(seconds=30), {"error_class": "invalid", "reason": "no"}
        await self.do(FailGeneration(character_id=character_id, attempt=1, retry_cap=cap, **why))

    async def draw(self, character_id: str) -> None:
        asked = RequestGeneration(character_id=character_id, provider="seedream", model="m")
        await self.do(asked)
        picture = {"sha256": "00", "content_type": "image/png", "bytes": 1, "width": 1, "height": 1}
        url = "http://assets.test/a.png"
        stored = StoreImage(character_id=character_id, attempt=1, output_url=url, **picture)
        await self.do(stored)


@asynccontextmanager
async def living(
    world: TestWorld,
    database: Database,
    *,
    patience: Patience = HURRIED,
    uploads: Uploads | None = None,
    send_mail: SendMail | None = None,
    ask_text: AskText = nobody,
    **given: Any,
) -> AsyncIterator[Living]:
    """The application with these settings in place of the tests' own, projections running."""
    head: list[int | None] = [100]
    base, solana = FakeBase(), FakeSolana(patience=patience)

    async def ask() -> Block | None:
        now = int(parts.clock.now().timestamp())
        return None if head[0] is None else Block(head[0], now)

    env = {name.lower(): value for name, value in world.environment().items()}
    own = {"database_url": database.url, "evm_chain_id": CHAIN_ID}
    settings = Settings.load(**{**env, **ADDRESSES, **own, **given})
    levels = FakeLevels(solana)
    outside = base.base, solana.solana, levels.levels, uploads or FakeUploads().uploads
    more: Any = {"send_mail": send_mail, "ask_text": ask_text}
    async with open_parts(settings, ask, *outside, **more) as parts:
        runners = [Runner(database.url, parts.ledger, one) for one in all_projections()]
        running = [asyncio.create_task(runner.run()) for runner in runners]
        try:
            yield Living(parts, create_app(parts), head, base, solana, levels)
        finally:
            for runner in runners:
                runner.stop()
            await asyncio.gather(*running)


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The application behind a real socket; its base URL."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
        server = _Server(configured(app, port))
        running = asyncio.create_task(server.serve(sockets=[chosen]))
        await server.listening.wait()
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        await running


class _Server(uvicorn.Server):
    """Says when it listens, and leaves the test run's signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()
