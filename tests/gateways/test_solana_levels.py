"""Level tokens on the real token program: who pays, who signs, what lands, and why it does not."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from consumers.gateways.level_ports import LevelWanted
from consumers.gateways.solana_levels import SolanaLevels
from consumers.gateways.solana_ports import Prepared
from consumers.gateways.solana_tokens import MINT_RENT
from consumers.gateways.solana_wire import PACKET_BYTES
from domain.pfp_refusals import SignatureMissing, TransactionMismatch
from tests.gateways.devnet_side import Devnet, by_wallet, development_network
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


async def test_an_unlock_is_paid_by_the_wallet_alone(devnet: Devnet, levels: SolanaLevels) -> None:
    wallet = await devnet.wallet()
    ours, theirs = await devnet.lamports(AUTHORITY), await devnet.lamports(wallet)
    token = wanted(wallet)
    prepared = levels.prepare_unlock(token, await devnet.chain.blockhash())
    assert prepared.signature == "", "it is the wallet's, and not known yet"
    raw = completed(levels, prepared, wallet)
    assert await levels.minted(token) is None
    await devnet.lands(raw)
    found = await levels.minted(token)
    assert found is not None
    assert found[0].asset_id == levels.mint_of(token.reference)
    assert found[1] == levels.signature_of(raw)
    verdict = await devnet.chain.verdict(found[1])
    assert verdict is not None and (verdict.slot, verdict.error) == (found[0].slot, "")
    assert await devnet.lamports(AUTHORITY) == ours
    paid = 3 * FEE + MINT_RENT + HOLDING_RENT
    assert await devnet.lamports(wallet) == theirs - paid


async def test_an_upgrade_has_one_mint_whatever_happens(
    devnet: Devnet, levels: SolanaLevels
) -> None:
    wallet = await devnet.wallet()
    token = wanted(wallet)
    first = levels.prepare_unlock(token, await devnet.chain.blockhash())
    await devnet.lands(completed(levels, first, wallet))
    second = levels.prepare_unlock(token, await devnet.chain.blockhash())
    raw = completed(levels, second, wallet)
    assert levels.fault(raw, await refused(devnet, raw)) == "RETRYING", "it is there: look again"
    assert levels.mint_of(token.reference) != levels.mint_of(wanted(wallet).reference)


async def test_lamports_sent_to_a_mints_address_keep_no_token_from_it(
    devnet: Devnet, levels: SolanaLevels
) -> None:
    wallet, stranger = await devnet.wallet(), await devnet.wallet()
    tokens = [wanted(wallet) for _ in range(3)]
    for token in tokens:
        await devnet.sends(stranger, gift(stranger, levels.mint_of(token.reference)))
    unlock, mint, exchange = tokens
    recent = await devnet.chain.blockhash()
    await devnet.lands(completed(levels, levels.prepare_unlock(unlock, recent), wallet))
    await devnet.lands(levels.sign_mint(mint, recent).raw)
    old = levels.mint_of(mint.reference)
    await devnet.lands(completed(levels, levels.prepare_exchange(exchange, old, recent), wallet))
    for token in tokens:
        assert await levels.minted(token) is not None
    again = levels.sign_mint(unlock, await devnet.chain.blockhash()).raw
    assert levels.fault(again, await refused(devnet, again)) == "RETRYING"


def gift(giver: Keypair, to: str) -> Instruction:
    """As much as an address of no bytes must have to stay."""
    key, rent = Pubkey.from_string(to), 890_880
    return transfer(TransferParams(from_pubkey=giver.pubkey(), to_pubkey=key, lamports=rent))


async def test_a_burn_is_the_wallets_own_and_gives_it_the_rent_back(
    devnet: Devnet, levels: SolanaLevels
) -> None:
    wallet = await devnet.wallet()
    mint = await minted_to(devnet, levels, wallet)
    before = await devnet.lamports(wallet)
    reference = str(uuid4())
    recent = await devnet.chain.blockhash()
    prepared = levels.prepare_burn(mint, str(wallet.pubkey()), reference, recent)
    assert base64.b64decode(prepared.raw)[0] == 1, "one signature"
    assert await levels.burned(mint) is None
    raw = completed(levels, prepared, wallet)
    await devnet.lands(raw)
    burn = await levels.burned(mint)
    assert burn is not None and burn.signature == levels.signature_of(raw)
    assert (burn.mint, burn.owner, burn.reference) == (mint, str(wallet.pubkey()), reference)
    assert await devnet.lamports(wallet) == before - FEE + HOLDING_RENT


async def test_a_token_is_burned_once_and_by_its_owner_only(
    devnet: Devnet, levels: SolanaLevels
) -> None:
    wallet, thief = await devnet.wallet(), await devnet.wallet()
    mint = await minted_to(devnet, levels, wallet)
    stolen = await burning(devnet, levels, mint, thief)
    assert levels.fault(stolen, await refused(devnet, stolen)) == "SUPPORT"
    assert await levels.burned(mint) is None
    await devnet.lands(await burning(devnet, levels, mint, wallet))
    again = await burning(devnet, levels, mint, wallet)
    assert levels.fault(again, await refused(devnet, again)) == "SUPPORT"


@pytest.mark.parametrize("priority_fee", [0, 5_000])
async def test_an_exchange_burns_and_mints_or_does_neither(
    devnet: Devnet, priority_fee: int
) -> None:
    levels = SolanaLevels(chain=devnet.chain, authority=AUTHORITY, priority_fee=priority_fee)
    wallet = await devnet.wallet()
    old, token = await minted_to(devnet, levels, wallet), wanted(wallet, 2)
    before = await devnet.lamports(wallet)
    prepared = levels.prepare_exchange(token, old, await devnet.chain.blockhash())
    assert len(base64.b64decode(prepared.raw)) <= PACKET_BYTES and prepared.signature == ""
    raw = completed(levels, prepared, wallet)
    await devnet.lands(raw)
    found, burn = await levels.minted(token), await levels.burned(old)
    assert found is not None and burn is not None
    assert found[1] == burn.signature and burn.reference == token.reference
    fees = 3 * FEE + priority_fee * 200_000 // 10**6
    assert await devnet.lamports(wallet) == before - fees + HOLDING_RENT, "the rent is ours"
    other = wanted(wallet, 3)
    neither = levels.prepare_exchange(other, old, await devnet.chain.blockhash())
    gone = completed(levels, neither, wallet)
    assert levels.fault(gone, await refused(devnet, gone)) == "SUPPORT"
    assert await levels.minted(other) is None


async def test_a_mint_of_the_server_needs_nobody_else(devnet: Devnet, levels: SolanaLevels) -> None:
    owner = Keypair()
    token = wanted(owner, 2)
    prepared = levels.sign_mint(token, await devnet.chain.blockhash())
    assert prepared.signature == levels.signature_of(prepared.raw)
    await devnet.lands(prepared.raw)
    found = await levels.minted(token)
    assert found is not None and found[1] == prepared.signature


KINDS = ("unlock", "burn", "exchange")


def prepared_as(kind: str, levels: SolanaLevels, token: LevelWanted) -> Prepared:
    if kind == "burn":
        mint = levels.mint_of("another")
        return levels.prepare_burn(mint, token.owner, token.reference, RECENT)
    if kind == "unlock":
        return levels.prepare_unlock(token, RECENT)
    return levels.prepare_exchange(token, levels.mint_of("another"), RECENT)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wallet_may_hand_in_nothing_but_what_was_prepared(
    levels: SolanaLevels, kind: str
) -> None:
    wallet, stranger = Keypair(), Keypair()
    token = wanted(wallet)
    prepared = prepared_as(kind, levels, token)
    other = prepared_as(kind, levels, replace(token, reference=str(uuid4())))
    address, raw = str(wallet.pubkey()), base64.b64decode(by_wallet(prepared, wallet))
    assert levels.complete(prepared, address, base64.b64encode(raw).decode())
    for changed in (by_wallet(other, wallet), base64.b64encode(raw[:-1]).decode(), "", "&"):
        with pytest.raises(TransactionMismatch):
            levels.complete(prepared, address, changed)
    with pytest.raises(TransactionMismatch):
        levels.complete(prepared, str(stranger.pubkey()), by_wallet(prepared, wallet))
    with pytest.raises(SignatureMissing):
        levels.complete(prepared, address, prepared.raw)
    if kind != "burn":
        ours_missing = raw[:65] + bytes(64) + raw[129:]
        with pytest.raises(TransactionMismatch):
            levels.complete(prepared, address, base64.b64encode(ours_missing).decode())


def test_the_longest_exchange_fits_into_a_packet() -> None:
    levels = SolanaLevels(chain=None, authority=AUTHORITY, priority_fee=2**40)  # type: ignore[arg-type]
    token = LevelWanted(str(Keypair().pubkey()), 255, "b" * 62, str(uuid4()))
    prepared = levels.prepare_exchange(token, levels.mint_of("another"), RECENT)
    size = len(base64.b64decode(prepared.raw))
    assert size <= PACKET_BYTES - 100, size
    assert VersionedTransaction.from_bytes(base64.b64decode(prepared.raw))
