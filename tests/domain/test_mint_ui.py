"""mint_ui_state: the whole table, every combination, nothing left to chance."""

from __future__ import annotations

from itertools import product

import pytest

from domain.mint_ui import (
    CARDS,
    IMAGE_STATUSES,
    ORDER_STATUSES,
    mint_ui_state,
    next_action,
    will_charge,
)

TABLE = {
    (None, ""): "new",
    (None, "generating"): "new",
    (None, "done"): "new",
    (None, "failed"): "new",
    ("pending", ""): "new",
    ("pending", "generating"): "new",
    ("pending", "done"): "new",
    ("pending", "failed"): "new",
    ("verifying", ""): "minting",
    ("verifying", "generating"): "minting",
    ("verifying", "done"): "minting",
    ("verifying", "failed"): "minting",
    ("failed", ""): "retry_mint",
    ("failed", "generating"): "retry_mint",
    ("failed", "done"): "retry_mint",
    ("failed", "failed"): "retry_mint",
    ("confirmed", ""): "generating",
    ("confirmed", "generating"): "generating",
    ("confirmed", "done"): "done",
    ("confirmed", "failed"): "retry_generation",
}
ACTIONS = {
    "new": "mint",
    "minting": "wait",
    "retry_mint": "retry_mint",
    "generating": "wait",
    "retry_generation": "retry_generation",
    "done": "open",
}


def test_the_table_is_total():
    assert set(TABLE) == set(product((None, *ORDER_STATUSES), IMAGE_STATUSES))


@pytest.mark.parametrize(("order", "image"), TABLE)
def test_every_pair_of_states_shows_its_one_state(order, image):
    assert mint_ui_state(order, image) == TABLE[order, image]


@pytest.mark.parametrize(
    ("order", "image", "paid", "expired"),
    list(product((None, *ORDER_STATUSES), IMAGE_STATUSES, (False, True), (False, True))),
)
def test_every_state_has_a_card_and_a_next_action_that_charges_only_the_unpaid(
    order, image, paid, expired
):
    state = mint_ui_state(order, image)
    action = next_action(state, expired=expired)
    replaced = state == "retry_mint" and expired
    assert action == ("mint" if replaced else ACTIONS[state])
    assert will_charge(action, paid=paid) == (action in ("mint", "retry_mint") and not paid)
    assert CARDS[state].badge
    assert CARDS[state].helper_text


def test_nothing_that_waits_for_evidence_is_ever_offered_for_payment():
    for image in IMAGE_STATUSES:
        action = next_action(mint_ui_state("verifying", image))
        assert not will_charge(action, paid=False)
