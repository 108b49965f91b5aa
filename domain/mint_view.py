"""What callers see of a Character and its Order: one description for list, detail, answers, replay.

Shapes are those of `contract.md` §3. `because` names the last event of each stream that the state
rests on.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from domain import calldata
from domain.character import Character
from domain.mint_ui import CARDS, mint_ui_state, next_action, will_charge
from domain.order import Order


def order_ref(order_id: str) -> str:
    """The order's uuid as the 32 bytes that calldata and events carry, in hex."""
    return "0x" + order_id.replace("-", "").rjust(64, "0")


def order_id_of(ref: str) -> str | None:
    """The uuid in a reference; None when these 32 bytes are not one of ours."""
    digits = ref.removeprefix("0x")
    if len(digits) != 64 or digits[:32].strip("0"):
        return None
    tail = digits[32:]
    return f"{tail[:8]}-{tail[8:12]}-{tail[12:16]}-{tail[16:20]}-{tail[20:]}"


def describe_character(
    character: Character, order: Order | None, because: list[str]
) -> dict[str, Any]:
    status = order.status if order else None
    image = character.image_status
    state = mint_ui_state(status, image)
    paid = bool(order and order.payment)
    action = next_action(state, expired=bool(order and order.expired))
    return {
        "id": character.character_id,
        "role": character.role,
        "kind": character.kind,
        "image_status": image,
        "image_url": character.image.output_url if character.image else None,
        "mint_ui_state": state,
        "mint_order_id": order.order_id if order else None,
        "mint_order_status": status,
        "mint_paid": paid if order else None,
        "mint_has_tx": bool(order.hashes) if order else None,
        "wallet_step": order.wallet_step if order else None,
        "on_chain_token_id": _token_id(order),
        "badge": CARDS[state].badge,
        "helper_text": CARDS[state].helper_text,
        "next_action": action,
        "will_charge": will_charge(action, paid=paid),
        "because": because,
    }


def describe_order(order: Order) -> dict[str, Any]:
    """What a wallet needs to pay an order: `approve` is for exactly the price."""
    assert order.terms and order.expires_at
    terms, ref = order.terms, order_ref(order.order_id)
    pay = calldata.mint if terms.recipe == "role_mint" else calldata.pay
    approve = calldata.approve(terms.contract, order.price)
    return {
        "order_id": order.order_id,
        "character_id": order.character_id,
        "status": order.status,
        "wallet_step": order.wallet_step,
        "chain_id": terms.chain_id,
        "transactions": {
            "approve": {"to": terms.token, "data": approve, "value": "0"},
            "mint": {"to": terms.contract, "data": pay(ref, order.price), "value": "0"},
        },
        "price": {"asset": terms.asset, "amount": terms.amount},
        "expires_at": spoken_time(order.expires_at),
    }


def describe_evidence(order: Order) -> dict[str, Any] | None:
    """The block that proves the payment; its depth when it was recorded."""
    found = order.payment or order.seen
    if found is None:
        return None
    return {
        "tx": found.tx_hash,
        "block": found.block_number,
        "depth": found.depth,
        "log_index": found.log_index,
    }


def describe_surplus(order: Order) -> list[dict[str, Any]]:
    """What was paid beyond the price, in the paying transaction or in further ones: refund due."""
    asset = order.terms.asset if order.terms else ""
    extra = [(held.tx_hash, held.amount) for held in order.receipts.surplus]
    if order.payment and order.payment.amount > order.price:
        extra.insert(0, (order.payment.tx_hash, order.payment.amount - order.price))
    return [
        {"tx": tx_hash, "asset": asset, "amount": str(amount), "outcome": "refund_due"}
        for tx_hash, amount in extra
    ]


def spoken_time(at: datetime) -> str:
    """RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _token_id(order: Order | None) -> str | None:
    if order is None:
        return None
    token_id = order.final_token_id if order.token_id is None else order.token_id
    return None if token_id is None else str(token_id)
