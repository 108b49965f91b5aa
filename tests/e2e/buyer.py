"""Somebody who buys: a pass with a wallet, as their browser asks and their wallet signs."""

from __future__ import annotations

import secrets
from typing import Any

from tests.e2e.browser import PATIENCE_S, Browser, Json
from tests.e2e.stage import Stage
from tests.waiting import eventually

SHOWN = (
    "mint_ui_state",
    "mint_order_status",
    "image_status",
    "mint_paid",
    "mint_has_tx",
    "wallet_step",
)


class Buyer(Browser):
    def __init__(self, stage: Stage, *, wallet: str = "") -> None:
        self.wallet = wallet or stage.wallet()
        super().__init__(stage, f"b{secrets.token_hex(6)}", wallets=[self.wallet])

    # The browser.

    def character(self, role: str = "samurai", kind: str = "role") -> Json:
        return self.post("/characters", {"role": role, "kind": kind})

    def open(self, card: Json) -> Json:
        return self.post(f"/characters/{card['id']}/mint-orders")

    def claim(self, order: Json, tx_hash: str) -> Json:
        body = {"tx_hash": tx_hash}
        return self.post(f"/mint-orders/{order['order_id']}/transactions", body, status=202)

    def step(self, order: Json, step: str | None) -> Json:
        return self.post(f"/mint-orders/{order['order_id']}/wallet-step", {"step": step})

    def retry(self, order: Json, *, status: int = 200) -> Json:
        """Opens a failed order again."""
        return self.post(f"/mint-orders/{order['order_id']}/retry", status=status)

    def retry_image(self, card: Json, *, status: int = 202) -> Json:
        return self.post(f"/characters/{card['id']}/retry-generation", status=status)

    def statement(self) -> dict[str, int]:
        """What I paid and what became of it, in atomic units; only what is not zero."""
        assets = self.get("/me/statement")["statement"]["assets"]
        sums = assets.get("MPT", {})
        return {name: int(amount) for name, amount in sums.items() if int(amount)}

    def card(self, card: Json) -> Json:
        return self.get(f"/characters/{card['id']}")

    def order(self, order: Json) -> Json:
        return self.get(f"/mint-orders/{order['order_id']}")

    def cards(self) -> list[Json]:
        return list(self.get("/characters")["items"])

    def until(self, card: Json, within_s: float = PATIENCE_S, **shown: Any) -> Json:
        """The card once it shows this; `seen` of the answer is every state on the way."""
        seen: list[tuple[Any, ...]] = []

        def there() -> Json | None:
            now = self.card(card)
            state = tuple(now[name] for name in SHOWN)
            if not seen or seen[-1] != state:
                seen.append(state)
            match = all(now[name] == value for name, value in shown.items())
            return {**now, "seen": seen} if match else None

        try:
            return eventually(there, within_s)
        except AssertionError as late:
            names = self.stage.facts.names(card["id"])
            raise AssertionError(f"{late}: wanted {shown}, saw {seen}, events {names}") from None

    def until_done(self, card: Json, within_s: float = PATIENCE_S) -> Json:
        """Done, with its token."""

        def minted() -> Json | None:
            now = self.card(card)
            done = now["mint_ui_state"] == "done" and now["on_chain_token_id"]
            return now if done else None

        self.until(card, within_s, mint_ui_state="done")
        return eventually(minted, within_s)

    def gets(self, card: Json, **statement: int) -> Json:
        """Done: paid once, made once, and the statement says so."""
        done = self.until_done(card)
        self.stage.facts.check_delivered(done)
        price = int(self.order({"order_id": done["mint_order_id"]})["price"]["amount"])
        assert self.statement() == {"paid": price, "delivered": price, **statement}
        return done

    # The wallet.

    def send(self, transaction: Json, **more: Any) -> str:
        """Signs and sends; answers the hash, without waiting for a block."""
        data = str(transaction["data"])
        return self.stage.chain.send(self.wallet, transaction["to"], data, **more)

    def approve(self, order: Json) -> str:
        return self.send(order["transactions"]["approve"])

    def mint(self, order: Json, **more: Any) -> str:
        return self.send(order["transactions"]["mint"], **more)

    def pay(self, order: Json) -> str:
        """Approve and mint; the hash of the latter."""
        self.approve(order)
        return self.mint(order)

    def buys(self, role: str = "samurai", kind: str = "role") -> tuple[Json, Json]:
        """A character and its open order, both shown."""
        card = self.character(role, kind)
        return card, self.open(card)
