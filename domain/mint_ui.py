"""What a role card shows: one pure, total function of the order's and the image's state.

Seed 000 "Unified State Model" and `contract.md` §3. Any order status but `confirmed` wins over the
image: what is not paid for sure is never shown as done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OrderStatus = Literal["pending", "verifying", "confirmed", "failed"]
ImageStatus = Literal["", "generating", "done", "failed"]
MintUiState = Literal["new", "minting", "retry_mint", "generating", "retry_generation", "done"]
NextAction = Literal["mint", "wait", "retry_mint", "retry_generation", "open"]

ORDER_STATUSES: tuple[OrderStatus, ...] = ("pending", "verifying", "confirmed", "failed")
IMAGE_STATUSES: tuple[ImageStatus, ...] = ("", "generating", "done", "failed")

_before_confirmed: dict[OrderStatus, MintUiState] = {
    "pending": "new",
    "verifying": "minting",
    "failed": "retry_mint",
}
_once_confirmed: dict[ImageStatus, MintUiState] = {
    "": "generating",
    "generating": "generating",
    "failed": "retry_generation",
    "done": "done",
}
_action: dict[MintUiState, NextAction] = {
    "new": "mint",
    "minting": "wait",
    "retry_mint": "retry_mint",
    "generating": "wait",
    "retry_generation": "retry_generation",
    "done": "open",
}


@dataclass(frozen=True, slots=True)
class Card:
    """How one state looks, the same for normal roles and `mini_me`."""

    badge: str
    helper_text: str


CARDS: dict[MintUiState, Card] = {
    "new": Card("New", "Pay once to mint this role and get its image."),
    "minting": Card("Minting", "Your payment is being verified on chain. You can close this page."),
    "retry_mint": Card("Mint failed", "Nothing was taken for the failed mint. Tap to mint again."),
    "generating": Card("Generating", "Paid. Your image is being made; you will not pay again."),
    "retry_generation": Card("Image failed", "Paid. Tap to make the image again, free of charge."),
    "done": Card("Done", "Tap to open your image."),
}


def mint_ui_state(order: OrderStatus | None, image: ImageStatus) -> MintUiState:
    if order is None:
        return "new"
    if order == "confirmed":
        return _once_confirmed[image]
    return _before_confirmed[order]


def next_action(state: MintUiState, *, expired: bool = False) -> NextAction:
    """An order that expired unpaid is not repaired but replaced: the way on is a new mint."""
    return "mint" if state == "retry_mint" and expired else _action[state]


def will_charge(action: NextAction, *, paid: bool) -> bool:
    """True only where the next thing the user does moves their money."""
    return action in ("mint", "retry_mint") and not paid
