"""The development network of Solana, asked as solana-py and other clients ask a node."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from solana.rpc.commitment import Confirmed, Processed
from solana.rpc.core import RPCException
from solana.rpc.models import TxOpts
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from embedded.solana import slots
from tests.twins.solana_side import (
    AUTHORITY,
    TREASURY,
    WALLET,
    Side,
    memo,
    payment,
    sending,
    signed,
    solana,
)

SIGNATURE_FEE = 5_000
NOW = TxOpts(preflight_commitment=Processed)


@pytest.fixture(scope="module")
async def network() -> AsyncIterator[Side]:
    async with solana() as running:
        yield running


@pytest.fixture
async def side(network: Side) -> Side:
    """In slots of its own, so that equal payments of two tests differ in their blockhash."""
    await network.alone.steer("chain", {"finalize": True})
    return network


async def test_a_payment_moves_lamports_and_fees(side: Side) -> None:
    before = await side.lamports(WALLET.pubkey()), await side.lamports(TREASURY)
    payer = await side.lamports(AUTHORITY.pubkey())
    transaction = await side.transaction([payment(50_000_000), memo("batch")], WALLET)
    sent = await side.client.send_raw_transaction(bytes(transaction), NOW)
    assert sent.value == transaction.signatures[0]
    after = await side.lamports(WALLET.pubkey()), await side.lamports(TREASURY)
    assert (before[0] - after[0], after[1] - before[1]) == (50_000_000, 50_000_000)
    assert payer - await side.lamports(AUTHORITY.pubkey()) == 2 * SIGNATURE_FEE
    await side.pass_slots(slots.CONFIRMED_AFTER)
    seen = await side.client.get_transaction(
        sent.value, commitment=Confirmed, max_supported_transaction_version=0
    )
    assert seen.value is not None
    meta = seen.value.transaction.meta
    assert meta is not None and meta.err is None and meta.fee == 2 * SIGNATURE_FEE
    assert meta.log_messages is not None
    assert any("batch" in line for line in meta.log_messages)


async def test_commitment_rises_with_the_slots(side: Side) -> None:
    old = await side.lamports(TREASURY, "finalized")
    signature = await side.land([payment(7_000_000)], WALLET)
    told = await side.status(signature)
    assert told and (told["confirmationStatus"], told["err"]) == ("processed", None)
    asked = {"maxSupportedTransactionVersion": 0, "commitment": "confirmed"}
    assert await side.result("getTransaction", signature, asked) is None
    assert await side.lamports(TREASURY, "confirmed") == old
    await side.pass_slots(slots.CONFIRMED_AFTER)
    told = await side.status(signature)
    assert told and told["confirmationStatus"] == "confirmed"
    assert await side.lamports(TREASURY, "confirmed") == old + 7_000_000
    assert await side.lamports(TREASURY, "finalized") == old
    asked["commitment"] = "finalized"
    assert await side.result("getTransaction", signature, asked) is None
    await side.alone.steer("chain", {"finalize": True})
    told = await side.status(signature)
    assert told and (told["confirmationStatus"], told["confirmations"]) == ("finalized", None)
    assert await side.lamports(TREASURY, "finalized") == old + 7_000_000


async def test_a_blockhash_expires_by_height_and_not_by_slot(side: Side) -> None:
    told = await side.client.get_latest_blockhash(Processed)
    recent, last = told.value.blockhash, told.value.last_valid_block_height
    transaction = signed([payment(1_000_000)], recent, WALLET)
    height = (await side.client.get_block_height(Processed)).value
    assert (await side.client.get_slot(Processed)).value > last > height

    async def known() -> bool:
        asked = {"commitment": "processed"}
        return bool((await side.result("isBlockhashValid", str(recent), asked))["value"])

    now = await side.pass_slots(140)
    while now["height"] < last:
        now = await side.pass_slots(1)
    assert await known()
    while now["height"] <= last:
        now = await side.pass_slots(1)
    assert not await known()
    fault = await side.fault("sendTransaction", *sending(transaction))
    assert fault["data"]["err"] == "BlockhashNotFound"
    assert fault["message"] == "Transaction simulation failed: Blockhash not found"
    sent = await side.result("sendTransaction", *sending(transaction, skipPreflight=True))
    assert await side.status(sent) is None


async def test_preflight_knows_no_younger_blockhash_than_its_commitment(side: Side) -> None:
    transaction = await side.transaction([payment(1_000_000)], WALLET)
    with pytest.raises(RPCException, match="Blockhash not found"):
        await side.client.send_raw_transaction(bytes(transaction))


async def test_what_fails_in_preflight_is_not_sent(side: Side) -> None:
    too_much, before = [payment(10**15)], await side.ledger()
    assert await side.refused(too_much, WALLET) == {"InstructionError": [0, {"Custom": 1}]}
    with pytest.raises(RPCException, match="custom program error: 0x1"):
        await side.client.send_raw_transaction(bytes(await side.transaction(too_much, WALLET)), NOW)
    assert await side.ledger() == before


async def test_what_lands_and_fails_pays_its_fee_and_nothing_else(side: Side) -> None:
    payer, wallet = await side.lamports(AUTHORITY.pubkey()), await side.lamports(WALLET.pubkey())
    signature = await side.land([payment(5), payment(10**15)], WALLET, skipPreflight=True)
    told = await side.status(signature)
    assert told and told["err"] == {"InstructionError": [1, {"Custom": 1}]}
    assert payer - await side.lamports(AUTHORITY.pubkey()) == 2 * SIGNATURE_FEE
    assert await side.lamports(WALLET.pubkey()) == wallet
    item = (await side.ledger())[-1]
    assert (item["kind"], item["signature"], item["err"]) == (
        "transaction_landed",
        signature,
        told["err"],
    )


async def test_the_same_bytes_land_once(side: Side) -> None:
    before = len(await side.ledger())
    transaction = await side.transaction([payment(3_000_000)], WALLET)
    first = await side.result("sendTransaction", *sending(transaction))
    fault = await side.fault("sendTransaction", *sending(transaction))
    assert (fault["code"], fault["data"]["err"]) == (-32002, "AlreadyProcessed")
    assert await side.result("sendTransaction", *sending(transaction, skipPreflight=True)) == first
    assert len(await side.ledger()) == before + 1


async def test_a_bad_signature_is_refused_or_lost(side: Side) -> None:
    good = await side.transaction([payment(3_000_000)], WALLET)
    forged = VersionedTransaction.populate(good.message, [good.signatures[0], Signature.default()])
    assert (await side.fault("sendTransaction", *sending(forged)))["code"] == -32003
    sent = await side.result("sendTransaction", *sending(forged, skipPreflight=True))
    assert await side.status(sent) is None


async def test_a_dropped_transaction_is_accepted_and_never_lands(side: Side) -> None:
    await side.alone.steer("chain", {"drop_next": 1})
    dropped = await side.land([payment(1_000_000)], WALLET)
    await side.alone.steer("chain", {"finalize": True})
    assert await side.status(dropped) is None
    assert await side.status(await side.land([payment(2_000_000)], WALLET))


async def test_a_held_transaction_lands_when_it_is_let_go(side: Side) -> None:
    await side.alone.steer("chain", {"hold_next": 1})
    held = await side.land([payment(1_000_000)], WALLET)
    assert await side.status(held) is None
    told = await side.alone.steer("chain", {"land_held": True})
    assert (told["landed_held"], told["held"]) == (1, 0)
    assert await side.status(held)


async def test_a_transaction_held_too_long_never_lands(side: Side) -> None:
    await side.alone.steer("chain", {"hold_next": 1})
    held = await side.land([payment(1_000_000)], WALLET)
    told = await side.alone.steer("chain", {"advance_slots": 400})
    assert told["held"] == 1
    assert (await side.alone.steer("chain", {"land_held": True}))["landed_held"] == 0
    assert await side.status(held) is None


async def test_old_statuses_are_found_by_searching_only(side: Side) -> None:
    signature = await side.land([payment(1_000_000)], WALLET)
    assert await side.status(signature, search=False)
    await side.pass_slots(400)
    assert await side.status(signature, search=False) is None
    assert await side.status(signature, search=True)
