"""Rows of the table about PFPs: a thousand wallets prepare batches, all at once and at a pace.

One API process, and the devnet of `make run`, asked for blockhashes only. Every wallet asks,
some in two tabs, for all that its allowance leaves; the ledger tells afterwards what was reserved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256

import psycopg
import uvloop
from solders.keypair import Keypair

from api.tokens import Tokens
from bench import load
from bench.http import CHAIN, there
from bench.measure import Measurement, alone, percentile
from commands.allowances import SetAllowances
from commands.command import Command, Context, handle
from commands.passes import OpenPass
from ledger.ledger import Ledger
from settings import Settings
from tests.waiting import eventually
from tests.world import Child, Database, TestWorld, start_child

WALLETS, WARMING, ALLOWED, QUANTITY = 1_000, 100, 5, 5
P99_MS_MAX = 300.0
A_SECOND = 200.0
PACES = {"200 a second": A_SECOND, "all in one moment": 1e9}

OTHERWISE = """
SELECT count(*) FROM (
    SELECT originator_id,
           sum((event->'data'->>'count')::int * CASE topic
                   WHEN 'slots_reserved.v1' THEN 1 WHEN 'slots_released.v1' THEN -1 ELSE 0 END)
    FROM mega_generations
    WHERE originator_id LIKE 'allowance:%%'
    GROUP BY originator_id) AS held (wallet, slots)
WHERE slots <> %s
"""


def rows(world: TestWorld, database: Database) -> Iterator[Measurement]:
    environment = told(world, database)
    settings = Settings.load(**{name.lower(): value for name, value in environment.items()})
    wallets = [wallet(number) for number in range(WARMING + WALLETS * len(PACES))]
    uvloop.run(signed_up(settings, wallets))
    tokens = Tokens(settings)
    asked = [asking(tokens, address) for address in wallets]
    with served(world, environment) as url:
        arrive(url, A_SECOND, asked[:WARMING])
        for place, (pace, per_s) in enumerate(PACES.items()):
            first = WARMING + place * WALLETS
            waits = arrive(url, per_s, asked[first : first + WALLETS])
            for share, called in ((0.5, "p50"), (0.99, "p99")):
                yield figure(f"{WALLETS:,} wallets prepare a batch, {pace}, {called}", waits, share)
        again = arrive(url, A_SECOND, asked[-WALLETS:])
        yield figure("a batch prepared in a second tab, 200 a second, p99", again, 0.99)
    with psycopg.connect(database.url) as connection:
        row = connection.execute(OTHERWISE, (ALLOWED,)).fetchone()
    yield alone(
        "wallets that then hold other than what the allowlist gives them",
        float(row[0]) if row else WALLETS,
        unit="wallets",
        target=0,
        at_most=True,
        runs=len(asked),
    )


def arrive(url: str, per_s: float, asked: list[bytes]) -> list[float]:
    return uvloop.run(load.arrivals(url, per_s, asked))


def figure(name: str, waits: list[float], share: float) -> Measurement:
    value = percentile(waits, share) * 1000
    return alone(name, value, unit="ms", target=P99_MS_MAX, at_most=True, runs=len(waits))


def wallet(number: int) -> str:
    seed = sha256(f"bench wallet {number}".encode()).digest()
    return str(Keypair.from_seed(seed).pubkey())


def pass_of(address: str) -> str:
    return f"pass:user:solana:{address}"


def asking(tokens: Tokens, address: str) -> bytes:
    body = {"quantity": QUANTITY}
    return load.request("POST", "/pfp/prepare-batch", body, tokens.issue(pass_of(address)))


async def signed_up(settings: Settings, wallets: list[str]) -> None:
    """A pass with a wallet for each address, on the allowlist."""
    async with Ledger(settings.database, master_key=settings.master_key) as ledger:

        async def do(command: Command) -> None:
            await handle(ledger, command, Context(datetime.now(UTC), "bench", "command:bench"))

        opening = [
            OpenPass(new_pass_id=pass_of(address), identities=(f"solana:{address}",))
            for address in wallets
        ]
        await asyncio.gather(*map(do, opening))
        for first in range(0, len(wallets), WALLETS):
            items = tuple((address, ALLOWED) for address in wallets[first : first + WALLETS])
            await do(SetAllowances(items=items))


def told(world: TestWorld, database: Database) -> dict[str, str]:
    world.place.ports.reserve("bench_preparing")
    return {
        **world.environment(),
        **CHAIN,
        **world.gives("twins"),
        "DATABASE_URL": database.url,
        "MEGA_PORT": str(world.place.ports["bench_preparing"]),
    }


@contextmanager
def served(world: TestWorld, environment: Mapping[str, str]) -> Iterator[str]:
    child: Child = start_child(("api",), environment, world.place.data)
    url = f"http://127.0.0.1:{environment['MEGA_PORT']}"
    try:
        eventually(partial(there, f"{url}/healthz", ""), within_s=60)
        yield url
    finally:
        child.stop()
