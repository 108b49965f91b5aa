"""Seed 003's five scenarios, and what else can go wrong between a wallet, a chain and a vault.

Witnesses are the development chain's and the vault's own ledgers, never ours alone.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from consumers.gateways.bubblegum import leaf_of
from tests.e2e.minter import PRICE, Minter, id_of
from tests.e2e.stage import Stage
from tests.e2e.witnesses import EXPIRED_SLOTS, chain, check_token, slots, uploads
from tests.twins.test_solana_metaplex import client as metaplex
from tests.waiting import eventually

REFUSED = {
    "jsonrpc": "2.0",
    "id": 1,
    "error": {
        "code": -32002,
        "message": "Transaction simulation failed: Error processing Instruction 1",
        "data": {"err": {"InstructionError": [1, {"Custom": 6001}]}, "logs": [], "accounts": None},
    },
}


def test_one_signature_pays_for_a_batch_and_each_call_mints_one(minter: Minter) -> None:
    before = minter.lamports()
    batch = minter.buys(3)
    assert before - minter.lamports() == 3 * PRICE
    assert slots(minter) == (3, 0) and minter.status()["pfp_credits"] == 3
    minted = [minter.mints(batch["batchId"]) for _ in range(3)]
    assert [each["index"] for each in minted] == [1, 2, 3]
    assert len({each["assetId"] for each in minted}) == 3
    for each in minted:
        check_token(minter, each)
    assert uploads(minter, minted) == 6
    done = minter.batch(batch["batchId"])
    assert done["status"] == "complete" and done["minted"] == minted
    assert minter.ask_mint(batch["batchId"]) == {
        "success": False,
        "reason": "BATCH_COMPLETE",
        "remaining": 0,
        "pfp_credits": 0,
    }
    assert minter.statement() == {"paid": 3 * PRICE, "delivered": 3 * PRICE}
    assert minter.statement("PFP") == {"paid": 3, "delivered": 3}


async def test_metaplex_s_own_client_agrees_about_what_was_minted(minter: Minter) -> None:
    batch = minter.buys(1)
    minted = minter.mints(batch["batchId"])
    url, secret = minter.stage.vendors.urls["solana"], bytes(minter.keypair).hex()
    said = (await metaplex(url, secret, minted["signature"], minted["assetId"]))["ours"]
    told = minter.rpc("getTransaction", minted["signature"], {"maxSupportedTransactionVersion": 0})
    assert said["asset_id"] == said["computed_asset_id"] == minted["assetId"]
    assert said["leaf_hash"] == leaf_of(told).hash().hex() and said["proved"]
    assert (said["owner"], said["uri"]) == (minter.wallet, minted["metadataUri"])


def test_scenario_1_a_payment_that_never_lands_gives_its_slots_back_with_the_proof(
    minter: Minter,
) -> None:
    before = minter.lamports()
    told = minter.prepare(4)
    chain(minter, drop_next=1)
    assert minter.confirm(told["batchId"], minter.sign(told))["status"] == "confirming"
    assert slots(minter) == (0, 4)
    answer = minter.change("POST", "/pfp/prepare-batch", {"quantity": 4})
    assert answer.json()["code"] == "PAYMENT_IN_FLIGHT"
    chain(minter, advance_slots=EXPIRED_SLOTS)
    minter.until(told["batchId"], "expired")
    assert slots(minter) == (0, 0) and minter.lamports() == before
    answer = minter.change(
        "POST",
        "/pfp/confirm-batch",
        {"batchId": told["batchId"], "signedTransactionBase64": minter.sign(told)},
    )
    assert (answer.status_code, answer.json()["code"]) == (410, "BATCH_EXPIRED")


def test_scenario_2_a_rejected_signature_costs_nothing_and_the_slots_come_back(
    minter: Minter,
) -> None:
    told = minter.prepare(2)
    assert minter.post("/pfp/cancel-batch", {"batchId": told["batchId"]})["status"] == "cancelled"
    assert slots(minter) == (0, 0)
    again = minter.prepare(3)
    chain(minter, advance_slots=EXPIRED_SLOTS)
    minter.until(again["batchId"], "expired")
    assert slots(minter) == (0, 0) and minter.status()["pfp_credits"] == 0


def test_scenario_3_a_mint_that_fails_three_times_leaves_its_credit(minter: Minter) -> None:
    batch = minter.buys(3)
    first = minter.mints(batch["batchId"])
    minter.stage.vendors["irys"].script(
        match={"method": "POST", "path": "/tx/*"}, times=3, response={"status": 503, "body": "no"}
    )
    failed = minter.ask_mint(batch["batchId"])
    assert failed == {"success": False, "reason": "MINT_FAILED", "remaining": 2, "pfp_credits": 2}
    assert minter.statement() == {"paid": 3 * PRICE, "delivered": PRICE, "credit": 2 * PRICE}
    told = minter.prepare(3)
    assert told["creditsApplied"] == 2 and told["lamports"] == str(PRICE)
    minter.confirm(told["batchId"], minter.sign(told), autoMint=True)
    done = minter.until(told["batchId"], "complete")
    assert len(done["minted"]) == 3
    assert minter.batch(batch["batchId"])["minted"] == [first]
    assert minter.statement("PFP") == {"paid": 4, "delivered": 4}


def test_scenario_4_a_closed_tab_stops_nothing_that_was_begun(minter: Minter) -> None:
    batch = minter.buys(3)
    with pytest.raises(httpx.ReadTimeout):
        minter._client.post("/pfp/mint-from-batch", json={"batchId": batch["batchId"]}, timeout=0.3)
    eventually(lambda: len(minter.batch(batch["batchId"])["minted"]) == 1)
    minter.sign_in()
    assert minter.status()["pfp_credits"] == 2
    minter.confirm(batch["batchId"], None, autoMint=True)
    assert len(minter.until(batch["batchId"], "complete")["minted"]) == 3


def test_scenario_5_a_mint_that_fails_after_the_upload_uses_the_same_address(
    minter: Minter,
) -> None:
    """No node takes it, which proves nothing: a try has failed once it can never land."""
    batch = minter.buys(1)
    minter.stage.vendors["solana"].script(
        match={"rpc_method": "sendTransaction"},
        times=100_000,
        response={"status": 200, "body": REFUSED},
    )
    with ThreadPoolExecutor(1) as tab:
        call = tab.submit(minter.ask_mint, batch["batchId"])
        eventually(lambda: chain(minter, advance_slots=EXPIRED_SLOTS) and call.done(), every_s=0.5)
    failed = call.result()
    assert (failed["success"], failed["reason"]) == (False, "MINT_FAILED")
    minter.stage.vendors["solana"].reset()
    minted = minter.mints(batch["batchId"])
    check_token(minter, minted)
    assert uploads(minter, [minted]) == 2
    names = [fact.name for fact in minter.stage.facts.of_batch(batch["batchId"])]
    assert names.count("pfp_mint_dropped") == 3 and names.count("pfp_file_sealed") == 2


def test_an_empty_storage_account_costs_no_try(minter: Minter) -> None:
    batch = minter.buys(1)
    minter.stage.vendors["irys"].script(
        match={"method": "POST", "path": "/tx/*"},
        times=1,
        response={"status": 402, "body": "Not enough balance"},
    )
    assert minter.ask_mint(batch["batchId"])["reason"] == "STORAGE_QUOTA"
    check_token(minter, minter.mints(batch["batchId"]))


def test_a_payment_that_the_wallet_sends_itself_is_found(minter: Minter) -> None:
    told = minter.prepare(2)
    assert minter.broadcast(told) == id_of(told)
    minter.until(told["batchId"], "paid")
    assert slots(minter) == (2, 0)


def test_a_payment_that_lands_after_its_batch_was_cancelled_is_honoured(minter: Minter) -> None:
    told = minter.prepare(2)
    minter.post("/pfp/cancel-batch", {"batchId": told["batchId"]})
    minter.broadcast(told)
    minter.until(told["batchId"], "paid")
    assert minter.status()["pfp_credits"] == 2
    answer = minter.change("POST", "/pfp/cancel-batch", {"batchId": told["batchId"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "BATCH_ALREADY_PAID")


def test_a_payment_that_is_held_up_is_confirming_until_it_lands(minter: Minter) -> None:
    told = minter.prepare(2)
    chain(minter, hold_next=1)
    assert minter.confirm(told["batchId"], minter.sign(told))["status"] == "confirming"
    answer = minter.change("POST", "/pfp/cancel-batch", {"batchId": told["batchId"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "PAYMENT_IN_FLIGHT")
    chain(minter, land_held=True)
    minter.until(told["batchId"], "paid")
    assert minter.statement() == {"paid": 2 * PRICE, "credit": 2 * PRICE}


def test_a_lost_answer_moves_the_money_once(minter: Minter) -> None:
    before = minter.lamports()
    told = minter.prepare(1)
    minter.stage.vendors["solana"].script(
        match={"rpc_method": "sendTransaction"}, times=2, drop="after_effect"
    )
    signed = minter.sign(told)
    for _ in range(2):
        minter.confirm(told["batchId"], signed)
    minter.until(told["batchId"], "paid")
    minter.stage.vendors["solana"].script(
        match={"rpc_method": "sendTransaction"}, times=1, drop="after_effect"
    )
    minter.mints(told["batchId"])
    assert before - minter.lamports() == PRICE and len(minter.batch(told["batchId"])["minted"]) == 1


def test_a_wallet_without_money_is_told_so_and_nothing_is_recorded(whole: Stage) -> None:
    poor = Minter(whole, sol=0)
    told = poor.prepare(1)
    body = {"batchId": told["batchId"], "signedTransactionBase64": poor.sign(told)}
    answer = poor.change("POST", "/pfp/confirm-batch", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "INSUFFICIENT_FUNDS")
    assert poor.batch(told["batchId"])["status"] == "prepared"


def test_calls_from_many_tabs_mint_each_unit_once(minter: Minter) -> None:
    batch = minter.buys(3)
    with ThreadPoolExecutor(5) as tabs:
        body = {"batchId": batch["batchId"]}
        calls = [tabs.submit(minter.change, "POST", "/pfp/mint-from-batch", body) for _ in range(5)]
        told = [call.result().json() for call in calls]
    minted = [each["minted"] for each in told if each["success"]]
    assert sorted(each["index"] for each in minted) == [1, 2, 3]
    assert {each["reason"] for each in told if not each["success"]} <= {
        "MINT_IN_PROGRESS",
        "BATCH_COMPLETE",
    }
    assert len({each["assetId"] for each in minted}) == 3
