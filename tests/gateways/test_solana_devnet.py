"""The gateways on the development network: what is signed lands, and what landed is read back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from solders.keypair import Keypair

from consumers.gateways.ports import TryAgain, WillNotWork
from consumers.gateways.solana_minters import BubblegumMinter
from consumers.gateways.solana_payments import Payments
from consumers.gateways.solana_ports import MintWanted, TokenMinter, TreeStanding
from consumers.gateways.solana_rpc import SolanaRpc
from consumers.gateways.solana_spl import SplMinter
from tests.gateways.devnet_side import Devnet, development_network, signed
from tests.gateways.solana_side import AUTHORITY, TREASURY

PAYMENTS = Payments(authority=AUTHORITY, treasury=TREASURY, priority_fee=1_000)
WHO: dict[str, Any] = {"authority": AUTHORITY, "treasury": TREASURY, "priority_fee": 1_000}


@pytest.fixture(scope="module")
async def devnet() -> AsyncIterator[Devnet]:
    async with development_network() as made:
        yield made


async def paying(devnet: Devnet, wallet: Keypair, reference: str, lamports: int = 5_000_000) -> Any:
    recent = await devnet.chain.blockhash()
    prepared = PAYMENTS.prepare(str(wallet.pubkey()), lamports, recent, reference=reference)
    return prepared, signed(prepared, wallet)


async def test_a_payment_is_seen_confirmed_then_final_and_paid(devnet: Devnet) -> None:
    chain, wallet = devnet.chain, await devnet.wallet()
    prepared, raw = await paying(devnet, wallet, "batch:a")
    assert await chain.simulate(raw) == ""
    await chain.broadcast(raw)
    await devnet.passes(2)
    seen = await chain.fate(prepared.signature)
    assert seen is not None and (seen.commitment, seen.error) == ("confirmed", "")
    assert await chain.paid(prepared.signature) is None
    await devnet.final()
    paid = await chain.paid(prepared.signature)
    assert paid is not None and paid.lamports == 5_000_000
    await chain.broadcast(raw)
    assert await chain.simulate(raw) == "", "what has landed would not fail"
    await devnet.passes(200)
    await devnet.final()
    assert await chain.absence(prepared.signature, prepared.last_valid_height) is None


async def test_a_dropped_payment_is_proved_absent_only_past_its_height(devnet: Devnet) -> None:
    chain, wallet = devnet.chain, await devnet.wallet()
    prepared, raw = await paying(devnet, wallet, "batch:b")
    await devnet.front.steer("chain", {"drop_next": 1})
    await chain.broadcast(raw)
    await devnet.passes(1)
    assert await chain.fate(prepared.signature) is None
    assert await chain.absence(prepared.signature, prepared.last_valid_height) is None
    await devnet.passes(160)
    await devnet.final()
    proof = await chain.absence(prepared.signature, prepared.last_valid_height)
    assert proof is not None and proof.height > prepared.last_valid_height
    with pytest.raises(TryAgain):
        await chain.broadcast(raw)
    with pytest.raises(TryAgain):
        await chain.simulate(raw)


async def test_a_payment_that_is_held_and_lands_late_is_never_absent(devnet: Devnet) -> None:
    chain, wallet = devnet.chain, await devnet.wallet()
    prepared, raw = await paying(devnet, wallet, "batch:c")
    await devnet.front.steer("chain", {"hold_next": 1})
    await chain.broadcast(raw)
    await devnet.passes(100)
    assert await chain.absence(prepared.signature, prepared.last_valid_height) is None
    await devnet.front.steer("chain", {"land_held": True})
    await devnet.passes(200)
    await devnet.final()
    assert await chain.absence(prepared.signature, prepared.last_valid_height) is None
    paid = await chain.paid(prepared.signature)
    assert paid is not None and paid.lamports == 5_000_000


async def test_a_wallet_without_money_is_told_before_anything_is_sent(devnet: Devnet) -> None:
    wallet = await devnet.wallet(2_000_000)
    prepared, raw = await paying(devnet, wallet, "batch:d")
    reason = await devnet.chain.simulate(raw)
    assert '"Custom":1' in reason
    with pytest.raises(WillNotWork) as failure:
        await devnet.chain.broadcast(raw)
    assert failure.value.reason == reason
    assert await devnet.chain.fate(prepared.signature) is None


async def test_a_tree_is_created_and_fills(devnet: Devnet) -> None:
    chain, trees, owner = devnet.chain, devnet.trees("3/8/0"), await devnet.wallet()
    assert await trees.standing(9) == TreeStanding(0, 0)
    creation = await trees.sign_creation(9, await chain.blockhash())
    await devnet.lands(creation.raw)
    assert await trees.standing(9) == TreeStanding(8, 0)
    minter = BubblegumMinter(chain=chain, **WHO)
    for number in range(8):
        wanted = MintWanted(str(owner.pubkey()), f"MPFP #{number}", "https://a", f"unit:{number}")
        recent = await chain.blockhash()
        await devnet.lands(minter.sign_mint(wanted, trees.address(9), recent).raw)
    assert await trees.standing(9) == TreeStanding(8, 8)
    full = minter.sign_mint(wanted, trees.address(9), await chain.blockhash())
    with pytest.raises(WillNotWork):
        await chain.broadcast(full.raw)


async def tree(devnet: Devnet) -> str:
    """Of the default shape; made once."""
    trees = devnet.trees("14/64/8")
    if not (await trees.standing(1)).capacity:
        creation = await trees.sign_creation(1, await devnet.chain.blockhash())
        await devnet.lands(creation.raw)
    return trees.address(1)


def minters(chain: SolanaRpc) -> dict[str, TokenMinter]:
    return {kind.kind: kind(chain=chain, **WHO) for kind in (BubblegumMinter, SplMinter)}


@pytest.mark.parametrize("kind", ["bubblegum", "spl"])
async def test_a_mint_that_we_pay_is_read_back(devnet: Devnet, kind: str) -> None:
    chain, wallet = devnet.chain, await devnet.wallet()
    minter, place = minters(chain)[kind], await tree(devnet)
    wanted = MintWanted(str(wallet.pubkey()), "MPFP #1", "https://a/b", f"unit:{kind}:1")
    prepared = minter.sign_mint(wanted, place, await chain.blockhash())
    assert await minter.token(prepared.signature, wanted) is None
    await devnet.lands(prepared.raw)
    seen = await minter.token(prepared.signature, wanted)
    assert seen is not None and seen.tree == (place if kind == "bubblegum" else "")
    other = MintWanted(wanted.owner, wanted.name, "https://a/c", wanted.reference)
    with pytest.raises(WillNotWork):
        await minter.token(prepared.signature, other)
    if kind == "bubblegum":
        asset = await devnet.ask.ask("getAsset", {"id": seen.asset_id})  # type: ignore[arg-type]
        assert asset["ownership"]["owner"] == wanted.owner
        assert asset["compression"]["leaf_id"] == seen.leaf_index


@pytest.mark.parametrize("kind", ["bubblegum", "spl"])
@pytest.mark.parametrize("lamports", [0, 50_000_000])
async def test_payment_and_mint_land_together_or_not_at_all(
    devnet: Devnet, kind: str, lamports: int
) -> None:
    chain, wallet = devnet.chain, await devnet.wallet()
    minter, place = minters(chain)[kind], await tree(devnet)
    wanted = MintWanted(str(wallet.pubkey()), "MPFP #1", "https://a/b", f"own:{kind}:{lamports}")
    recent = await chain.blockhash()
    prepared = minter.prepare_paid_mint(wanted, place, lamports, recent)
    with pytest.raises(WillNotWork):
        await chain.broadcast(prepared.raw)
    await devnet.lands(signed(prepared, wallet))
    paid = await chain.paid(prepared.signature)
    assert paid is not None and paid.lamports == lamports
    assert await minter.token(prepared.signature, wanted) is not None
    poor = await devnet.wallet(10_000_000)
    unpaid = MintWanted(str(poor.pubkey()), "MPFP #2", "https://a/b", f"poor:{kind}:{lamports}")
    cannot = minter.prepare_paid_mint(unpaid, place, 50_000_000, await chain.blockhash())
    with pytest.raises(WillNotWork):
        await chain.broadcast(signed(cannot, poor))
    assert await minter.token(cannot.signature, unpaid) is None
