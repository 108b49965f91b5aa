"""Hashes and payments that a client or a service tells of: looked up on chain, never believed."""

from __future__ import annotations

import secrets

import httpx

from tests.e2e.payer import Payer
from tests.waiting import eventually


def claim(payer: Payer, what: str, tx_hash: str) -> httpx.Response:
    body = {"settlementTxHash" if what == "settle" else "mintTxHash": tx_hash}
    return payer.change("PATCH", f"/api/payment-tracking/{payer.fid}/mint/{what}", body)


def track(payer: Payer, header: str, **more: str) -> httpx.Response:
    """As a server with scope `service` tells of a payment."""
    payer.sign_in("service user")
    said = {"fid": payer.fid, "paymentType": "mint", "userAddress": payer.wallet}
    return payer.change("POST", "/api/payment-tracking", {**said, "paymentHeader": header, **more})


def test_a_false_hash_settles_nothing_and_a_true_one_is_confirmed(payer: Payer) -> None:
    voucher = payer.voucher(payer.sign())
    false = claim(payer, "settle", "0x" + secrets.token_hex(32)).json()
    assert false["verifying"] and false["status"] == "verified"
    elsewhere = payer.give_away(1)
    assert claim(payer, "settle", elsewhere).json()["verifying"]
    assert payer.status() == "verified"
    true = payer.hand_in(voucher["paymentHeader"])
    claim(payer, "settle", true)
    assert payer.until("settled")["settlementTxHash"] == true
    assert not claim(payer, "settle", true).json()["verifying"]
    payer.check_charged("mint", by_us=False)


def test_a_false_mint_is_not_minted_and_a_true_one_is_confirmed(payer: Payer) -> None:
    voucher = payer.voucher(payer.sign())
    payer.settle(voucher["paymentHeader"])
    false = claim(payer, "mint", "0x" + secrets.token_hex(32)).json()
    assert false["verifying"] and false["status"] == "settled"
    assert payer.status() == "settled"
    true = payer.mint(voucher)
    claim(payer, "mint", true)
    payer.until("minted")
    assert not claim(payer, "mint", true).json()["verifying"]
    payer.check_charged("mint")


def test_a_service_tells_of_a_payment_and_its_payer_settles_it(payer: Payer) -> None:
    header = payer.sign()
    told = track(payer, header)
    assert told.status_code == 200 and told.json()["status"] == "verified", told.text
    payer.settle(header)
    assert payer.until("settled")["recovery"]["action"] == "mint"
    payer.mint(payer.voucher())
    payer.until("minted")
    payer.check_charged("mint")


def test_a_service_tells_of_a_payment_that_is_settled_already(payer: Payer) -> None:
    header = payer.sign()
    tx_hash = payer.hand_in(header)
    eventually(lambda: payer.stage.chain.receipt(tx_hash))
    told = track(payer, header, settlementTxHash=tx_hash)
    assert told.status_code == 200, told.text
    assert payer.until("settled")["settlementTxHash"] == tx_hash
    payer.mint(payer.voucher())
    payer.until("minted")
    payer.check_charged("mint", by_us=False)


def test_a_payment_is_for_one_fid_and_one_purpose(payer: Payer) -> None:
    header = payer.sign()
    payer.settle(payer.voucher(header)["paymentHeader"])
    tx_hash = payer.until("settled")["settlementTxHash"]
    other = Payer(payer.stage, account=payer.account)
    for refused in (other.ask_voucher(header), other.ask_settle(header)):
        assert (refused.status_code, refused.json()["code"]) == (409, "PAYMENT_ALREADY_USED")
    other.voucher(other.sign())
    refused = claim(other, "settle", tx_hash)
    assert (refused.status_code, refused.json()["code"]) == (409, "PAYMENT_ALREADY_USED")
    assert other.status() == "verified"
    payer.check_charged("mint")


def test_a_mint_and_a_picture_are_paid_for_side_by_side(payer: Payer) -> None:
    voucher = payer.voucher(payer.sign())
    assert payer.generate(payer.sign("regenerate")).status_code == 200
    assert payer.status("regenerate") == "completed" and payer.status() == "verified"
    payer.settle(voucher["paymentHeader"])
    payer.mint(voucher)
    payer.until("minted")
    payer.check_charged("regenerate", "mint")
