"""The whole story of seed 000, on real parts: pay, mint, leave, come back, get the image."""

from __future__ import annotations

import pytest

from tests.e2e.buyer import Buyer

STORIES = [
    ("samurai", "role"),
    ("oracle", "mini_me"),
    ("sovereign", "role"),
    ("sovereign", "mini_me"),
]
# Of (mint_ui_state, mint_order_status, image_status), those that a visitor may see, in this order.
ORDER_OF_STATES = [
    ("new", "pending", ""),
    ("minting", "verifying", ""),
    ("generating", "confirmed", ""),
    ("generating", "confirmed", "generating"),
    ("done", "confirmed", "done"),
]


@pytest.mark.parametrize(("role", "kind"), STORIES)
def test_a_paid_role_becomes_a_token_and_a_picture(buyer: Buyer, role: str, kind: str) -> None:
    stage, facts = buyer.stage, buyer.stage.facts
    billed = len(stage.twin.billed())
    card, order = buyer.buys(role, kind)
    assert card["mint_ui_state"] == "new" and card["next_action"] == "mint"
    buyer.step(order, "awaiting_approve")
    buyer.until(card, wallet_step="awaiting_approve")
    buyer.approve(order)
    buyer.step(order, "awaiting_mint")
    buyer.until(card, wallet_step="awaiting_mint")
    tx_hash = buyer.mint(order)
    assert buyer.claim(order, tx_hash)["wallet_step"] == "mint_verifying"
    done = buyer.until(card, mint_ui_state="done")
    short = list(dict.fromkeys(state[:3] for state in done["seen"]))
    assert short == [state for state in ORDER_OF_STATES if state in short]
    assert ("minting", "verifying", "") in short
    done = buyer.until_done(card)
    facts.check_delivered(done)
    assert len(stage.twin.billed()) == billed + 1
    shown = buyer.order(order)
    assert shown["status"] == "confirmed" and shown["evidence"]["tx"] == tx_hash
    assert shown["evidence"]["depth"] >= 3 and shown["overpaid"] == []
    assert buyer.cards() == [buyer.card(card)]
