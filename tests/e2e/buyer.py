"""Somebody who buys: a pass with a wallet, as their browser asks and their wallet signs.

Every request that changes something has a key and is asked again while nobody answers, and every
look waits for the last change, as the contract tells frontends to do.
"""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import stamina

from tests.e2e.stage import Stage
from tests.waiting import eventually

Json = dict[str, Any]
PATIENCE_S = 45.0
SHOWN = (
    "mint_ui_state",
    "mint_order_status",
    "image_status",
    "mint_paid",
    "mint_has_tx",
    "wallet_step",
)


class Buyer:
    def __init__(self, stage: Stage, *, wallet: str = "") -> None:
        self.stage = stage
        self.wallet = wallet or stage.wallet()
        self.name = f"b{secrets.token_hex(6)}"
        self._position = 0
        self._client = httpx.Client(base_url=stage.api, timeout=20)
        self.sign_in()

    def sign_in(self, scope: str = "user auditor") -> None:
        """A new token: what was signed in before is forgotten here, not there."""
        body = {"user_id": self.name, "wallets": [self.wallet], "scope": scope}
        answer = self.ask("POST", "/auth/dev", json=body).json()
        self.pass_id = answer["pass_id"]
        self._client.headers["authorization"] = f"Bearer {answer['access_token']}"

    # The browser.

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        for attempt in stamina.retry_context(
            on=httpx.TransportError, attempts=None, timeout=30, wait_initial=0.05, wait_max=0.5
        ):
            with attempt:
                return self._client.request(method, path, **more)
        raise AssertionError("stamina always returns or raises")

    def post(self, path: str, body: Any = None, *, status: int | None = None) -> Json:
        key = {"idempotency-key": secrets.token_hex(8)}
        answer = self.ask("POST", path, json=body or {}, headers=key)
        wanted = answer.is_success if status is None else answer.status_code == status
        assert wanted, f"{path}: {answer.status_code} {answer.text}"
        self._position = int(answer.headers.get("x-ledger-position", self._position))
        return dict(answer.json())

    def get(self, path: str, **params: Any) -> Json:
        """What I wrote last is in it; a projection that is behind is asked again."""

        def asked() -> httpx.Response | None:
            query = httpx.QueryParams(**params, min_position=self._position)
            answer = self.ask("GET", path, params=query)
            return None if answer.status_code == 503 else answer

        answer = eventually(asked, PATIENCE_S)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

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
