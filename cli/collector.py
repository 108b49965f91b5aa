"""A collector of PFPs: a Solana wallet of the world in front of the API, as a page would be."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime
from typing import Any

import httpx
from solders.keypair import Keypair
from solders.message import to_bytes_versioned
from solders.transaction import VersionedTransaction

PATIENCE_S = 90.0
POLL_S = 0.3


def wallet_of(world: dict[str, Any], number: int) -> Keypair:
    """The key of one of the world's Solana wallets."""
    wallets = [each for each in world["wallets"] if each["kind"] == "solana"]
    return Keypair.from_base58_string(wallets[number]["private_key"])


class Collector:
    """Signs with `keypair`; ends with a sentence when it is refused. A look waits until it shows
    the last change."""

    def __init__(self, world: dict[str, Any], keypair: Keypair) -> None:
        self.world, self.keypair = world, keypair
        self.wallet = str(self.keypair.pubkey())
        self.http = httpx.Client(base_url=world["api"], timeout=PATIENCE_S)
        self._position = 0

    def sign_in(self) -> str:
        """Signs in with Solana; returns the pass id."""
        nonce = self.ask("POST", "/auth/nonce", {})["nonce"]
        host = self.world["public_host"]
        issued = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        text = (
            f"{host} wants you to sign in with your Solana account:\n{self.wallet}\n\n"
            f"Sign in to MEGA.\n\nURI: http://{host}/\nVersion: 1\nNonce: {nonce}\n"
            f"Issued At: {issued}"
        )
        signature = str(self.keypair.sign_message(text.encode()))
        proof = {"address": self.wallet, "message": text, "signature": signature}
        answer = self.ask("POST", "/auth/siws", proof)
        self.http.headers["Authorization"] = f"Bearer {answer['access_token']}"
        return str(answer["pass_id"])

    def leave(self) -> None:
        self.http.headers.pop("Authorization")
        self.http.cookies.clear()

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        look = {"min_position": self._position} if method == "GET" else None
        answer = self.http.request(method, path, json=body, params=look)
        self._position = max(self._position, int(answer.headers.get("X-Ledger-Position", 0)))
        found: dict[str, Any] = answer.json()
        if answer.is_error:
            raise SystemExit(f"{method} {path} answered {answer.status_code}: {found['detail']}")
        return found

    def sign(self, transaction: str) -> str:
        """The wallet's signature in the place that the server left for it."""
        prepared = VersionedTransaction.from_bytes(base64.b64decode(transaction))
        message, signatures = prepared.message, list(prepared.signatures)
        place = list(message.account_keys).index(self.keypair.pubkey())
        signatures[place] = self.keypair.sign_message(to_bytes_versioned(message))
        return base64.b64encode(bytes(VersionedTransaction.populate(message, signatures))).decode()

    def until(self, batch_id: str, *statuses: str) -> dict[str, Any]:
        """The batch once it is in one of these states."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            batch = self.ask("GET", f"/pfp/batches/{batch_id}")
            if batch["status"] in statuses:
                return batch
            time.sleep(POLL_S)
        raise SystemExit(f"The batch {batch_id} was not {' or '.join(statuses)} in time: {batch}")

    def steer(self, twin: str, call: str, body: dict[str, Any]) -> None:
        """Tells a twin of the world how to behave."""
        httpx.post(f"{self.world['twins'][twin]}/_twin/{call}", json=body).raise_for_status()

    def allow(self, more: int) -> None:
        """Room for `more` tokens: development lets anybody be an administrator."""
        slots = self.ask("GET", "/pfp/status")["slots"]
        if slots["allowed"] - slots["used"] - slots["reserved"] >= more:
            return
        asked = {"user_id": "demo", "scope": "admin"}
        token = httpx.post(f"{self.world['api']}/auth/dev", json=asked).json()["access_token"]
        allowed = slots["used"] + slots["reserved"] + more
        httpx.post(
            f"{self.world['api']}/admin/allowlist",
            json={"items": [{"wallet": self.wallet, "allowed": allowed}]},
            headers={"Authorization": f"Bearer {token}"},
        ).raise_for_status()
