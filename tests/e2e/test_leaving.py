"""Leaving at any step and coming back with a new sign-in: the same order, never paid again."""

from __future__ import annotations

import pytest

from tests.e2e.buyer import Buyer, Json

STEPS = {
    "opened": None,
    "approving": "awaiting_approve",
    "approved": "awaiting_approve",
    "minting": "awaiting_mint",
    "sent": "awaiting_mint",
    "claimed": "mint_verifying",
}  # and what the card shows then


@pytest.mark.parametrize("left_at", STEPS)
def test_whoever_leaves_comes_back_to_the_same_order_and_never_pays_again(
    buyer: Buyer, left_at: str
) -> None:
    card, order = buyer.buys()
    with buyer.stage.miner.resting():
        tx_hash = do_until(buyer, order, left_at)
        buyer.sign_in()
        assert buyer.character()["id"] == card["id"]
        assert buyer.open(card)["order_id"] == order["order_id"]
        shown = buyer.until(card, wallet_step=STEPS[left_at])
        assert shown["mint_order_id"] == order["order_id"]
    if tx_hash is None:
        resume(buyer, order, approved=left_at in ("approved", "minting"))
    buyer.gets(card)
    assert len(buyer.stage.facts.logs(order["order_id"])) == 1


def do_until(buyer: Buyer, order: Json, left_at: str) -> str | None:
    """Goes on to the step at which the buyer closes the page; the hash if it was sent."""
    names = list(STEPS)
    done = names[1 : names.index(left_at) + 1]
    tx_hash = None
    if "approving" in done:
        buyer.step(order, "awaiting_approve")
    if "approved" in done:
        buyer.approve(order)
    if "minting" in done:
        buyer.step(order, "awaiting_mint")
    if "sent" in done:
        tx_hash = buyer.mint(order)
    if "claimed" in done and tx_hash:
        buyer.claim(order, tx_hash)
    return tx_hash


def resume(buyer: Buyer, order: Json, *, approved: bool) -> None:
    if not approved:
        buyer.step(order, None)
        buyer.approve(order)
    buyer.step(order, "awaiting_mint")
    buyer.claim(order, buyer.mint(order))
