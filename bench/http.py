"""Rows of the table about HTTP: one API process against a bare FastAPI route on the same server."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

import httpx
import psycopg
import uvloop

from api.tokens import Tokens
from bench import load
from bench.bare import TABLE
from bench.measure import Measurement, alone, paired, percentile
from bench.samples import PASS, metadata, opened
from domain.character import CharacterCreated, OrderAttached
from domain.passes import PassOpened
from embedded.solana import genesis
from ledger.ledger import NewEvent
from ledger.sync import SyncLedger
from settings import Settings
from tests.waiting import eventually
from tests.world import Child, Database, TestWorld, start_child

ORDERS = 4_000
VISITS = 300
CHAIN = {
    "EVM_RPC_URLS": "http://127.0.0.1:9",
    "ROLE_MINT_ADDRESS": "0x" + "1" * 40,
    "PAYMENT_TOKEN_ADDRESS": "0x" + "2" * 40,
    "PAYMENT_TREASURY": "0x" + "3" * 40,
    "USDC_ADDRESS": "0x" + "4" * 40,
    "GEOPLETS_ADDRESS": "0x" + "5" * 40,
    "MEGA_X402_PAY_TO": "0x" + "6" * 40,
    "VOUCHER_SIGNER_KEY": "0x" + "11" * 32,  # a test key
    "MEGA_FACILITATOR": "x402",
    "MEGA_X402_FACILITATOR_URL": "http://127.0.0.1:9",
    "SOLANA_RPC_URLS": "http://127.0.0.1:9",
    "SOLANA_AUTHORITY_KEY": genesis.authority().private_key,
    "SOLANA_TREASURY": genesis.treasury().address,
    "S3_ENDPOINT_URL": "http://127.0.0.1:9",
    "S3_PUBLIC_BASE_URL": "http://127.0.0.1:9/assets",
    "S3_ACCESS_KEY": "nobody",
    "S3_SECRET_KEY": "nothing",
}


@dataclass(frozen=True)
class Servers:
    ours: str
    bare: str
    token: str


def rows(world: TestWorld, database: Database, seconds: float) -> Iterator[Measurement]:
    characters, orders = opened_orders(database)
    with served(world, database, characters[-1]) as servers:
        steps = turns(orders, servers.token)
        insert = load.request("POST", "/rows", {"step": "awaiting_mint"})
        for hands in (16, 64):
            yield paired(
                f"HTTP command, {hands} in flight",
                partial(asked, servers.ours, hands, seconds, steps),
                partial(asked, servers.bare, hands, seconds, lambda _: insert),
                ratio_to="a bare FastAPI route that inserts",
                unit="requests/s",
                target=0.5,
            )
        ours = load.request("GET", f"/characters/{characters[0]}", token=servers.token)
        bare = load.request("GET", f"/rows/{characters[0]}")
        yield paired(
            "HTTP read of one projected row, 16 in flight",
            partial(asked, servers.ours, 16, seconds, lambda _: ours),
            partial(asked, servers.bare, 16, seconds, lambda _: bare),
            ratio_to="a bare FastAPI route that selects",
            unit="requests/s",
            target=0.6,
        )
        yield visibility(servers, orders)


def opened_orders(database: Database) -> tuple[list[str], list[str]]:
    """Ids of characters and of their open orders, all of one pass."""
    characters = [str(uuid4()) for _ in range(ORDERS)]
    orders = [str(uuid4()) for _ in range(ORDERS)]
    with SyncLedger(database.url, master_key=bytes(32)) as ledger:
        at = opened("", "").expires_at
        first = PassOpened(pass_id=PASS, opened_at=at)
        ledger.append([NewEvent(PASS, 1, first, metadata())])
        for character, order in zip(characters, orders, strict=True):
            created = CharacterCreated(
                character_id=character, pass_id=PASS, role="samurai", kind="role"
            )
            attached = OrderAttached(character_id=character, order_id=order, number=1)
            begun = opened(order, character)
            facts = metadata()
            ledger.append(
                [
                    NewEvent(created.stream, 1, created, facts),
                    NewEvent(begun.stream, 1, begun, facts),
                    NewEvent(attached.stream, 2, attached, facts),
                ]
            )
    return characters, orders


@contextmanager
def served(world: TestWorld, database: Database, newest: str) -> Iterator[Servers]:
    """Our API with its projections, and the bare one, each a process; a token of the pass."""
    environment = {**world.environment(), **CHAIN, "DATABASE_URL": database.url}
    world.place.ports.reserve("bench_api", "bench_bare")
    ports = world.place.ports
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        connection.execute(TABLE)
        connection.execute("GRANT ALL ON bare_rows TO mega_app")
    children: list[Child] = []
    try:
        ours = f"http://127.0.0.1:{ports['bench_api']}"
        bare = f"http://127.0.0.1:{ports['bench_bare']}"
        own = {**environment, "MEGA_PORT": str(ports["bench_api"])}
        other = {"BARE_DATABASE_URL": database.url, "BARE_PORT": str(ports["bench_bare"])}
        folder = world.place.data
        children.append(start_child(("projections",), environment, folder))
        children.append(start_child(("api",), own, folder))
        children.append(start_child(("bench.bare",), other, folder))
        token = Tokens(Settings(mega_jwt_key=environment["MEGA_JWT_KEY"])).issue(PASS)  # type: ignore[arg-type]
        seen = partial(there, f"{ours}/characters/{newest}", token)
        eventually(seen, within_s=60)
        eventually(partial(there, f"{bare}/rows/{newest}", ""), within_s=30)
        yield Servers(ours, bare, token)
    finally:
        for child in children:
            child.stop()


def there(url: str, token: str) -> bool:
    try:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.get(url, headers=headers).status_code == 200
    except httpx.TransportError:
        return False


def turns(orders: list[str], token: str) -> Callable[[int], bytes]:
    """Each request shows another wallet step of an order, which is exchanged after 18 of them."""
    fresh = itertools.cycle(orders)
    held: dict[int, tuple[str, int]] = {}

    def next_step(hand: int) -> bytes:
        order, turn = held.get(hand, ("", 18))
        if turn >= 18:
            order, turn = next(fresh), 0
        held[hand] = (order, turn + 1)
        step = "awaiting_mint" if turn % 2 else "awaiting_approve"
        return load.request("POST", f"/mint-orders/{order}/wallet-step", {"step": step}, token)

    return next_step


def asked(url: str, hands: int, seconds: float, ask: Callable[[int], bytes]) -> float:
    return uvloop.run(load.rate(url, hands, seconds, ask))


def visibility(servers: Servers, orders: list[str]) -> Measurement:
    """From the answer of a command to its effect in a projected read, p99 in milliseconds."""
    waits = []
    header = {"Authorization": f"Bearer {servers.token}"}
    with httpx.Client(base_url=servers.ours, headers=header) as client:
        for visit in range(VISITS):
            order = orders[visit % len(orders)]
            step = None if visit // len(orders) % 2 else "awaiting_approve"
            answer = client.post(f"/mint-orders/{order}/wallet-step", json={"step": step})
            position = answer.headers["X-Ledger-Position"]
            start = time.perf_counter()
            client.get("/characters", params={"min_position": position, "limit": 1})
            waits.append((time.perf_counter() - start) * 1000)
    return alone(
        "command accepted until visible in its projection, p99",
        percentile(waits, 0.99),
        unit="ms",
        target=100,
        at_most=True,
        runs=VISITS,
    )
