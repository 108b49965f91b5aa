"""Puts the development wallets of Solana on the allowlist, once: see `contract.md` §5."""

from __future__ import annotations

from datetime import UTC, datetime

from commands.allowances import StartAllowances
from commands.command import Context, handle
from embedded.solana.genesis import dev_wallets
from ledger.ledger import Ledger

ALLOWED = 10


async def allow_dev_wallets(url: str) -> None:
    """`url` is the database of the application. No secret is written, so no key is needed."""
    wallets = StartAllowances(items=tuple((each.address, ALLOWED) for each in dev_wallets()))
    context = Context(datetime.now(UTC), "world", "world:allowlist")
    async with Ledger(url, master_key=bytes(32)) as ledger:
        await handle(ledger, wallets, context)
