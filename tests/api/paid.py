"""Orders in the states that money leads to, by the commands that the watchers issue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from commands.characters import FailGeneration, RequestGeneration, StoreImage
from commands.command import Command, Context, Outcome, handle
from commands.orders import RecordFinalMint, RecordPayment, RetractPayment
from domain.payment import Payment
from tests.api.opened import Api

CONFIRMATIONS = 3


@dataclass(frozen=True)
class Bought:
    """An open order of a pass; `who` is the header of its session."""

    who: str
    pass_id: str
    wallet: str
    character_id: str
    order_id: str
    price: int


async def issue(api: Api, command: Command) -> Outcome:
    at = api.parts.clock.now()
    return await handle(
        api.parts.ledger, command, Context(at=at, correlation_id="test", causation_id="test")
    )


async def order(api: Api, user: str, role: str = "samurai", **more: Any) -> Bought:
    """A user with a wallet opens an order for a role."""
    wallet = "0x" + user.encode().hex().rjust(40, "0")[-40:]
    who = await api.dev(user, wallets=[wallet], **more)
    made = (await api.post("/characters", {"role": role, "kind": "role"}, who)).json()
    opened = (await api.post(f"/characters/{made['id']}/mint-orders", {}, who)).json()
    price = int(opened["price"]["amount"])
    return Bought(who, f"pass:user:{user}", wallet, made["id"], opened["order_id"], price)


def payment(bought: Bought, number: int = 1, **given: Any) -> Payment:
    facts: dict[str, Any] = {
        "tx_hash": f"0x{number:064x}",
        "sender": bought.wallet,
        "nonce": number,
        "block_number": 100 + number,
        "block_hash": f"0x{100 + number:064x}",
        "log_index": 0,
        "payer": bought.wallet,
        "amount": bought.price,
        "token_id": number,
        "depth": CONFIRMATIONS,
    }
    return Payment(**{**facts, **given})


async def pay(api: Api, bought: Bought, number: int = 1, **given: Any) -> Payment:
    """The watcher finds a payment for the order; its hash is of this order and number."""
    own = int(bought.order_id.replace("-", "")[:12], 16) * 1000 + number
    found = payment(bought, own, **{"block_number": 100 + number, "token_id": number, **given})
    record = RecordPayment(order_id=bought.order_id, found=found, confirmations=CONFIRMATIONS)
    await issue(api, record)
    return found


async def retract(api: Api, bought: Bought, found: Payment) -> None:
    await issue(api, RetractPayment(order_id=bought.order_id, block_hash=found.block_hash))


async def fail_image(api: Api, bought: Bought) -> None:
    id_ = bought.character_id
    await issue(api, RequestGeneration(character_id=id_, provider="seedream", model="m"))
    failed: dict[str, Any] = {"error_class": "refused", "reason": "no", "attempt": 1}
    cap = timedelta(seconds=30)
    await issue(api, FailGeneration(character_id=id_, retry_cap=cap, **failed))


async def deliver(api: Api, bought: Bought, attempt: int = 1) -> None:
    """The image is made and stored."""
    id_ = bought.character_id
    await issue(api, RequestGeneration(character_id=id_, provider="seedream", model="m"))
    facts: dict[str, Any] = {"sha256": "0" * 64, "content_type": "image/png", "bytes": 1}
    size = {"width": 1, "height": 1, "attempt": attempt}
    url = f"http://s3.example/{id_}.png"
    await issue(api, StoreImage(character_id=id_, output_url=url, **facts, **size))


async def mint(api: Api, bought: Bought, token_id: int) -> None:
    """The server's own mint, after the image."""
    place: dict[str, Any] = {"tx_hash": "0x" + "f1" * 32, "block_hash": "0x" + "b1" * 32}
    where = {"block_number": 500, "log_index": 1, "token_id": token_id}
    await issue(api, RecordFinalMint(order_id=bought.order_id, **place, **where))
