"""Hashes that somebody claims: true, wrong, lost, overtaken, stolen, or never told at all."""

from __future__ import annotations

import secrets

import pytest

from tests.contracts.chain import PRICE
from tests.e2e.buyer import Buyer, Json
from tests.e2e.fork import Fork, copies, fees, nonce_of, send_again, use_nonce
from tests.e2e.stage import Stage
from tests.waiting import eventually

HALF_AN_HOUR_S = 31 * 60
UNPAID = {"mint_ui_state": "new", "mint_order_status": "pending", "mint_paid": False}


def nowhere() -> str:
    """A hash that no transaction has."""
    return "0x" + secrets.token_hex(32)


def dismissed(buyer: Buyer, card: Json) -> dict[str, str]:
    """Why each claim of a character ended."""
    events = buyer.stage.facts.events(card["id"])
    ended = [fact.data for fact in events if fact.name == "transaction_dismissed"]
    return {fact["tx_hash"]: fact["reason"] for fact in ended}


def sighted(buyer: Buyer, card: Json) -> None:
    eventually(lambda: buyer.stage.facts.count(card["id"], "transaction_sighted"))


def approve_at_once(buyer: Buyer, fork: Fork, order: Json) -> None:
    """anvil loses what replaces a transaction that waits behind another one."""
    buyer.approve(order)
    fork.mine()


# What became of the claimed transaction.


def test_a_mint_with_a_higher_fee_is_found_under_its_other_hash(buyer: Buyer, fork: Fork) -> None:
    card, order = buyer.buys()
    approve_at_once(buyer, fork, order)
    slow = buyer.mint(order, **fees(1))
    buyer.claim(order, slow)
    sighted(buyer, card)
    fast = buyer.mint(order, nonce=hex(nonce_of(fork.chain, slow)), **fees(3))
    assert fast != slow
    fork.go_on()
    done = buyer.until(card, mint_ui_state="done")
    assert "retry_mint" not in {state[0] for state in done["seen"]}
    buyer.gets(card)
    assert buyer.order(order)["evidence"]["tx"] == fast
    eventually(lambda: dismissed(buyer, card) == {slow: "replaced"})
    assert buyer.card(card)["mint_ui_state"] == "done"


def test_a_mint_whose_nonce_went_elsewhere_failed_and_may_be_tried_again(
    buyer: Buyer, fork: Fork
) -> None:
    card, order = buyer.buys()
    approve_at_once(buyer, fork, order)
    lost = buyer.mint(order, **fees(1))
    buyer.claim(order, lost)
    sighted(buyer, card)
    buyer.retry(order, status=409)
    use_nonce(fork.chain, buyer.wallet, nonce_of(fork.chain, lost))
    fork.mine()
    assert not buyer.until(card, mint_order_status="verifying")["will_charge"]
    fork.go_on()
    failed = buyer.until(card, mint_ui_state="retry_mint")
    assert dismissed(buyer, card) == {lost: "replaced"}
    assert failed["next_action"] == "retry_mint" and failed["will_charge"]
    assert buyer.statement() == {}
    again = buyer.retry(order)
    assert again["order_id"] == order["order_id"] and again["price"] == order["price"]
    buyer.claim(again, buyer.mint(again))
    buyer.gets(card)


def test_a_mint_that_was_dropped_is_awaited_for_as_long_as_it_may_land(
    buyer: Buyer, fork: Fork
) -> None:
    card, order = buyer.buys()
    approve_at_once(buyer, fork, order)
    lost = buyer.mint(order)
    again = copies(fork.chain, lost)
    buyer.claim(order, lost)
    sighted(buyer, card)
    fork.chain.call("anvil_dropTransaction", lost)
    unseen = nowhere()
    buyer.claim(order, unseen)
    buyer.stage.advance_clock(HALF_AN_HOUR_S)
    buyer.stage.advance_clock(HALF_AN_HOUR_S)
    fork.confirm()
    eventually(lambda: dismissed(buyer, card) == {unseen: "unseen"})
    shown = buyer.card(card)
    assert shown["mint_order_status"] == "verifying"
    assert shown["next_action"] == "wait" and not shown["will_charge"]
    send_again(fork.chain, *again)
    fork.go_on()
    buyer.gets(card)


def test_a_hash_that_nobody_saw_is_given_up_after_half_an_hour(buyer: Buyer) -> None:
    card, order = buyer.buys()
    lost = nowhere()
    buyer.claim(order, lost)
    shown = buyer.until(card, mint_ui_state="minting", wallet_step="mint_verifying")
    assert not shown["will_charge"] and shown["mint_has_tx"]
    buyer.stage.advance_clock(HALF_AN_HOUR_S)
    shown = buyer.until(card, **UNPAID)
    assert dismissed(buyer, card) == {lost: "unseen"}
    assert shown["next_action"] == "mint" and shown["wallet_step"] is None
    assert buyer.open(card)["order_id"] == order["order_id"]
    buyer.claim(order, buyer.pay(order))
    buyer.gets(card)


