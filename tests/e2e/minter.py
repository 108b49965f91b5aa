"""Somebody who mints PFPs: a pass with a Solana wallet whose key is here."""

from __future__ import annotations

import base64
import secrets
from typing import Any

import httpx
from solders.keypair import Keypair
from solders.message import to_bytes_versioned
from solders.transaction import VersionedTransaction

from tests.e2e.browser import PATIENCE_S, Browser, Json
from tests.e2e.stage import Stage
from tests.twins.control import HTTP
from tests.waiting import eventually

SOL = 10**9
PRICE = 50_000_000


class Minter(Browser):
    def __init__(self, stage: Stage, *, sol: int = 5, allowed: int = 10) -> None:
        self.keypair = Keypair()
        self.wallet = str(self.keypair.pubkey())
        super().__init__(stage, f"m{secrets.token_hex(6)}", wallets=[self.wallet])
        if sol:
            self.rpc("requestAirdrop", self.wallet, sol * SOL)
        if allowed:
            self.allow(allowed)

    def allow(self, allowed: int) -> None:
        self.sign_in("user admin")
        items = [{"wallet": self.wallet, "allowed": allowed}]
        self.post("/admin/allowlist", {"items": items})
        self.sign_in()

    # The routes.

    def prepare(self, quantity: int) -> Json:
        return self.post("/pfp/prepare-batch", {"quantity": quantity})

    def confirm(self, batch_id: str, signed: str | None, **more: Any) -> Json:
        body = {"batchId": batch_id, "signedTransactionBase64": signed, **more}
        return self.post("/pfp/confirm-batch", body)

    def ask_mint(self, batch_id: str) -> Json:
        return self.post("/pfp/mint-from-batch", {"batchId": batch_id})

    def status(self) -> Json:
        return self.get("/pfp/status")

    def batch(self, batch_id: str) -> Json:
        return self.get(f"/pfp/batches/{batch_id}")

    def until(self, batch_id: str, *statuses: str, within_s: float = PATIENCE_S) -> Json:
        def there() -> Json | None:
            now = self.batch(batch_id)
            return now if now["status"] in statuses else None

        return eventually(there, within_s, every_s=0.1)

    def buys(self, quantity: int, **more: Any) -> Json:
        """A batch that is prepared, signed, handed in and paid."""
        told = self.prepare(quantity)
        if told["transactionBase64"]:
            self.confirm(told["batchId"], self.sign(told), **more)
        return self.until(told["batchId"], "paid", "minting", "complete")

    def mints(self, batch_id: str) -> Json:
        """One token; it must succeed."""
        answer = self.ask_mint(batch_id)
        assert answer["success"], answer
        return dict(answer["minted"])

    # The wallet and the chain.

    def sign(self, told: Json) -> str:
        """The transaction of an answer with our signature in its place, in base64."""
        return signed_by(self.keypair, told["transactionBase64"])

    def rpc(self, method: str, *params: Any) -> Any:
        return solana(self.stage, method, *params)

    def lamports(self) -> int:
        return int(self.rpc("getBalance", self.wallet, {"commitment": "processed"})["value"])

    def broadcast(self, told: Json) -> str:
        """Sent by the wallet itself, without a word to us."""
        return str(self.rpc("sendTransaction", self.sign(told), {"encoding": "base64"}))

    # What the witnesses say.

    def owned(self) -> list[str]:
        """The tokens that the chain says are ours."""
        steer = self.stage.vendors["solana"]
        return [
            item["asset_id"] for item in steer.get("ledger") if item.get("owner") == self.wallet
        ]

    def statement(self, asset: str = "SOL") -> dict[str, int]:
        """What I paid and what became of it; only what is not zero."""
        assets = self.get("/me/statement")["statement"]["assets"]
        return {name: int(n) for name, n in assets.get(asset, {}).items() if int(n)}


def solana(stage: Stage, method: str, *params: Any) -> Any:
    """The devnet of a stage, asked as anybody may."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    answer: httpx.Response = HTTP.post(stage.vendors.urls["solana"], json=body)
    told = answer.raise_for_status().json()
    assert "error" not in told, told
    return told["result"]


def signed_by(keypair: Keypair, transaction: str) -> str:
    """A v0 transaction with the signature of one more of its signers."""
    prepared = VersionedTransaction.from_bytes(base64.b64decode(transaction))
    message, signatures = prepared.message, list(prepared.signatures)
    place = list(message.account_keys).index(keypair.pubkey())
    signatures[place] = keypair.sign_message(to_bytes_versioned(message))
    whole = VersionedTransaction.populate(message, signatures)
    return base64.b64encode(bytes(whole)).decode()


def id_of(told: Json) -> str:
    """The signature that names the transaction of an answer: ours, the first."""
    raw = base64.b64decode(told["transactionBase64"])
    return str(VersionedTransaction.from_bytes(raw).signatures[0])
