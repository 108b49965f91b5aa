"""A wallet in front of the API and of the chain, as a browser would be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils import to_checksum_address

GAS = 400_000
GWEI = 10**9


class Buyer:
    """Signs with the first wallet of the world; ends with a sentence when it is refused."""

    def __init__(self, world: dict[str, Any]) -> None:
        self.world = world
        self.wallet = Account.from_key(world["wallets"][0]["private_key"])
        self.http = httpx.Client(base_url=world["api"], timeout=15)
        self._position = 0

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
        """One request; a look waits until it shows the last change."""
        look = {"min_position": self._position} if method == "GET" else None
        answer = self.http.request(method, path, json=body, params=look)
        self._position = max(self._position, int(answer.headers.get("X-Ledger-Position", 0)))
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
