"""Discrepancies on a real chain, found by the real gateway and recorded in the real ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from solders.pubkey import Pubkey

from commands.upgrades import LapseAttempt
from consumers.gateways.solana_levels import SolanaLevels
from consumers.gateways.solana_tokens import burning
from domain.solana import Absence
from ledger.ledger import Ledger
from tests.gateways.devnet_side import Devnet, development_network
from tests.gateways.solana_levels_side import minted_to
from tests.gateways.solana_side import AUTHORITY
from tests.reconciling.on_devnet import Owner
from tests.world import Database


@pytest.fixture
async def devnet() -> AsyncIterator[Devnet]:
    async with development_network() as made:
        yield made


@pytest.fixture
async def ada(database: Database, devnet: Devnet) -> AsyncIterator[Owner]:
    """She has signed in with a wallet that has some SOL."""
    tokens = SolanaLevels(chain=devnet.chain, authority=AUTHORITY)
    async with Ledger(database.url, master_key=bytes(range(32))) as ledger:
        wallet = await devnet.wallet()
        made = Owner(database.url, ledger, devnet, tokens, wallet, "pass:user:ada")
        await made.sign_in()
        yield made


async def test_a_token_that_was_burned_outside_is_no_more(ada: Owner, devnet: Devnet) -> None:
    mint = await ada.unlocked()
    assert await ada.found() == []
    await devnet.sends(ada.wallet, *burning(Pubkey.from_string(mint), ada.wallet.pubkey()))
    assert await ada.found() == [("burned_outside", "corrected")]
    upgrade = await ada.upgrade()
    assert (upgrade.level, upgrade.token, upgrade.reviews) == (0, None, {})
    assert await ada.found() == []
    await ada.unlocked()
    assert (await ada.upgrade()).level == 1, "it starts again at level 1"


async def test_a_token_that_was_sent_away_may_come_back(ada: Owner, devnet: Devnet) -> None:
    mint, buyer = await ada.unlocked(), await devnet.wallet()
    await ada.sends_away(mint, buyer)
    assert await ada.found() == [], "it is confirmed, and not final"
    await devnet.final()
    assert await ada.found() == [("sent_away", "for review")]
    assert (await ada.upgrade()).level == 0 and mint in (await ada.upgrade()).reviews
    assert await ada.found() == []
    await ada.sends_away(mint, ada.wallet, buyer)
    await devnet.final()
    assert await ada.found() == [("came_back", "corrected")]
    assert (await ada.upgrade()).level == 1 and not (await ada.upgrade()).reviews


async def test_a_burn_after_the_attempt_had_lapsed_still_counts(ada: Owner, devnet: Devnet) -> None:
    mint = await ada.unlocked()
    late = await ada.ask("nft_upgrade")
    attempt = (await ada.upgrade()).attempt
    assert attempt
    about = {"owner": ada.pass_id, "upgrade_id": attempt.terms.upgrade_id}
    await ada.do(LapseAttempt(**about, proof=Absence("", 1, 1)))
    assert await ada.found() == []
    await devnet.lands(late)
    assert await ada.found() == [("burn_missed", "corrected")]
    owed = (await ada.upgrade()).recovery
    assert owed and (owed.terms.burns, owed.level) == (mint, 2)


async def test_a_token_that_none_of_our_upgrades_has_made_is_reviewed(
    ada: Owner, devnet: Devnet
) -> None:
    stranger = await devnet.wallet()
    theirs = await minted_to(devnet, ada.tokens, stranger, 3)
    hers = await minted_to(devnet, ada.tokens, ada.wallet, 2)
    assert await ada.found() == [("unknown_token", "for review")] * 2
    assert list((await ada.upgrade()).reviews) == [hers] and (await ada.upgrade()).level == 0
    assert await reviewed(ada) == [("pass:unknown", theirs), ("pass:user:ada", hers)]
    assert await ada.found() == [], "the cursor is behind them"
    with psycopg.connect(ada.url, autocommit=True) as connection:
        connection.execute("DELETE FROM consumers.reconciliations")
    assert await ada.found() == [("unknown_token", "known")] * 2, "they are read once more"
    assert len(await reviewed(ada)) == 2


async def reviewed(ada: Owner) -> list[Any]:
    with psycopg.connect(ada.url) as connection:
        found = connection.execute(
            "SELECT event->'data'->>'pass_id', event->'data'->>'mint' FROM mega_generations"
            " WHERE topic = 'correction_recorded.v1' ORDER BY 1"
        )
        return found.fetchall()


async def test_an_endpoint_that_lies_alone_corrects_nothing(ada: Owner, devnet: Devnet) -> None:
    await ada.unlocked()
    ada.tokens = SolanaLevels(chain=devnet.both, authority=AUTHORITY)
    assert await ada.found() == []
    absent = {"getMultipleAccounts": lambda asked, told: told | {"value": [None] * len(asked[0])}}
    devnet.liar.instead |= absent
    (report,) = await ada.round()
    assert "disagree" in report.failure and not report.findings
    assert (await ada.upgrade()).level == 1
