"""The story of seed 004 on real parts: pay by x402, mint, leave, come back, get what was paid."""

from __future__ import annotations

import base64
from io import BytesIO

import pytest
from PIL import Image

from tests.e2e.payer import Payer
from tests.waiting import eventually

ORDER_OF_STATES = ["verified", "settling", "settled", "minting", "minted"]


@pytest.mark.parametrize("version", [1, 2])
def test_an_unmodified_client_pays_and_the_wallet_mints(payer: Payer, version: int) -> None:
    answer = payer.buy(version, "/api/get-mint-signature")
    assert answer.status_code == 200, answer.text
    voucher = payer.keep(answer.json())
    seen = payer.until("verified")["seen"]
    tx_hash = payer.settle(voucher["paymentHeader"])
    seen += payer.until("settled")["seen"]
    assert payer.tracking()["settlementTxHash"] == tx_hash
    payer.mint(voucher)
    seen += payer.until("minted")["seen"]
    told = list(dict.fromkeys(seen))
    assert told == [state for state in ORDER_OF_STATES if state in told] and "minting" in told
    payer.check_charged("mint")
    assert payer.ask_voucher().json()["code"] == "FID_ALREADY_MINTED"


@pytest.mark.parametrize("version", [1, 2])
def test_an_unmodified_client_pays_and_gets_one_picture(payer: Payer, version: int) -> None:
    prompt = payer.prompt()
    answer = payer.buy(version, "/api/generate-image", prompt=prompt)
    assert answer.status_code == 200 and answer.json()["success"], answer.text
    assert "payment-response" in answer.headers and "x-payment-response" in answer.headers
    picture = base64.b64decode(answer.json()["data"])
    assert Image.open(BytesIO(picture)).format == "WEBP" and len(picture) <= 24_576
    assert payer.until("completed", "regenerate")["recovery"] is None
    payer.check_charged("regenerate")
    assert payer.stage.vendors.pictures(prompt) == 1
    assert payer.generate(prompt=prompt).status_code == 402


def test_a_closed_page_goes_on_after_settlement(payer: Payer) -> None:
    payer.settle(payer.voucher(payer.sign())["paymentHeader"])
    payer.sign_in()
    back = payer.until("settled")
    assert back["canResume"] and not back["isExpired"] and back["paymentHeader"] is None
    assert back["recovery"]["action"] == "mint"
    assert payer.voucher()["voucher"] == back["mintVoucher"]
    payer.mint(back)
    ended = payer.until("minted")
    assert not ended["canResume"] and ended["recovery"] is None
    payer.check_charged("mint")


def test_a_mint_is_noticed_although_the_page_is_closed(payer: Payer) -> None:
    voucher = payer.voucher(payer.sign(version=2))
    payer.settle(voucher["paymentHeader"])
    eventually(lambda: "x402_payment_finalized" in payer.names())  # nobody looks any more
    payer.mint(voucher)
    eventually(lambda: "geoplet_minted" in payer.names())
    assert payer.status() == "minted"
    payer.check_charged("mint")


def test_a_rejected_mint_costs_nothing_however_often(payer: Payer) -> None:
    """The wallet's window is closed a hundred times: each time the page only comes back."""
    payer.settle(payer.voucher(payer.sign())["paymentHeader"])
    first = payer.until("settled")
    for _ in range(100):
        assert payer.voucher()["voucher"] == first["mintVoucher"]
    assert payer.tracking() == {name: first[name] for name in first if name != "seen"}
    once = ("x402_payment_verified", "x402_settlement_tried", "voucher_issued")
    assert [payer.names().count(name) for name in once] == [1, 1, 1]
    payer.mint(first)
    payer.until("minted")
    payer.check_charged("mint")


NO_CREDIT = {
    "status": 429,
    "body": {"error": {"code": "insufficient_quota", "type": "insufficient_quota"}},
}
REFUSED = {"status": 400, "body": {"error": {"code": "moderation_blocked", "type": "x"}}}
BROKEN = {"status": 500, "body": {"error": {"code": "server_error", "type": "server_error"}}}


def test_a_provider_without_credit_costs_nobody_twice(payer: Payer) -> None:
    openai, prompt, late = payer.stage.vendors["openai"], payer.prompt(), Payer(payer.stage)
    openai.script(times=100, response=NO_CREDIT)
    header = payer.sign("regenerate")
    refused = payer.generate(header, prompt)
    said = refused.json()
    assert (refused.status_code, said["code"]) == (503, "AI_CREDIT_EXHAUSTED")
    assert said["charged"] and said["retry"]["free"] and said["retry"]["until"]
    assert payer.until("settled", "regenerate")["recovery"]["action"] == "regenerate"
    turned_away = late.generate(late.sign("regenerate")).json()
    assert turned_away["code"] == "AI_CREDIT_EXHAUSTED"
    assert (turned_away["charged"], turned_away["retry"]) == (False, None)
    openai.reset()
    made = payer.generate(prompt=prompt)
    assert made.status_code == 200 and made.json()["data"], made.text
    assert payer.generate(header).json()["data"] == made.json()["data"], "the same header again"
    assert late.generate(late.sign("regenerate")).status_code == 200, "the circuit is closed"
    payer.check_charged("regenerate")
    late.check_charged("regenerate")
    assert payer.stage.vendors.pictures(prompt) == 1


def test_refused_words_are_changed_and_the_picture_is_free(payer: Payer) -> None:
    payer.stage.vendors["openai"].script(response=REFUSED)
    refused = payer.generate(payer.sign("regenerate"))
    said = refused.json()
    assert (refused.status_code, said["code"], said["charged"]) == (422, "CONTENT_REFUSED", True)
    assert payer.generate().status_code == 200
    payer.check_charged("regenerate")


def test_a_provider_that_stays_broken_is_tried_again_and_then_free(payer: Payer) -> None:
    payer.stage.vendors["openai"].script(
        times=3, response={**BROKEN, "headers": {"retry-after": 1}}
    )
    failed = payer.generate(payer.sign("regenerate"))
    said = failed.json()
    assert (failed.status_code, said["code"], said["charged"]) == (503, "GENERATION_FAILED", True)
    assert payer.generate().status_code == 200
    payer.check_charged("regenerate")
