"""The development wallets of Solana may mint, until an administrator says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime

from commands.allowances import SeeAllowance, SetAllowances
from commands.command import Context, handle, look
from domain.allowance import Allowance, allowance_stream
from embedded.allowances import allow_dev_wallets
from embedded.solana.genesis import dev_wallets
from ledger.ledger import Ledger
from tests.world import Database

WALLETS = [wallet.address for wallet in dev_wallets()]


async def allowed(ledger: Ledger, wallet: str) -> int | None:
    seen = await look(ledger, SeeAllowance(wallet=wallet))
    return seen.get(Allowance, allowance_stream(wallet)).allowed


async def test_each_may_mint_ten_and_what_was_set_since_stays(database: Database) -> None:
    await allow_dev_wallets(database.url)
    async with Ledger(database.url, master_key=bytes(32)) as ledger:
        assert [await allowed(ledger, wallet) for wallet in WALLETS] == [10] * 10
        known = Context(datetime.now(UTC), "test", "test:given")
        await handle(ledger, SetAllowances(items=((WALLETS[0], 0), (WALLETS[1], 50))), known)
        head = await ledger.head()
        await allow_dev_wallets(database.url)
        assert await ledger.head() == head
        assert [await allowed(ledger, wallet) for wallet in WALLETS[:3]] == [0, 50, 10]