def test_a_reverted_mint_took_nothing_and_its_retry_pays_once(buyer: Buyer) -> None:
    card, order = buyer.buys()
    reverted = buyer.mint(order)  # without the approval
    buyer.claim(order, reverted)
    failed = buyer.until(card, mint_ui_state="retry_mint")
    assert dismissed(buyer, card) == {reverted: "reverted"}
    assert failed["next_action"] == "retry_mint" and not failed["mint_paid"]
    assert buyer.cards() == [buyer.card(card)]
    again = buyer.retry(order)
    buyer.retry(order, status=409)
    shown = buyer.until(card, **UNPAID)
    assert shown["mint_order_id"] == order["order_id"] == again["order_id"]
    buyer.claim(again, buyer.pay(again))
    buyer.gets(card)
    assert buyer.order(order)["attempts"] == 2


# Whose transaction it is.


def test_a_stranger_who_claims_it_first_gets_nothing_and_stops_nobody(
    stage: Stage, buyer: Buyer
) -> None:
    stranger = Buyer(stage)
    theirs, wish = stranger.buys()
    card, order = buyer.buys()
    with stage.miner.resting():
        tx_hash = buyer.pay(order)
        stranger.claim(wish, tx_hash)
        stranger.until(theirs, mint_order_status="verifying")
        buyer.claim(order, tx_hash)
    buyer.gets(card)
    shown = stranger.until(theirs, **UNPAID)
    assert dismissed(stranger, theirs) == {tx_hash: "not_for_order"}
    assert shown["next_action"] == "mint" and stranger.statement() == {}


def test_a_payment_from_a_strangers_wallet_is_a_case_and_the_owner_still_may_pay(
    stage: Stage, buyer: Buyer
) -> None:
    payer = Buyer(stage)
    card, order = buyer.buys()
    tx_hash = payer.pay(order)
    buyer.claim(order, tx_hash)
    eventually(lambda: stage.facts.recoveries(order["order_id"]))
    (kind, facts) = stage.facts.recoveries(order["order_id"])[0]
    assert kind == "foreign_payer" and facts["tx"] == tx_hash and facts["payer"] == payer.wallet
    shown = buyer.until(card, **UNPAID)
    assert shown["on_chain_token_id"] is None
    assert buyer.statement() == {"paid": PRICE, "refund_due": PRICE}
    buyer.claim(order, buyer.pay(order))
    done = buyer.until_done(card)
    assert buyer.statement() == {"paid": 2 * PRICE, "delivered": PRICE, "refund_due": PRICE}
    assert done["on_chain_token_id"] == stage.facts.token_ids(order["order_id"])[-1]
    assert stage.facts.count(card["id"], "image_stored") == 1


def test_one_transaction_does_not_pay_two_orders_of_one_pass(buyer: Buyer) -> None:
    card, order = buyer.buys("samurai")
    other, unpaid = buyer.buys("oracle")
    tx_hash = buyer.pay(order)
    buyer.claim(unpaid, tx_hash)
    buyer.claim(order, tx_hash)
    buyer.gets(card)
    assert not buyer.until(other, **UNPAID)["mint_has_tx"] or dismissed(buyer, other)
    assert dismissed(buyer, other) == {tx_hash: "not_for_order"}
    assert buyer.stage.facts.token_ids(unpaid["order_id"]) == []


# What is claimed.


@pytest.mark.parametrize(
    "claimed",
    ["", "0x", "0x12", "0x" + "g" * 64, "0x" + "1" * 65, "1" * 64, None, 7, ["0x" + "1" * 64]],
)
def test_what_is_no_hash_is_refused_and_changes_nothing(buyer: Buyer, claimed: object) -> None:
    card, order = buyer.buys()
    before = buyer.stage.facts.names(card["id"])
    path = f"/mint-orders/{order['order_id']}/transactions"
    assert buyer.post(path, {"tx_hash": claimed}, status=422)["code"] == "INVALID_REQUEST"
    assert buyer.stage.facts.names(card["id"]) == before
    assert buyer.card(card)["mint_order_status"] == "pending"


def test_wrong_claims_beside_the_right_one_do_no_harm(stage: Stage, buyer: Buyer) -> None:
    stranger = Buyer(stage)
    _, theirs = stranger.buys()
    card, order = buyer.buys()
    wrong = [nowhere(), stranger.pay(theirs), buyer.approve(order), nowhere()]
    for tx_hash in wrong[:3]:
        buyer.claim(order, tx_hash)
    right = buyer.mint(order)
    buyer.claim(order, right.upper().replace("0X", "0x"))
    buyer.claim(order, wrong[3])
    buyer.gets(card)
    assert buyer.order(order)["attempts"] == 5
    stage.advance_clock(HALF_AN_HOUR_S)
    eventually(lambda: dismissed(buyer, card).keys() == set(wrong))
    assert buyer.card(card)["mint_ui_state"] == "done"


def test_an_order_takes_only_so_many_claims_at_once(buyer: Buyer) -> None:
    card, order = buyer.buys()
    for _ in range(20):
        buyer.claim(order, nowhere())
    path = f"/mint-orders/{order['order_id']}/transactions"
    assert buyer.post(path, {"tx_hash": nowhere()}, status=409)["code"] == "TOO_MANY_CLAIMS"
    buyer.pay(order)
    buyer.gets(card)
    buyer.stage.advance_clock(HALF_AN_HOUR_S)


def test_a_payment_that_nobody_tells_of_is_found(buyer: Buyer) -> None:
    card, order = buyer.buys("oracle", "mini_me")
    tx_hash = buyer.pay(order)
    buyer.gets(card)
    shown = buyer.order(order)
    assert shown["evidence"]["tx"] == tx_hash
    assert buyer.stage.facts.count(card["id"], "transaction_claimed") == 0
