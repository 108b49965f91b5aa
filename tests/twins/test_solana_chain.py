"""The chain of the development network: its slots, and that it outlives its process."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from consumers.gateways.bubblegum import asset_id, tree_size
from embedded.solana import slots
from embedded.solana.chain import Chain, Pace
from embedded.solana.genesis import dev_wallets
from embedded.solana.slots import FIRST_SLOT, Slots
from tests.twins.conftest import TwinProcess
from tests.twins.control import HTTP, Control
from tests.twins.solana_side import (
    BY_STEERING_ONLY,
    SHAPE,
    TREASURY,
    WALLET,
    creation,
    mint,
    payment,
    sending,
    signed,
    solana,
)
from tests.waiting import eventually

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def ask(control: Control, method: str, *params: Any) -> Any:
    call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    return HTTP.post(control.url, json=call).json()["result"]


def send(chain: Chain, *instructions: Any, signers: tuple[Keypair, ...] = ()) -> str:
    recent = slots.blockhash(chain.slots.tip())
    envelope = chain.open(bytes(signed(instructions, recent, *signers)))
    chain.submit(envelope)
    return envelope.signature


def test_heights_fall_behind_slots() -> None:
    for slot in range(FIRST_SLOT, FIRST_SLOT + 100):
        assert slots.slot_of(slots.height(slot)) == slots.produced(slot)
    first, later = FIRST_SLOT, FIRST_SLOT + 1_600
    assert first - slots.height(first) > slots.BLOCKHASH_LIFETIME
    assert later - slots.height(later) == first - slots.height(first) + 100


def test_slots_pass_with_time_and_never_go_back() -> None:
    born = 1_000_000
    times = Slots(born)
    times.move_to(born + 10 * slots.SLOT_MS)
    assert times.tip() == FIRST_SLOT + 10
    times.move_to(born)
    assert times.tip() == FIRST_SLOT + 10
    assert times.tip("confirmed") == FIRST_SLOT + 8
    assert times.tip("finalized") == slots.produced(FIRST_SLOT - 22)
    assert times.commitment_of(FIRST_SLOT + 9) == "processed"


def test_a_blockhash_is_known_for_150_blocks() -> None:
    times = Slots(0)
    times.move_to(0)
    slot = times.tip()
    last = slots.slot_of(slots.last_valid_height(slot))
    times.move_to(times.start_of(last))
    assert times.slot_of_blockhash(slots.blockhash(slot)) == slot
    times.move_to(times.start_of(slots.slot_of(slots.height(last) + 1)))
    assert times.slot_of_blockhash(slots.blockhash(slot)) is None
    assert times.slot_of_blockhash(Hash.default()) is None


def test_a_chain_goes_on_after_a_restart(tmp_path: Path) -> None:
    chain, tree = Chain(NOW, BY_STEERING_ONLY, tmp_path), Keypair()
    paid = send(chain, payment(50_000_000), signers=(WALLET,))
    size = tree_size(SHAPE["depth"], SHAPE["buffer"], SHAPE["canopy"])
    send(chain, *creation(tree.pubkey(), chain.machine.rent(size)), signers=(tree,))
    chain.advance(7)
    minted = send(chain, mint(tree.pubkey()))
    failed = send(chain, payment(10**15), signers=(WALLET,))
    chain.airdrop(TREASURY, 5)

    again = Chain(NOW, BY_STEERING_ONLY, tmp_path)
    assert again.slots.tip() == chain.slots.tip()
    for signature in (paid, minted, failed):
        before, after = chain.find(signature), again.find(signature)
        assert before and after
        assert (before.slot, before.at, before.meta()) == (after.slot, after.at, after.meta())
    for key in (TREASURY, WALLET.pubkey(), tree.pubkey()):
        assert chain.account(key, "processed") == again.account(key, "processed")
    again.advance(1)
    second = again.find(send(again, mint(tree.pubkey())))
    assert second and second.ran.returned
    assert second.ran.returned[1][1:33] == bytes(asset_id(tree.pubkey(), 1))


def test_half_a_line_of_a_killed_process_is_dropped(tmp_path: Path) -> None:
    chain = Chain(NOW, BY_STEERING_ONLY, tmp_path)
    paid = send(chain, payment(50_000_000), signers=(WALLET,))
    (file,) = tmp_path.iterdir()
    with file.open("ab") as log:
        log.write(b'{"kind":"transaction","slot":5000,"raw":"AQ')
    again = Chain(NOW, BY_STEERING_ONLY, tmp_path)
    assert again.find(paid) and len(again.landed) == 1
    other = send(again, payment(60_000_000), signers=(WALLET,))
    assert Chain(NOW, BY_STEERING_ONLY, tmp_path).find(other)


def test_a_chain_keeps_the_pace_it_was_born_with(tmp_path: Path) -> None:
    Chain(NOW, Pace(slot_ms=1_000), tmp_path)
    again = Chain(NOW + timedelta(seconds=50), Pace(slot_ms=10), tmp_path)
    assert again.slots.tip() == slots.produced(FIRST_SLOT + 50)


def test_a_thousand_transactions_are_replayed_fast(tmp_path: Path) -> None:
    chain, tree = Chain(NOW, BY_STEERING_ONLY, tmp_path), Keypair()
    size = tree_size(14, 64, 8)
    rent = chain.machine.rent(size)
    made = creation(tree.pubkey(), rent, depth=14, buffer=64, canopy=8)
    send(chain, *made, signers=(tree,))
    for number in range(500):
        if number % 10 == 0:
            chain.advance(1)
        send(chain, payment(1_000_000 + number), signers=(WALLET,))
        send(chain, payment(number + 1), mint(tree.pubkey()), signers=(WALLET,))
    began = perf_counter()
    again = Chain(NOW, BY_STEERING_ONLY, tmp_path)
    assert perf_counter() - began < 6  # about one second where nothing else runs
    assert len(again.landed) == 1_001


async def test_the_twin_s_clock_moves_the_slots(tmp_path: Path) -> None:
    async with solana(tmp_path, Pace()) as side:
        before = await side.result("getSlot", {"commitment": "processed"})
        await side.alone.steer("clock", {"advance_s": 60})
        after = await side.result("getSlot", {"commitment": "processed"})
        assert 149 <= after - before <= 160


def test_killed_and_started_again_it_knows_what_it_knew(tmp_path: Path) -> None:
    settings = {
        "MEGA_TWIN_PORTS": json.dumps({"solana": 0}),
        "MEGA_TWIN_SOLANA_SLOT_MS": "20",
        "MEGA_TWIN_SOLANA_FINALITY_SLOTS": "5",
    }
    process = TwinProcess(tmp_path, settings)
    poor = str(Pubkey.new_unique())
    try:
        control = process.control("solana")
        signature = ask(control, "requestAirdrop", poor, 2_000_000)
        slot = ask(control, "getSlot", {"commitment": "processed"})
        process.end(signal.SIGKILL)
        process.start()
        assert ask(control, "getBalance", poor, {"commitment": "processed"})["value"] == 2_000_000
        assert ask(control, "getSlot", {"commitment": "processed"}) >= slot
        assert [item["signature"] for item in control.get("ledger")] == [signature]

        def finalized() -> bool:
            told = ask(control, "getSignatureStatuses", [signature])["value"][0]
            return bool(told["confirmationStatus"] == "finalized")

        eventually(finalized)
        assert ask(control, "getBalance", poor)["value"] == 2_000_000
    finally:
        process.end(signal.SIGTERM)


async def test_scripts_reach_single_methods() -> None:
    async with solana() as side:
        rule = {"match": {"rpc_method": "getSlot"}, "times": 1, "response": {"status": 429}}
        await side.alone.steer("script", rule)
        assert (await side.result("getHealth")) == "ok"
        call = {"jsonrpc": "2.0", "id": 1, "method": "getSlot"}
        assert (await side.alone.client.post("/", json=call)).status_code == 429
        assert (await side.alone.client.post("/", json=call)).status_code == 200
        unheard = {"match": {"rpc_method": "sendTransaction"}, "times": 1, "effect": "none"}
        await side.alone.steer("script", unheard)
        lost = await side.land([payment(1_000_000)], WALLET)
        assert await side.status(lost) is None
        landed = await side.land([payment(2_000_000)], WALLET)
        assert await side.status(landed)
        outage = {"match": {"rpc_method": "sendTransaction"}, "response": {"status": 503}}
        await side.alone.steer("script", outage | {"times": 2})
        sent = sending(await side.transaction([payment(3_000_000)], WALLET))
        send = {"jsonrpc": "2.0", "id": 1, "method": "sendTransaction", "params": sent}
        for status in (503, 503, 200):
            assert (await side.alone.client.post("/", json=send)).status_code == status
            assert (await side.result("getHealth")) == "ok", "only broadcasts fail"


async def test_wallets_of_the_world_are_rich() -> None:
    async with solana() as side:
        for wallet in dev_wallets():
            keypair = Keypair.from_base58_string(wallet.private_key)
            assert str(keypair.pubkey()) == wallet.address
            assert await side.lamports(keypair.pubkey(), "finalized") == 100 * 10**9


def test_leaves_are_counted_for_each_tree() -> None:
    chain, trees = Chain(NOW, BY_STEERING_ONLY), [Keypair(), Keypair()]
    for tree in trees:
        rent = chain.machine.rent(tree_size(**SHAPE))
        send(chain, *creation(tree.pubkey(), rent), signers=(tree,))
        send(chain, mint(tree.pubkey()))
    told = [each.ran.returned for each in chain.landed if each.ran.returned]
    assert [content[1:33] for _, content in told] == [
        bytes(asset_id(tree.pubkey(), 0)) for tree in trees
    ]
