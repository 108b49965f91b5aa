"""Blocks that are taken back: a payment counts again when it returns, and only then."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import pytest

from tests.e2e.buyer import Buyer, Json
from tests.e2e.fork import Fork, copies, nonce_of, send_again, use_nonce
from tests.waiting import eventually

TAKEN_BACK = {"mint_order_status": "verifying", "mint_paid": False, "mint_ui_state": "minting"}
HALF_AN_HOUR_S = 31 * 60


class Paid:
    """A character that was paid for, and the two transactions that did it."""

    def __init__(self, buyer: Buyer, role: str = "samurai") -> None:
        self.buyer, self.facts = buyer, buyer.stage.facts
        self.billed = len(buyer.stage.twin.billed())
        self.card, self.order = buyer.buys(role)
        self.approve, self.mint = buyer.approve(self.order), buyer.mint(self.order)
        buyer.claim(self.order, self.mint)

    def copies(self) -> list[dict[str, Any]]:
        return copies(self.buyer.stage.chain, self.approve, self.mint)

    def bought(self) -> int:
        return len(self.buyer.stage.twin.billed()) - self.billed

    def count(self, name: str) -> int:
        return self.facts.count(self.card["id"], name)

    def check_once(self) -> Json:
        done = self.buyer.gets(self.card)
        assert self.bought() == 1
        return done


def test_a_payment_taken_back_after_it_counted_is_awaited_and_then_counts_again(
    buyer: Buyer, fork: Fork
) -> None:
    paid = Paid(buyer)
    again = paid.copies()
    fork.confirm()
    made = buyer.until_done(paid.card)
    fork.take_back()
    shown = buyer.until(paid.card, **TAKEN_BACK)
    assert shown["next_action"] == "wait" and not shown["will_charge"]
    assert shown["on_chain_token_id"] is None
    assert (shown["image_status"], shown["image_url"]) == ("done", made["image_url"])
    assert httpx.get(shown["image_url"]).is_success
    assert buyer.cards() == [buyer.card(paid.card)]
    assert buyer.statement() == {}
    send_again(buyer.stage.chain, *again)
    fork.confirm()
    assert paid.check_once()["image_url"] == made["image_url"]
    assert paid.count("payment_settled") == 2 and paid.count("payment_retracted") == 1


def test_a_payment_carried_into_another_block_still_counts_once(buyer: Buyer, fork: Fork) -> None:
    paid = Paid(buyer)
    again = paid.copies()
    fork.mine(4)
    buyer.until_done(paid.card)
    before = buyer.order(paid.order)["evidence"]["block"]
    fork.carry_over(*again)
    moved = {"block": before + 1}
    eventually(lambda: moved.items() <= (buyer.order(paid.order)["evidence"] or {}).items(), 10)
    paid.check_once()
    assert paid.count("payment_settled") == 2 and paid.count("payment_retracted") == 1


def test_a_payment_taken_back_before_it_counted_was_never_paid(buyer: Buyer, fork: Fork) -> None:
    paid = Paid(buyer)
    again = paid.copies()
    fork.mine()
    buyer.until(paid.card, mint_order_status="verifying")
    eventually(lambda: paid.count("payment_seen"))
    fork.take_back()
    eventually(lambda: paid.count("payment_retracted"))
    fork.mine(4)
    shown = buyer.until(paid.card, **TAKEN_BACK)
    assert not shown["will_charge"] and paid.count("payment_settled") == 0
    assert buyer.statement() == {} and paid.bought() == 0
    send_again(buyer.stage.chain, *again)
    fork.confirm()
    paid.check_once()


def test_nothing_is_asked_for_while_a_payment_may_still_come_back(buyer: Buyer, fork: Fork) -> None:
    paid = Paid(buyer)
    again = paid.copies()
    fork.confirm()
    buyer.until_done(paid.card)
    fork.take_back()
    buyer.until(paid.card, **TAKEN_BACK)
    buyer.claim(paid.order, "0x" + secrets.token_hex(32))  # given up, which shows that time passed
    buyer.stage.advance_clock(HALF_AN_HOUR_S)
    buyer.stage.advance_clock(HALF_AN_HOUR_S)
    eventually(lambda: paid.count("transaction_dismissed") == 1)
    assert buyer.open(paid.card)["order_id"] == paid.order["order_id"]
    buyer.retry(paid.order, status=409)
    shown = buyer.card(paid.card)
    assert shown["next_action"] == "wait" and not shown["will_charge"]
    send_again(buyer.stage.chain, *again)
    fork.confirm()
    paid.check_once()


def test_a_payment_that_never_returns_is_paid_anew_and_keeps_its_picture(
    buyer: Buyer, fork: Fork
) -> None:
    paid, chain = Paid(buyer), buyer.stage.chain
    nonces = nonce_of(chain, paid.approve), nonce_of(chain, paid.mint)
    fork.confirm()
    made = buyer.until_done(paid.card)
    fork.take_back()
    buyer.until(paid.card, **TAKEN_BACK)
    for nonce in nonces:
        use_nonce(chain, buyer.wallet, nonce)
    fork.confirm()
    failed = buyer.until(paid.card, mint_ui_state="retry_mint")
    assert failed["next_action"] == "retry_mint" and failed["will_charge"]
    assert not failed["mint_paid"] and failed["on_chain_token_id"] is None
    assert buyer.statement() == {}
    buyer.pay(buyer.retry(paid.order))
    fork.confirm()
    assert paid.check_once()["image_url"] == made["image_url"]


def test_a_chain_that_is_only_shorter_takes_nothing_back(buyer: Buyer, fork: Fork) -> None:
    """A node that is set back by some blocks has not seen the payment replaced."""
    paid, chain = Paid(buyer), buyer.stage.chain
    again = paid.copies()
    before = chain.call("evm_snapshot")
    fork.confirm()
    buyer.until_done(paid.card)
    chain.call("evm_revert", before)
    buyer.stage.advance_clock(1)
    chain.call("anvil_dropAllTransactions")
    fork.mine(5)
    buyer.until(paid.card, **TAKEN_BACK)
    send_again(chain, *again)
    fork.confirm()
    paid.check_once()


@pytest.mark.parametrize("deep", [False, True], ids=["seen", "counted"])
def test_a_payment_nobody_reported_is_watched_all_the_same(
    buyer: Buyer, fork: Fork, deep: bool
) -> None:
    card, order = buyer.buys("oracle")
    hashes = buyer.approve(order), buyer.mint(order)
    again = copies(buyer.stage.chain, *hashes)
    fork.mine(3 if deep else 1)
    buyer.until(card, mint_order_status="confirmed" if deep else "verifying")
    fork.take_back()
    fact = buyer.stage.facts
    eventually(lambda: fact.count(card["id"], "payment_retracted"))
    assert not buyer.until(card, **TAKEN_BACK)["will_charge"]
    send_again(buyer.stage.chain, *again)
    fork.confirm()
    fact.check_delivered(buyer.until_done(card))
