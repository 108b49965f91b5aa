"""How much a payment moves, when, and how often: what is not the price is due back."""

from __future__ import annotations

from domain import calldata
from domain.mint_view import order_ref
from tests.contracts.chain import PRICE
from tests.e2e.buyer import Buyer, Json
from tests.e2e.stage import Stage
from tests.waiting import eventually

AN_HOUR_S = 3601
UNPAID = {"mint_ui_state": "new", "mint_order_status": "pending", "mint_paid": False}


# How much it moves. The contract takes any amount; the order knows its price.


def pay_amount(buyer: Buyer, order: Json, amount: int) -> str:
    chain = buyer.stage.chain
    chain.approve(buyer.wallet, amount)
    ref = order_ref(order["order_id"])
    return chain.send(buyer.wallet, chain.role_mint, calldata.mint(ref, amount))


def test_too_little_is_a_case_and_never_confirms(buyer: Buyer) -> None:
    card, order = buyer.buys()
    short = pay_amount(buyer, order, PRICE - 1)
    buyer.claim(order, short)
    eventually(lambda: buyer.stage.facts.recoveries(order["order_id"]))
    (kind, facts) = buyer.stage.facts.recoveries(order["order_id"])[0]
    assert (kind, facts["amount"]) == ("amount_too_low", str(PRICE - 1))
    assert buyer.until(card, **UNPAID)["next_action"] == "mint"
    buyer.pay(order)
    buyer.until_done(card)
    assert buyer.statement() == {
        "paid": 2 * PRICE - 1,
        "delivered": PRICE,
        "refund_due": PRICE - 1,
    }


def test_too_much_confirms_and_what_is_beyond_the_price_is_due_back(buyer: Buyer) -> None:
    card, order = buyer.buys()
    buyer.claim(order, pay_amount(buyer, order, PRICE + 5))
    buyer.gets(card, paid=PRICE + 5, refund_due=5)


def test_a_second_payment_for_an_order_is_due_back_in_full(buyer: Buyer) -> None:
    card, order = buyer.buys()
    first = buyer.pay(order)
    buyer.until_done(card)
    second = buyer.pay(order)
    buyer.claim(order, second)
    (extra,) = eventually(lambda: buyer.order(order)["overpaid"])
    assert (extra["tx"], extra["amount"], extra["outcome"]) == (second, str(PRICE), "refund_due")
    shown = buyer.order(order)
    assert shown["evidence"]["tx"] == first and shown["status"] == "confirmed"
    assert buyer.card(card)["mint_ui_state"] == "done"
    assert buyer.stage.facts.count(card["id"], "image_stored") == 1
    assert buyer.statement() == {"paid": 2 * PRICE, "delivered": PRICE, "refund_due": PRICE}


def test_what_came_by_the_function_of_another_recipe_is_due_back(buyer: Buyer) -> None:
    card, order = buyer.buys()
    chain = buyer.stage.chain
    chain.approve(buyer.wallet, PRICE)
    chain.send(buyer.wallet, chain.role_mint, calldata.pay(order_ref(order["order_id"]), PRICE))
    ((kind, facts),) = eventually(lambda: buyer.stage.facts.recoveries(order["order_id"]))
    assert (kind, facts["amount"]) == ("wrong_function", str(PRICE))
    assert buyer.statement() == {"paid": PRICE, "refund_due": PRICE}
    buyer.until(card, **UNPAID)


def test_what_a_stranger_sends_is_a_case_and_shows_nowhere_else(buyer: Buyer, stage: Stage) -> None:
    card, order = buyer.buys()
    stranger = Buyer(stage)
    for amount in (0, 1):
        pay_amount(stranger, order, amount)
    ((kind, facts),) = eventually(lambda: stage.facts.recoveries(order["order_id"]))
    assert (kind, facts["amount"]) == ("foreign_payer", "1")
    assert stage.facts.count(card["id"], "payment_seen") == 0
    assert buyer.card(card).items() >= UNPAID.items()


# An order that expires.


def test_an_expired_order_that_is_paid_late_is_honoured(buyer: Buyer) -> None:
    card, order = buyer.buys()
    buyer.stage.advance_clock(AN_HOUR_S)
    shown = buyer.until(card, mint_order_status="failed")
    assert shown["next_action"] == "mint" and shown["mint_ui_state"] == "retry_mint"
    buyer.retry(order, status=409)
    buyer.pay(order)
    done = buyer.gets(card)
    assert done["mint_order_id"] == order["order_id"]
    assert buyer.open(card)["order_id"] == order["order_id"]


def test_late_money_for_an_expired_order_and_money_for_the_next_deliver_once(buyer: Buyer) -> None:
    card, order = buyer.buys()
    buyer.stage.advance_clock(AN_HOUR_S)
    buyer.until(card, mint_order_status="failed")
    following = buyer.open(card)
    assert following["order_id"] != order["order_id"]
    buyer.pay(order)
    done = buyer.gets(card)
    assert done["mint_order_id"] == order["order_id"]
    second = buyer.pay(following)
    buyer.claim(following, second)
    eventually(lambda: buyer.order(following)["overpaid"])
    assert buyer.statement() == {"paid": 2 * PRICE, "delivered": PRICE, "refund_due": PRICE}
    assert buyer.card(card)["mint_ui_state"] == "done"
    assert buyer.stage.facts.count(card["id"], "image_stored") == 1
