"""What the routes work with, composed once a process; tests compose the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from api.base import Base
from api.births import Births
from api.chain_head import Block, ChainHead
from api.deliveries import Delivery, unsigned
from api.emails import SendMail
from api.levels import Levels
from api.limits import Limits
from api.live.hub import Hub
from api.meters import Meters
from api.nonces import Nonces
from api.principal import Directory
from api.proofs import Proofs, open_proofs
from api.reading import Reader
from api.siwe import AskWallet
from api.solana import Solana
from api.statement_check import StatementKey
from api.studio import AskText, Studio, nobody
from api.tokens import Tokens
from api.turns import Turns
from api.uploads import Uploads
from commands.together import Together
from domain.money import Money
from domain.roles import Catalog, MintTerms, Offer
from ledger.clock import Clock
from ledger.ledger import Ledger
from ledger.pool import reading_pool
from projections import topical
from projections.catalog import all_projections
from projections.runner import LIVE, connect, set_up
from projections.topic_catalog import topic_projections
from settings import Settings

READERS = 4


@dataclass(frozen=True)
class Parts:
    """`running` holds the idempotency keys that this process is working on."""

    settings: Settings
    ledger: Ledger
    catalog: Catalog
    chain: ChainHead
    base: Base
    solana: Solana
    levels: Levels
    uploads: Uploads
    studio: Studio
    clock: Clock
    reader: Reader
    births: Births
    tokens: Tokens
    nonces: Nonces
    ask_wallet: AskWallet | None
    proofs: Proofs
    statement_key: StatementKey
    directory: Directory
    limits: Limits
    meters: Meters
    live: Hub
    delivery: Delivery = unsigned
    running: set[str] = field(default_factory=set)
    turns: Turns = field(default_factory=Turns)

    @property
    def dev(self) -> bool:
        return self.settings.mega_env == "dev"

    @property
    def image_maker(self) -> tuple[str, str]:
        """(provider, model) that a retry is recorded with; the worker's own settings decide."""
        if self.settings.mega_image_provider == "seedream":
            return "seedream", self.settings.seedream_model
        return "openai", self.settings.openai_model


def catalog_of(settings: Settings) -> Catalog:
    """The offers and the terms of payment that the settings name."""
    offers = [Offer(r.role, r.recipe, Money(r.asset, r.price)) for r in settings.mega_roles]
    terms = MintTerms(
        chain_id=settings.evm_chain_id,
        contract=(settings.role_mint_address or "").lower(),
        token=(settings.payment_token_address or "").lower(),
        treasury=(settings.payment_treasury or "").lower(),
    )
    return Catalog(offers, terms)


def settled(settings: Settings) -> dict[str, Any]:
    """The parts that follow from the settings alone."""
    return {
        "settings": settings,
        "catalog": catalog_of(settings),
        "tokens": Tokens(settings),
        "nonces": Nonces.of(settings),
        "statement_key": StatementKey.of(settings),
        "limits": Limits.of(settings),
    }


async def set_up_views(url: str) -> None:
    """The tables of every projection, so that reads find them before the first event."""
    async with await connect(url, LIVE) as connection:
        for projection in all_projections():
            await set_up(connection, projection)
        for of_topic in topic_projections():
            await topical.set_up(connection, of_topic)


@asynccontextmanager
async def kept_up(*each: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """What keeps up with others in the background, while this lasts."""
    tasks = [asyncio.create_task(one) for one in each]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def open_parts(
    settings: Settings,
    head: Callable[[], Awaitable[Block | None]],
    base: Base,
    solana: Solana,
    levels: Levels,
    uploads: Uploads,
    ask_wallet: AskWallet | None = None,
    send_mail: SendMail | None = None,
    ask_text: AskText = nobody,
) -> AsyncIterator[Parts]:
    """Opens the ledger and what follows the database; `head` and `ask_wallet` ask the EVM chain."""
    url = settings.database
    await set_up_views(url)
    async with reading_pool(url, READERS) as pool, open_proofs(settings, send_mail) as proofs:
        clock, directory, reader, meters = Clock(pool), Directory(pool), Reader(pool), Meters()
        await clock.refresh()
        await directory.refresh()
        ledger = Ledger(url, master_key=settings.master_key, ahead=clock.ahead)
        clocks = [clock.follow()] if settings.mega_env == "dev" else []
        live = Hub(reader.rows, ledger, directory, clock, meters.live)
        async with kept_up(directory.follow(), *clocks), ledger, live:
            yield Parts(
                **settled(settings),
                ledger=ledger,
                chain=ChainHead(head),
                base=base,
                solana=solana,
                levels=levels,
                uploads=uploads,
                studio=Studio(Together(ledger), ask_text),
                clock=clock,
                reader=reader,
                births=Births(ledger),
                ask_wallet=ask_wallet,
                proofs=proofs,
                directory=directory,
                meters=meters,
                live=live,
            )
