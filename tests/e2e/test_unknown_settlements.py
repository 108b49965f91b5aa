"""Settlements whose outcome nobody is told: the chain is looked at, and money moves once.

What a facilitator answers is what its twin is told to answer; what it did is in its own ledger.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.payer import DOLLAR, Payer
from tests.waiting import eventually

Json = dict[str, Any]
SETTLE = {"path": "/settle"}
BAD_GATEWAY = {"status": 502, "body": "Bad Gateway"}
PENDING = {
    "status": 200,
    "body": {
        "status": "success",
        "data": {"success": True, "settled": False, "reason": "settlement_pending"},
    },
}


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as opened:
        yield opened


FAULTS: dict[str, list[Json]] = {
    "an answer lost after the effect": [{"drop": "after_effect"}],
    "an answer lost before the effect": [{"drop": "before"}],
    "502s with the effect": [{"times": 3, "response": BAD_GATEWAY, "effect": "perform"}],
    "502s without the effect": [{"times": 3, "response": BAD_GATEWAY, "effect": "none"}],
    "502s, the last with the effect": [
        {"times": 2, "response": BAD_GATEWAY, "effect": "none"},
        {"response": BAD_GATEWAY, "effect": "perform"},
    ],
    "half an answer": [{"truncate_body_at": 20}],
    "a call that comes twice": [{"duplicate": 2}],
    "settled, with a hash that is on no chain": [{"effect": "none"}],
    "pending, and not sent": [{"times": 2, "response": PENDING, "effect": "none"}],
    "a rate limit": [{"response": {"status": 429, "headers": {"retry-after": 1}}}],
}


@pytest.mark.parametrize("name", FAULTS)
def test_however_a_settlement_is_answered_money_moves_once(payer: Payer, name: str) -> None:
    voucher = payer.voucher(payer.sign())
    for fault in FAULTS[name]:
        payer.stage.vendors["onchainfi"].script(match=SETTLE, **fault)
    tx_hash = payer.settle(voucher["paymentHeader"])
    assert payer.until("settled")["settlementTxHash"] == tx_hash
    payer.mint(voucher)
    payer.until("minted")
    payer.check_charged("mint")


@pytest.mark.parametrize("repeat", ["hash", "error"])
def test_a_settlement_asked_for_twice_moves_money_once(payer: Payer, repeat: str) -> None:
    """The second call is answered with the old hash, or as the replay that it is."""
    voucher = payer.voucher(payer.sign())
    behaves(payer, repeat=repeat)
    payer.stage.vendors["onchainfi"].script(match=SETTLE, duplicate=True)
    tx_hash = payer.settle(voucher["paymentHeader"])
    assert payer.settle(voucher["paymentHeader"]) == tx_hash
    payer.check_charged("mint")


def test_what_is_said_to_be_pending_is_settled_as_soon_as_the_chain_has_it(payer: Payer) -> None:
    voucher = payer.voucher(payer.sign())
    behaves(payer, pending=1)
    payer.settle(voucher["paymentHeader"])
    payer.check_charged("mint")


def test_while_the_outcome_is_unknown_nobody_is_asked_to_pay_again(
    payer: Payer, pool: ThreadPoolExecutor
) -> None:
    voucher = payer.voucher(payer.sign())
    header = voucher["paymentHeader"]
    payer.stage.vendors.leave_pending()
    asked = pool.submit(payer.ask_settle, header)
    shown = payer.until("settling")
    assert shown["recovery"]["action"] == "wait" and not shown["canResume"]
    for again in ("", payer.sign(), header):
        refused = payer.ask_voucher(again)
        assert refused.json()["code"] == "PAYMENT_IN_FLIGHT" and refused.status_code == 409
        assert refused.headers["retry-after"]
    assert payer.dismiss().json()["code"] == "PAYMENT_ALREADY_SETTLED"
    answer = asked.result()
    assert answer.status_code == 202, answer.text
    assert answer.json() == {"success": True, "settled": False, "pending": True}
    payer.stage.vendors.reset()
    payer.until("settled")
    payer.mint(voucher)
    payer.until("minted")
    payer.check_charged("mint")


def test_a_facilitator_that_is_away_for_a_while_settles_later(
    payer: Payer, pool: ThreadPoolExecutor
) -> None:
    vendors, header = payer.stage.vendors, payer.voucher(payer.sign())["paymentHeader"]
    vendors.kill()
    try:
        answer = pool.submit(payer.settle, header)
        eventually(lambda: "x402_settlement_not_sent" in payer.names())
        assert payer.status() == "settling"
    finally:
        vendors.start()
    vendors.ready()
    answer.result()
    payer.until("settled")
    payer.check_charged("mint")


def test_nothing_is_recorded_as_paid_while_nobody_can_check_it(payer: Payer) -> None:
    header = payer.sign()
    payer.stage.vendors["onchainfi"].script(match={"path": "/verify"}, drop="before", times=10)
    refused = payer.ask_voucher(header)
    assert (refused.status_code, refused.json()["code"]) == (503, "FACILITATOR_UNAVAILABLE")
    assert payer.names() == [] and payer.status() is None
    payer.stage.vendors.reset()
    payer.settle(payer.voucher(header)["paymentHeader"])
    payer.check_charged("mint")


# Somebody else acts.


def test_a_payment_that_somebody_else_handed_in_is_found(payer: Payer) -> None:
    header = payer.voucher(payer.sign())["paymentHeader"]
    tx_hash = payer.hand_in(header)
    assert payer.settle(header) == tx_hash
    payer.check_charged("mint", by_us=False)
    assert payer.stage.vendors.settled(payer.wallet) == []


def test_a_payment_that_nobody_asked_to_settle_is_found_as_well(payer: Payer) -> None:
    voucher = payer.voucher(payer.sign())
    tx_hash = payer.hand_in(voucher["paymentHeader"])
    assert payer.until("settled")["settlementTxHash"] == tx_hash
    payer.mint(voucher)
    payer.until("minted")
    payer.check_charged("mint", by_us=False)


def check_failed_and_paid_anew(payer: Payer, header: str) -> None:
    refused = payer.ask_settle(header)
    assert (refused.status_code, refused.json()["code"]) == (402, "SETTLEMENT_FAILED"), refused.text
    assert payer.until("failed")["settlementTxHash"] is None
    assert payer.ask_voucher().status_code == 402


def test_a_cancelled_authorization_fails_and_a_new_one_is_asked_for(payer: Payer) -> None:
    header = payer.voucher(payer.sign())["paymentHeader"]
    sent = payer.cancel(header)
    assert int(eventually(lambda: payer.stage.chain.receipt(sent))["status"], 16) == 1
    check_failed_and_paid_anew(payer, header)
    payer.settle(payer.voucher(payer.sign())["paymentHeader"])
    payer.until("settled")
    payer.check_charged("mint")


def test_money_that_left_the_wallet_in_between_fails_and_a_new_payment_works(payer: Payer) -> None:
    header = payer.voucher(payer.sign())["paymentHeader"]
    payer.give_away(5)
    check_failed_and_paid_anew(payer, header)
    payer.stage.give_dollars(payer.wallet, DOLLAR)
    voucher = payer.voucher(payer.sign())
    payer.settle(voucher["paymentHeader"])
    payer.mint(voucher)
    payer.until("minted")
    payer.check_charged("mint")


# Several headers, several browsers.


def test_two_browsers_with_two_headers_pay_once(payer: Payer, pool: ThreadPoolExecutor) -> None:
    headers = [payer.sign(), payer.sign(version=2)]

    def pay(header: str) -> str:
        answer = payer.ask_voucher(header)
        if answer.status_code == 200:
            payer.keep(answer.json())
            answer = payer.ask_settle(header)
        return str(answer.json().get("code", "paid"))

    told = sorted(pool.map(pay, headers))
    assert "paid" in told
    assert set(told) <= {"paid", "PAYMENT_REPLACED", "PAYMENT_IN_FLIGHT"}, told
    payer.mint(payer.until("settled"))
    payer.until("minted")
    payer.check_charged("mint")


def test_a_double_click_settles_once(payer: Payer, pool: ThreadPoolExecutor) -> None:
    header = payer.voucher(payer.sign())["paymentHeader"]
    hashes = set(pool.map(payer.settle, [header] * 4))
    assert len(hashes) == 1
    assert payer.names().count("x402_settlement_tried") == 1
    payer.check_charged("mint")


def test_a_replaced_header_is_not_handed_in_and_settles_if_it_lands(payer: Payer) -> None:
    first = payer.voucher(payer.sign())["paymentHeader"]
    second = payer.voucher(payer.sign())
    refused = payer.ask_settle(first)
    assert (refused.status_code, refused.json()["code"]) == (409, "PAYMENT_REPLACED")
    assert payer.hand_in(first) == payer.until("settled")["settlementTxHash"]
    payer.mint(second)
    payer.until("minted")
    payer.check_charged("mint", by_us=False)


def test_a_dismissed_header_settles_if_it_lands(payer: Payer) -> None:
    voucher = payer.voucher(payer.sign())
    assert payer.dismiss().json() == {"success": True}
    assert payer.tracking() == {"status": None, "canResume": False}
    refused = payer.ask_settle(voucher["paymentHeader"])
    assert (refused.status_code, refused.json()["code"]) == (409, "PAYMENT_REPLACED")
    payer.hand_in(voucher["paymentHeader"])
    payer.mint(payer.until("settled"))
    payer.until("minted")
    payer.check_charged("mint", by_us=False)


def test_a_second_payment_that_lands_after_the_first_is_refund_due(payer: Payer) -> None:
    first = payer.voucher(payer.sign())["paymentHeader"]
    second = payer.voucher(payer.sign())
    payer.settle(second["paymentHeader"])
    payer.hand_in(first)
    eventually(lambda: "x402_payment_surplus_recorded" in payer.names())
    payer.mint(second)
    shown = payer.until("minted")
    assert shown["recovery"]["action"] == "support" and shown["recovery"]["case_id"]
    payer.check_charged("mint", "mint", by_us=False)
    assert payer.statement() == {"paid": 2 * DOLLAR, "delivered": DOLLAR, "refund_due": DOLLAR}
    assert eventually(payer.cases) == [("overpaid", str(DOLLAR))]
    assert payer.stage.vendors.settled(payer.wallet) == [DOLLAR]


def test_a_mint_before_the_settlement_settles_at_once(payer: Payer) -> None:
    voucher = payer.voucher(payer.sign())
    payer.mint(voucher)
    assert payer.until("minted")["settlementTxHash"]
    payer.check_charged("mint")


def behaves(payer: Payer, **how: Any) -> None:
    payer.stage.vendors["onchainfi"].post("behaviour", how).raise_for_status()
