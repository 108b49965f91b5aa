"""The real application over a test's database, asked without a network in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from api.app import create_app
from api.chain_head import Block
from api.parts import Parts, open_parts
from api.siwe import AskWallet
from ledger.audit import spoken_time
from projections.catalog import all_projections
from projections.runner import Runner
from settings import Settings
from tests.api.based import FakeBase
from tests.api.fake_levels import FakeLevels
from tests.api.fake_solana import FakeSolana
from tests.api.fake_uploads import FakeUploads
from tests.world import Database, TestWorld

HOST = "mega.example"
CHAIN_ID = 8453
PATIENCE_S = 20.0
ADDRESSES = {
    "role_mint_address": "0x" + "c0" * 20,
    "payment_token_address": "0x" + "70" * 20,
    "payment_treasury": "0x" + "7e" * 20,
}


def new_wallet() -> LocalAccount:
    account: LocalAccount = Account.create()
    return account


@dataclass
class Api:
    """`client` keeps cookies as a browser does; `get` and `post` never send one."""

    parts: Parts
    client: httpx.AsyncClient
    _bare: httpx.AsyncClient

    async def dev(self, user_id: str, **more: Any) -> str:
        """The header of a fresh session for a user: `Bearer …`."""
        answer = await self.post("/auth/dev", {"user_id": user_id, **more})
        assert answer.status_code == 200, answer.text
        return f"Bearer {answer.json()['access_token']}"

    async def get(self, path: str, who: str | None = None, **query: Any) -> httpx.Response:
        self._bare.cookies.clear()
        return await self._bare.get(path, headers=said(who), params=query)

    async def post(self, path: str, body: Any, who: str | None = None) -> httpx.Response:
        self._bare.cookies.clear()
        return await self._bare.post(path, json=body, headers=said(who))

    async def nonce(self) -> str:
        answer = await self.post("/auth/nonce", {})
        return str(answer.json()["nonce"])

    async def proof(self, wallet: LocalAccount, **given: Any) -> dict[str, str]:
        """A message with a fresh nonce, signed; `given` replaces lines of it."""
        lines = {"nonce": await self.nonce(), "issued_at": self.parts.clock.now(), **given}
        return signed(message(address=wallet.address, **lines), wallet)

    async def sign_in(self, wallet: LocalAccount, who: str | None = None) -> dict[str, Any]:
        answer = await self.post("/auth/siwe", await self.proof(wallet), who)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def project(self) -> None:
        """Brings every projection up to the head of the ledger."""
        url, ledger = self.parts.settings.database, self.parts.ledger
        head, _ = await ledger.head()
        runners = [Runner(url, ledger, projection) for projection in all_projections()]
        running = [asyncio.create_task(runner.run()) for runner in runners]
        for runner in runners:
            await self.parts.reader.reached(runner.projection.name, head, PATIENCE_S)
        for runner in runners:
            runner.stop()
        await asyncio.gather(*running)


def said(who: str | None) -> dict[str, str]:
    return {} if who is None else {"Authorization": who}


def message(
    *,
    address: str,
    nonce: str,
    issued_at: Any,
    domain: str = HOST,
    uri: str = f"https://{HOST}/login",
    chain_id: int = CHAIN_ID,
    more: str = "",
) -> str:
    issued = issued_at if isinstance(issued_at, str) else spoken_time(issued_at)
    return (
        f"{domain} wants you to sign in with your Ethereum account:\n{address}\n\n"
        f"Welcome back.\n\nURI: {uri}\nVersion: 1\nChain ID: {chain_id}\nNonce: {nonce}\n"
        f"Issued At: {issued}{more}"
    )


def signed(text: str, wallet: LocalAccount) -> dict[str, str]:
    signature = wallet.sign_message(encode_defunct(text=text)).signature
    return {"message": text, "signature": "0x" + bytes(signature).hex()}


@asynccontextmanager
async def opened(
    world: TestWorld,
    database: Database,
    *,
    ask_wallet: AskWallet | None = None,
    **settings: Any,
) -> AsyncIterator[Api]:
    """The application with these settings in place of the tests' own."""

    async def head() -> Block | None:
        return Block(1, int(time.time()))

    env: Mapping[str, str] = world.environment()
    given = {name.lower(): value for name, value in env.items()}
    own = {"database_url": database.url, "mega_public_host": HOST, "evm_chain_id": CHAIN_ID}
    loaded = Settings.load(**{**given, **ADDRESSES, **own, **settings})
    solana = FakeSolana()
    levels, uploads = FakeLevels(solana).levels, FakeUploads().uploads
    asked = FakeBase().base, solana.solana, levels, uploads
    async with open_parts(loaded, head, *asked, ask_wallet) as parts:
        transport = httpx.ASGITransport(app=create_app(parts), raise_app_exceptions=False)
        base: Any = {"transport": transport, "base_url": f"http://{HOST}"}
        async with httpx.AsyncClient(**base) as client, httpx.AsyncClient(**base) as bare:
            yield Api(parts, client, bare)
