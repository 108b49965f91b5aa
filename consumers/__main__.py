"""The consumers' process: relay, intake, tallies, watchers and the workers that keep promises.

Any number of these processes may run: relay, watchers, tallies and the reconciler elect a leader,
the intake shares partitions, promises are held one by one.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta

import httpx
import structlog
import uvloop

import logs
from consumers import composing_solana
from consumers.composing import (
    evm_chain,
    evm_minter,
    image_provider,
    openai,
    picture_store,
)
from consumers.composing_creations import studio_reactions
from consumers.composing_levels import level_reactions
from consumers.composing_pfp import pfp_reactions
from consumers.composing_reconciler import checks
from consumers.composing_shop import shop_reactions, sweepers
from consumers.composing_x402 import facilitator, geoplet_chain
from consumers.evidence import Depths, Examiner
from consumers.gateways.mintable import mintable
from consumers.gateways.ports import PictureStore
from consumers.gateways.questions import questions_client
from consumers.intake import Intake
from consumers.producer import Publisher
from consumers.reactions.final_mint import FinalMint
from consumers.reactions.generation import PROVIDER_RESULTS, Generation
from consumers.reactions.matcha import Expiry
from consumers.reactions.payments import CHAIN_RESULTS, Payments
from consumers.reactions.pictures import Pictures
from consumers.reactions.promise import Desk, Reaction
from consumers.reactions.settlement import Settlement
from consumers.reconciler import Reconciler
from consumers.relay import Relay
from consumers.results import Results
from consumers.sightings import Geoplets, RoleMints, Source
from consumers.tally import Tally
from consumers.watcher import Watcher
from consumers.worker import Pace, Worker
from consumers.x402_evidence import X402Depths, X402Examiner
from ledger.clock import Clock
from ledger.ledger import Ledger
from ledger.pool import reading_pool
from projections.topic_catalog import topic_projections
from settings import Settings, named_settings

REQUIRED = (
    "database_url",
    "mega_master_key",
    "kafka_bootstrap_servers",
    "evm_rpc_urls",
    "role_mint_address",
    "payment_token_address",
    "payment_treasury",
    "mint_signer_key",
    "usdc_address",
    "geoplets_address",
    "mega_x402_pay_to",
    *composing_solana.REQUIRED,
    "openai_url",
    "openai_key",
    "s3_endpoint_url",
    "s3_public_base_url",
    "s3_access_key",
    "s3_secret_key",
)
LONGEST_PAUSE_S = {"dev": 30.0, "test": 5.0, "prod": 3600.0}
BLOCK_S = {"dev": 0.5, "test": 0.2, "prod": 4.0}
# When a killed reader's messages go to another; brokers allow no less than 6 s by default.
SESSION_S = {"dev": 6.0, "test": 2.0, "prod": 6.0}
SLOT_S = {"dev": 0.4, "test": 0.1, "prod": 0.8}
SHOP_S = {"dev": 0.5, "test": 0.2, "prod": 1.0}
CHAIN_S = 10.0
UNHURRIED_S = 0.1
# What stalls is found within a minute, also after another process has taken the lead.
RECONCILE_S = {"dev": 10.0, "test": 1.0, "prod": 20.0}
MEDIA_S = {"dev": 1.0, "test": 0.3, "prod": 5.0}
PICTURE_S = {"dev": 3.0, "test": 0.5, "prod": 3.0}


async def main() -> None:
    settings = Settings.load_or_exit(require=REQUIRED)
    logs.configure()
    async with AsyncExitStack() as stack:
        clock = Clock(await stack.enter_async_context(reading_pool(settings.database, 2)))
        await clock.refresh()
        ledger = await stack.enter_async_context(
            Ledger(settings.database, master_key=settings.master_key, ahead=clock.ahead)
        )
        publisher = Publisher(settings.kafka_bootstrap_servers, settings.mega_topic_prefix)
        stack.push_async_callback(publisher.close)
        web = await stack.enter_async_context(httpx.AsyncClient())
        asked = questions_client(timeout=CHAIN_S, follow_redirects=False, trust_env=False)
        await stack.enter_async_context(asked)
        parts = compose(settings, ledger, clock, publisher, web, asked)
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signal_number, stop, parts)
        following = asyncio.create_task(clock.follow())
        structlog.get_logger().info("consumers_ready", pid=os.getpid())
        await asyncio.gather(*[part.run() for part in parts])
        following.cancel()


Part = Relay | Intake | Tally | Watcher | Reconciler | Worker


def compose(
    settings: Settings,
    ledger: Ledger,
    clock: Clock,
    publisher: Publisher,
    web: httpx.AsyncClient,
    asked: httpx.AsyncClient,
) -> list[Part]:
    """Everything that runs here; `asked` is for chains: questions, and what may be sent twice."""
    chain, geoplets = evm_chain(settings, asked), geoplet_chain(settings, asked)
    desk, examiner = Desk(ledger, clock.now), Examiner(chain, evm_depths(settings))
    store = picture_store(settings, web)
    examined = X402Examiner(geoplets, x402_depths(settings))
    settlement = Settlement(desk, examined, facilitator(settings, web), settings.x402_terms)
    payments = Payments(desk, examiner, publisher)
    shared = (settings, desk, web, asked, retry_cap(settings))
    pfp, levels = pfp_reactions(*shared), level_reactions(*shared)
    shop, studio = shop_reactions(settings, desk, web), studio_reactions(settings, desk, web)
    slow = pictures(settings, desk, web, publisher, store)
    slow |= {"pin": levels.pop("pin"), "matcha": Expiry(desk).expire}
    quick: Mapping[str, Reaction] = {
        "verify": payments.verify,
        "finality": payments.watch,
        "expire": payments.expire,
        "final_mint": FinalMint(desk, examiner, evm_minter(settings), payments).mint,
        "x402": settlement.attend,
        "batch": pfp.pop("batch"),
        "shop": shop.pop("shop"),
        "mma_end": studio.pop("mma_end"),
        **levels,
    }
    return [
        relay(settings, ledger),
        *intakes(settings, Results(desk, examiner, store, settlement)),
        *tallies(settings),
        *(watcher(settings, each, publisher) for each in (RoleMints(chain), Geoplets(geoplets))),
        reconciler(settings, desk, clock, asked),
        *sweepers(settings, desk, web),
        *workers(settings, clock, quick, slow, pfp, studio, shop),
    ]


def pictures(
    settings: Settings,
    desk: Desk,
    web: httpx.AsyncClient,
    publisher: Publisher,
    store: PictureStore,
) -> dict[str, Reaction]:
    """Of characters and of Geoplets."""
    cap = retry_cap(settings)
    characters = Generation(desk, image_provider(settings, web), store, publisher, cap)
    geoplets = Pictures(desk, openai(settings, web), store, mintable, cap)
    return {"generate": characters.generate, "picture": geoplets.make}


def retry_cap(settings: Settings) -> timedelta:
    return timedelta(seconds=LONGEST_PAUSE_S[settings.mega_env])


def workers(
    settings: Settings, clock: Clock, quick: Mapping[str, Reaction], *slow: Mapping[str, Reaction]
) -> list[Worker]:
    """Each has hands of its own: pictures take minutes, and what moves money must not wait."""
    url, now, pace = settings.database, clock.now, paces(settings.mega_env)
    unhurried = [Worker(url, each, now, paces=pace, poll_s=UNHURRIED_S) for each in slow if each]
    return [Worker(url, quick, now, paces=pace), *unhurried]


def reconciler(
    settings: Settings, desk: Desk, clock: Clock, asked: httpx.AsyncClient
) -> Reconciler:
    every_s, found = RECONCILE_S[settings.mega_env], checks(settings, desk, asked)
    return Reconciler(settings.database, found, clock.now, every_s=every_s)


def relay(settings: Settings, ledger: Ledger) -> Relay:
    kafka, prefix = settings.kafka_bootstrap_servers, settings.mega_topic_prefix
    return Relay(settings.database, ledger, kafka, prefix)


def watcher(settings: Settings, source: Source, publisher: Publisher) -> Watcher:
    return Watcher(
        settings.database,
        source,
        publisher,
        confirmations=settings.evm_confirmations,
        poll_s=BLOCK_S[settings.mega_env],
    )


def evm_depths(settings: Settings) -> Depths:
    return Depths(settings.evm_confirmations, settings.evm_finality_blocks)


def x402_depths(settings: Settings) -> X402Depths:
    return X402Depths(
        payment=settings.mega_x402_confirmations,
        mint=settings.evm_confirmations,
        finality=settings.evm_finality_blocks,
    )


def intakes(settings: Settings, results: Results) -> list[Intake]:
    """One for each topic, so that a silent node holds up no picture."""
    handlers = {CHAIN_RESULTS: results.chain, PROVIDER_RESULTS: results.provider}
    return [
        Intake(
            settings.kafka_bootstrap_servers,
            settings.mega_topic_prefix,
            f"mega-{topic}",
            {topic: handler},
            settings.database,
            hints=True,
            session_s=SESSION_S[settings.mega_env],
        )
        for topic, handler in handlers.items()
    ]


def tallies(settings: Settings) -> list[Tally]:
    """One for each projection of a topic."""
    kafka, prefix = settings.kafka_bootstrap_servers, settings.mega_topic_prefix
    return [Tally(settings.database, kafka, prefix, each) for each in topic_projections()]


def paces(env: str) -> dict[str, Pace]:
    """How often each kind of promise is looked at again."""
    block, longest = BLOCK_S[env], LONGEST_PAUSE_S[env]
    return {
        "verify": Pace(block, longest),
        "finality": Pace(4 * block, longest),
        "final_mint": Pace(2 * block, longest),
        "generate": Pace(PICTURE_S[env], longest),
        "expire": Pace(1.0, longest),
        "x402": Pace(block / 2, min(longest, 10 * block)),
        "picture": Pace(PICTURE_S[env], longest),
        "batch": Pace(2 * SLOT_S[env], min(longest, 10 * SLOT_S[env])),
        "level": Pace(2 * SLOT_S[env], min(longest, 10 * SLOT_S[env])),
        "pin": Pace(PICTURE_S[env], longest),
        "shop": Pace(SHOP_S[env], longest),
        "tag": Pace(SHOP_S[env], longest),
        "mma": Pace(MEDIA_S[env], min(longest, 30.0)),
        "mma_end": Pace(1.0, longest),
        "art": Pace(SLOT_S[env] / 4, longest),
        "mint": Pace(SLOT_S[env], min(longest, 10 * SLOT_S[env])),
    }


def stop(parts: list[Part]) -> None:
    for part in parts:
        part.stop()


if __name__ == "__main__":
    with named_settings():
        uvloop.run(main())
