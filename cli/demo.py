"""`mega demo role-mint`: sign in, pay, leave, come back, get the image; nothing behind the API."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import httpx
import typer
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils import to_checksum_address

from cli.world import database_url, running_world
from ledger.chain import verify as verify_chain

PATIENCE_S = 90
GAS = 400_000
GWEI = 10**9


class Buyer:
    """A wallet in front of the API and of the chain."""

    def __init__(self, world: dict[str, Any]) -> None:
        self.world = world
        self.wallet = Account.from_key(world["wallets"][0]["private_key"])
        self.http = httpx.Client(base_url=world["api"], timeout=15)

    def sign_in(self) -> str:
        """Signs in with Ethereum; returns the pass id."""
        nonce = self.ask("POST", "/auth/nonce", {})["nonce"]
        host = self.world["public_host"]
        text = (
            f"{host} wants you to sign in with your Ethereum account:\n{self.wallet.address}\n\n"
            f"Sign in to MEGA.\n\nURI: http://{host}/\nVersion: 1\n"
            f"Chain ID: {self.world['evm']['chain_id']}\nNonce: {nonce}\n"
            f"Issued At: {datetime.now(UTC).isoformat(timespec='seconds').replace('+00:00', 'Z')}"
        )
        signature = bytes(self.wallet.sign_message(encode_defunct(text=text)).signature).hex()
        proof = {"message": text, "signature": f"0x{signature}"}
        answer = self.ask("POST", "/auth/siwe", proof)
        self.http.headers["Authorization"] = f"Bearer {answer['access_token']}"
        return str(answer["pass_id"])

    def leave(self) -> None:
        self.http.headers.pop("Authorization")
        self.http.cookies.clear()

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self.http.request(method, path, json=body)
        found: dict[str, Any] = answer.json()
        if answer.is_error:
            raise SystemExit(f"{method} {path} answered {answer.status_code}: {found['detail']}")
        return found

    def send(self, transaction: dict[str, str]) -> str:
        """Signs and broadcasts; returns the hash."""
        nonce = int(self.node("eth_getTransactionCount", self.wallet.address, "pending"), 16)
        signed = self.wallet.sign_transaction(
            {
                "to": to_checksum_address(transaction["to"]),
                "data": transaction["data"],
                "value": int(transaction["value"]),
                "nonce": nonce,
                "gas": GAS,
                "maxFeePerGas": 3 * GWEI,
                "maxPriorityFeePerGas": GWEI,
                "chainId": self.world["evm"]["chain_id"],
            }
        )
        return self.node("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())

    def node(self, method: str, *parameters: object) -> str:
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        answer = httpx.post(self.world["evm"]["rpc"], json=call, timeout=15).json()
        if "error" in answer:
            raise SystemExit(f"The chain refused {method}: {answer['error']['message']}")
        return str(answer["result"])


def role_mint(
    role: Annotated[str, typer.Option(help="a role of GET /dev/world")] = "samurai",
    kind: Annotated[str, typer.Option(help="role or mini_me")] = "role",
) -> None:
    """Buy a role in the running world, from wallet to image."""
    buyer = Buyer(running_world())
    try:
        story(buyer, role, kind)
    except httpx.TransportError as down:
        raise SystemExit(f"The world does not answer ({down}). Start it with: make run") from None


def story(buyer: Buyer, role: str, kind: str) -> None:
    say("wallet", buyer.wallet.address)
    say("signed in as", buyer.sign_in())
    card = buyer.ask("POST", "/characters", {"role": role, "kind": kind})
    say("character", f"{card['id']}  {card['mint_ui_state']}")
    order = buyer.ask("POST", f"/characters/{card['id']}/mint-orders", {})
    say("order", f"{order['order_id']}  {order['price']['amount']} {order['price']['asset']}")
    if card["next_action"] == "mint":
        pay(buyer, order)
    buyer.leave()
    say("left", "the page is closed, the token thrown away")
    say("came back as", buyer.sign_in())
    card = follow(buyer, card["id"])
    say("token", str(card["on_chain_token_id"]))
    say("image", card["image_url"])
    say("because", ", ".join(card["because"]))
    chain = verify_chain(database_url())
    say("ledger", f"{'verified' if chain.ok else 'BROKEN'}, {chain.position} events")


def pay(buyer: Buyer, order: dict[str, Any]) -> None:
    path = f"/mint-orders/{order['order_id']}"
    buyer.ask("POST", f"{path}/wallet-step", {"step": "awaiting_approve"})
    say("approved", buyer.send(order["transactions"]["approve"]))
    buyer.ask("POST", f"{path}/wallet-step", {"step": "awaiting_mint"})
    tx_hash = buyer.send(order["transactions"]["mint"])
    say("paid", tx_hash)
    buyer.ask("POST", f"{path}/transactions", {"tx_hash": tx_hash})


def follow(buyer: Buyer, character_id: str) -> dict[str, Any]:
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


def say(what: str, more: str) -> None:
    typer.echo(f"{what:>16}  {more}")
