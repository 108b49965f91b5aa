from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.api import paid
from tests.api.opened import new_wallet, opened
from tests.cli.terminal import Mega
from tests.world import Database, TestWorld


@dataclass(frozen=True)
class Shop:
    """A ledger with history: somebody got an image, under two names; somebody paid too much;
    somebody else did too, but a reorg took that away."""

    database: Database
    mega: Mega
    buyer: str
    alias: str
    order_id: str
    price: int
    generous: str


@pytest.fixture(scope="module")
def shop(world: TestWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with world.database() as database:
        yield asyncio.run(traded(world, database, tmp_path_factory.mktemp("nowhere")))


async def traded(world: TestWorld, database: Database, folder: Path) -> Shop:
    wallet = new_wallet()
    async with opened(world, database) as api:
        bought, second = await paid.order(api, "ada"), await paid.order(api, "ada-phone", "oracle")
        for order in (bought, second):
            await paid.pay(api, order)
            proof = {"siwe": await api.proof(wallet)}
            assert (await api.post("/auth/link", proof, order.who)).status_code == 200
        await paid.deliver(api, bought)
        generous = await paid.order(api, "ben")
        await paid.pay(api, generous, amount=generous.price + 7)
        carl = await paid.order(api, "carl")
        await paid.retract(api, carl, await paid.pay(api, carl, 2, amount=carl.price + 1))
        await api.project()
    mega = Mega({**world.environment(), "DATABASE_URL": database.url, "MEGA_DATA_DIR": str(folder)})
    names = (bought.pass_id, second.pass_id)
    return Shop(database, mega, *names, bought.order_id, bought.price, generous.order_id)


@pytest.fixture
def mega(world: TestWorld, database: Database, tmp_path: Path) -> Mega:
    """On a database that only this test uses, with an empty ledger."""
    return Mega(
        {**world.environment(), "DATABASE_URL": database.url, "MEGA_DATA_DIR": str(tmp_path)}
    )
