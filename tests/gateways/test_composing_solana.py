"""What the settings make of Solana's gateways, and which settings cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from consumers import composing_solana as composing
from consumers.gateways.questions import questions_client
from settings import Settings, SettingsError
from tests.gateways.solana_side import AUTHORITY, TREASURY


def settings(**more: Any) -> Settings:
    given = {
        "solana_rpc_urls": "http://127.0.0.1:9",
        "solana_authority_key": str(AUTHORITY),
        "solana_treasury": TREASURY,
        **more,
    }
    return Settings.load(require=composing.REQUIRED, **given)


async def test_minters_are_found_by_their_kind_and_trees_again_by_their_number() -> None:
    given = settings()
    async with questions_client() as client:
        chain = composing.solana_chain(given, client)
        made = composing.minters(given, chain)
        assert {kind: each.kind for kind, each in made.items()} == {
            "bubblegum": "bubblegum",
            "spl": "spl",
        }
        assert composing.payments(given).treasury == TREASURY
        first = composing.trees(given, chain).address(1)
        assert first == composing.trees(given, chain).address(1)
        mint = composing.levels(given, chain).mint_of("upgrade")
        assert mint == composing.levels(given, chain).mint_of("upgrade") != first


def test_a_treasury_that_pays_the_fees_is_refused() -> None:
    with pytest.raises(SettingsError, match="SOLANA_TREASURY"):
        composing.payments(settings(solana_treasury=str(AUTHORITY.pubkey())))


async def test_a_tree_that_no_program_knows_is_refused() -> None:
    given = settings(mega_pfp_tree="14/65/8")
    async with questions_client() as client:
        chain = composing.solana_chain(given, client)
        with pytest.raises(SettingsError, match="MEGA_PFP_TREE"):
            composing.trees(given, chain)


def test_a_key_is_in_nothing_that_is_printed() -> None:
    assert str(AUTHORITY) not in repr(settings())
