"""`mega demo role-mint`: sign in, pay, leave, come back, get the image; nothing behind the API."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.say import AsJson, as_json
from cli.world import running_world

if TYPE_CHECKING:
    from cli.buyer import Buyer

PATIENCE_S = 90


def role_mint(
    role: Annotated[str, typer.Option(help="a role of GET /dev/world")] = "samurai",
    kind: Annotated[str, typer.Option(help="role or mini_me")] = "role",
    json_: AsJson = False,
) -> None:
    """Buy a role in the running world, from wallet to image."""
    import httpx

    from cli.buyer import Buyer

    buyer = Buyer(running_world())
    tell = Teller(quiet=json_)
    try:
        story(buyer, role, kind, tell)
        if json_:
            as_json(tell.told)
    except httpx.TransportError as down:
        raise SystemExit(f"The world does not answer ({down}). Start it with: make run") from None


class Teller:
    """Says each thing as it happens, or keeps it for the end."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self.told: list[dict[str, str]] = []

    def __call__(self, what: str, more: str) -> None:
        self.told.append({"what": what, "more": more})
        if not self._quiet:
            typer.echo(f"{what:>16}  {more}".rstrip())


def story(buyer: Buyer, role: str, kind: str, say: Teller) -> None:
    from ledger.chain import verify

    say("wallet", buyer.wallet.address)
    say("signed in as", buyer.sign_in())
    card = buyer.ask("POST", "/characters", {"role": role, "kind": kind})
    say("character", f"{card['id']}  {card['mint_ui_state']}")
    order = buyer.ask("POST", f"/characters/{card['id']}/mint-orders", {})
    say("order", f"{order['order_id']}  {order['price']['amount']} {order['price']['asset']}")
    if card["next_action"] == "retry_mint":
        order = buyer.ask("POST", f"/mint-orders/{order['order_id']}/retry", {})
    if card["next_action"] in ("mint", "retry_mint"):
        pay(buyer, order, say)
    else:
        say("nothing to pay", "this role is paid for already; another one: --role")
    buyer.leave()
    say("left", "the page is closed, the token thrown away")
    say("came back as", buyer.sign_in())
    card = follow(buyer, card["id"], say)
    say("token", str(card["on_chain_token_id"]))
    say("image", card["image_url"])
    say("because", ", ".join(card["because"]))
    chain = verify(buyer.world["database_url"])
    say("ledger", f"{'verified' if chain.ok else 'BROKEN'}, {chain.position} events")


def pay(buyer: Buyer, order: dict[str, Any], say: Teller) -> None:
    path = f"/mint-orders/{order['order_id']}"
    buyer.ask("POST", f"{path}/wallet-step", {"step": "awaiting_approve"})
    say("approved", buyer.send(order["transactions"]["approve"]))
    buyer.ask("POST", f"{path}/wallet-step", {"step": "awaiting_mint"})
    tx_hash = buyer.send(order["transactions"]["mint"])
    say("paid", tx_hash)
    buyer.ask("POST", f"{path}/transactions", {"tx_hash": tx_hash})


def follow(buyer: Buyer, character_id: str, say: Teller) -> dict[str, Any]:
    """Says each state once, until the image is there and the token minted."""
    deadline, last = time.monotonic() + PATIENCE_S, ""
    while time.monotonic() < deadline:
        card = buyer.ask("GET", f"/characters/{character_id}")
        if card["mint_ui_state"] != last:
            last = card["mint_ui_state"]
            say(last, card["helper_text"])
        if last == "done" and card["on_chain_token_id"]:
            return card
        if last in ("retry_mint", "retry_generation"):
            raise SystemExit(f"It stands at {last}: {card['helper_text']}")
        time.sleep(0.2)
    raise SystemExit(f"Not done after {PATIENCE_S} s; it goes on, look at {character_id} later.")
