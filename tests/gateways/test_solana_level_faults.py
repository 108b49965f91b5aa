"""Why a level's transaction does not land, as real programs say it, and what a customer is told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from solders.keypair import Keypair

from consumers.gateways.solana_levels import SolanaLevels
from consumers.gateways.solana_tokens import MINT_RENT
from tests.gateways.devnet_side import Devnet, development_network
from tests.gateways.solana_levels_side import (
    FEE,
    HOLDING_RENT,
    burning,
    completed,
    minted_to,
    refused,
    wanted,
)
from tests.gateways.solana_side import AUTHORITY, RECENT


@pytest.fixture(scope="module")
async def devnet() -> AsyncIterator[Devnet]:
    async with development_network() as made:
        yield made


@pytest.fixture
def levels(devnet: Devnet) -> SolanaLevels:
    return SolanaLevels(chain=devnet.chain, authority=AUTHORITY)


POOR = {
    "never had any": (0, '"AccountNotFound"'),
    "too little for the mint": (1_400_000, '{"InstructionError":[1,{"Custom":1}]}'),
    "too little for its account": (3_000_000, '{"InstructionError":[5,{"Custom":1}]}'),
    "nothing left to live on": (
        3 * FEE + MINT_RENT + HOLDING_RENT + 1,
        '{"InsufficientFundsForRent":{"account_index":0}}',
    ),
}


@pytest.mark.parametrize("name", POOR)
async def test_a_wallet_without_sol_is_told_to_add_some(
    devnet: Devnet, levels: SolanaLevels, name: str
) -> None:
    lamports, error = POOR[name]
    wallet = await devnet.wallet(lamports) if lamports else Keypair()
    recent = await devnet.chain.blockhash()
    raw = completed(levels, levels.prepare_unlock(wanted(wallet), recent), wallet)
    assert await refused(devnet, raw) == error
    assert levels.fault(raw, error) == "ADD_SOL"


async def test_a_burn_needs_sol_for_its_fee(devnet: Devnet, levels: SolanaLevels) -> None:
    wallet = Keypair()
    mint = await minted_to(devnet, levels, wallet)
    penniless = await burning(devnet, levels, mint, wallet)
    assert await refused(devnet, penniless) == '"AccountNotFound"'
    await devnet.ask.ask("requestAirdrop", [str(wallet.pubkey()), 892_000])
    await devnet.passes(1)
    dear = SolanaLevels(chain=devnet.chain, authority=AUTHORITY, priority_fee=10**8)
    barely, not_at_all = [await burning(devnet, each, mint, wallet) for each in (levels, dear)]
    for_rent = '{"InsufficientFundsForRent":{"account_index":0}}'
    assert await refused(devnet, barely) == for_rent
    assert await refused(devnet, not_at_all) == '"InsufficientFundsForFee"'
    for reason in ('"AccountNotFound"', for_rent, '"InsufficientFundsForFee"'):
        assert levels.fault(barely, reason) == "ADD_SOL"


def error(told: Any) -> str:
    return json.dumps(told, separators=(",", ":"))


FAULTS: dict[str, tuple[Any, str]] = {
    "no money for the fee": ("InsufficientFundsForFee", "ADD_SOL"),
    "rent of an account that is not the payer's": (
        {"InsufficientFundsForRent": {"account_index": 1}},
        "SUPPORT",
    ),
    "a blockhash that is not known": ("BlockhashNotFound", "RETRYING"),
    "a full block": ("WouldExceedMaxBlockCostLimit", "RETRYING"),
    "an account that is used": ("AccountInUse", "RETRYING"),
    "a program that is paused": (
        {"ProgramExecutionTemporarilyRestricted": {"account_index": 3}},
        "RETRYING",
    ),
    "no such instruction": ({"InstructionError": [99, {"Custom": 1}]}, "SUPPORT"),
    "a memo's code": ({"InstructionError": [0, {"Custom": 1}]}, "SUPPORT"),
    "the token program's": ({"InstructionError": [6, {"Custom": 1}]}, "SUPPORT"),
    "without a code": ({"InstructionError": [4, "InvalidAccountData"]}, "SUPPORT"),
    "a signature that is none": ("SignatureFailure", "SUPPORT"),
    "never heard of": ("SomethingNew", "SUPPORT"),
    "an object never heard of": ({"SomethingNew": [1]}, "SUPPORT"),
    "nothing": (None, "SUPPORT"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_a_customer_is_told_about_an_error(levels: SolanaLevels, name: str) -> None:
    told, expected = FAULTS[name]
    raw = levels.prepare_unlock(wanted(Keypair()), RECENT).raw
    assert levels.fault(raw, error(told)) == expected


def test_an_error_is_read_without_its_transaction_too(levels: SolanaLevels) -> None:
    assert levels.fault("", '"InsufficientFundsForFee"') == "ADD_SOL"
    assert levels.fault("", '{"InstructionError":[1,{"Custom":1}]}') == "SUPPORT"
    assert levels.fault("", "no JSON") == "SUPPORT"


async def test_our_own_lack_of_sol_is_not_the_customers(devnet: Devnet) -> None:
    poor = await devnet.wallet(3_000_000)
    levels, wallet = SolanaLevels(chain=devnet.chain, authority=poor), await devnet.wallet()
    mint = levels.sign_mint(wanted(wallet), await devnet.chain.blockhash())
    assert levels.fault(mint.raw, await refused(devnet, mint.raw)) == "SUPPORT"
    assert levels.fault(mint.raw, '"InsufficientFundsForFee"') == "SUPPORT"
    rich = SolanaLevels(chain=devnet.chain, authority=AUTHORITY)
    old = await minted_to(devnet, rich, wallet)
    prepared = levels.prepare_exchange(wanted(wallet, 2), old, await devnet.chain.blockhash())
    raw = completed(levels, prepared, wallet)
    reason = await refused(devnet, raw)
    assert '"Custom":1' in reason and levels.fault(raw, reason) == "SUPPORT"
