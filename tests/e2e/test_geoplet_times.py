"""Deadlines: a signature's 15 minutes, a voucher's, and the day for a picture (decision C8).

The clock of the application, of the chain and of the vendors is moved, not waited for.
"""

from __future__ import annotations

from tests.e2e.payer import Payer
from tests.e2e.test_geoplets import NO_CREDIT
from tests.waiting import eventually

SIX_MINUTES_S = 6 * 60
A_SIGNATURES_LIFE_S = 15 * 60 + 1
A_DAY_S = 24 * 60 * 60
NOTHING = {"status": None, "canResume": False}


def test_a_signature_settles_after_six_minutes_and_is_asked_for_anew_after_15(
    later: Payer,
) -> None:
    neighbour = Payer(later.stage)
    early, late = neighbour.voucher(neighbour.sign()), later.voucher(later.sign())
    later.stage.advance_clock(SIX_MINUTES_S)
    assert neighbour.tracking()["recovery"]["action"] == "settle"
    neighbour.settle(early["paymentHeader"])
    neighbour.check_charged("mint")
    later.stage.advance_clock(A_SIGNATURES_LIFE_S - SIX_MINUTES_S)
    shown = later.tracking()
    assert shown["isExpired"] and not shown["canResume"]
    refused = later.ask_settle(late["paymentHeader"])
    assert (refused.status_code, refused.json()["code"]) == (402, "SIGNATURE_EXPIRED")
    assert later.tracking() == NOTHING
    assert later.ask_voucher().status_code == 402
    later.check_charged()
    again = later.voucher(later.sign())
    later.settle(again["paymentHeader"])
    later.mint(again)
    later.until("minted")
    later.check_charged("mint")


def test_a_voucher_that_expired_after_settlement_is_given_anew_for_nothing(later: Payer) -> None:
    """The wallet's simulation failed, and it was left alone for too long."""
    old = later.voucher(later.sign())
    later.settle(old["paymentHeader"])
    later.until("settled")
    later.stage.advance_clock(A_SIGNATURES_LIFE_S)
    shown = later.tracking()
    assert shown["status"] == "settled" and shown["isExpired"] and not shown["canResume"]
    assert shown["recovery"]["action"] == "mint"
    new = later.voucher()
    assert new["voucher"]["nonce"] != old["voucher"]["nonce"]
    assert int(new["voucher"]["deadline"]) > later.stage.now()
    assert later.voucher() == new
    chain = later.stage.chain
    refused = later.mint(old)
    assert int(eventually(lambda: chain.receipt(refused))["status"], 16) == 0
    later.mint(new)
    later.until("minted")
    later.check_charged("mint")


def test_an_outcome_stays_unknown_until_the_chain_proves_that_nothing_can_move(
    later: Payer,
) -> None:
    header = later.voucher(later.sign())["paymentHeader"]
    later.stage.vendors.leave_pending()
    later.submit(header)
    later.until("settling")
    assert later.ask_voucher(later.sign()).json()["code"] == "PAYMENT_IN_FLIGHT"
    later.stage.advance_clock(A_SIGNATURES_LIFE_S)
    later.until(None)
    assert "x402_payment_lapsed" in later.names()
    later.stage.vendors.reset()
    later.settle(later.voucher(later.sign())["paymentHeader"])
    later.check_charged("mint")


def test_a_mint_that_can_never_be_paid_for_is_told_to_an_operator(later: Payer) -> None:
    voucher = later.voucher(later.sign())
    later.give_away(5)
    later.mint(voucher)
    later.until("settling")
    later.stage.advance_clock(A_SIGNATURES_LIFE_S)
    shown = later.until("failed")
    assert shown["recovery"]["action"] == "support"
    assert shown["recovery"]["reason"] == "MINTED_UNPAID"
    assert eventually(later.cases) == [("MINTED_UNPAID", "0")]
    later.check_charged()


def test_a_picture_that_was_never_made_is_refund_due_after_a_day(later: Payer) -> None:
    forgetful = Payer(later.stage)
    forgetful.voucher(forgetful.sign())
    later.stage.vendors["openai"].script(times=10_000, response=NO_CREDIT)
    assert later.generate(later.sign("regenerate")).json()["charged"]
    later.stage.advance_clock(A_DAY_S + 1)
    shown = later.until("failed", "regenerate")
    assert shown["recovery"]["reason"] == "NOT_DELIVERED_IN_TIME"
    assert later.statement() == {"paid": 900_000, "refund_due": 900_000}
    assert eventually(later.cases) == [("NOT_DELIVERED_IN_TIME", "900000")]
    later.check_charged("regenerate")
    later.stage.advance_clock(A_SIGNATURES_LIFE_S)
    eventually(lambda: forgetful.tracking() == NOTHING)
    assert "x402_payment_dismissed" in forgetful.names()
    forgetful.check_charged()
    later.stage.vendors.reset()
    assert forgetful.generate(forgetful.sign("regenerate")).status_code == 200
