"""Somebody who climbs the levels of the running world: a fresh wallet, trades, badges, a socket."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import httpx
import orjson
from kafka import KafkaProducer
from solders.keypair import Keypair
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from cli.collector import PATIENCE_S, POLL_S, Collector

SOL = 10**9
TO_BEGIN_WITH = 2 * SOL


class Climber(Collector):
    """Its wallet has two SOL, from the devnet's own faucet."""

    def __init__(self, world: dict[str, Any]) -> None:
        super().__init__(world, Keypair())
        self.rpc("requestAirdrop", self.wallet, TO_BEGIN_WITH)

    def rpc(self, method: str, *params: Any) -> Any:
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = httpx.post(self.world["solana"]["rpc"], json=call).json()
        if "error" in answer:
            raise SystemExit(f"Solana refused {method}: {answer['error']['message']}")
        return answer["result"]

    # What the trading platform says of it, on Kafka.

    def trades(self, dollars: str) -> None:
        said = {"platform": "demo", "trade_id": secrets.token_hex(8), "volume_usd": dollars}
        self._say("trades", {**said, "traded_at": datetime.now(UTC).isoformat()})

    def earns(self, *badges: str) -> None:
        for badge in badges:
            said = {"badge_id": secrets.token_hex(8), "badge": badge, "action": "awarded"}
            self._say("badges", said)

    def _say(self, topic: str, said: dict[str, str]) -> None:
        producer = KafkaProducer(bootstrap_servers=self.world["kafka"]["bootstrap"])
        value = orjson.dumps({**said, "user_id": self.wallet})
        producer.send(topic, value, key=self.wallet.encode()).get(timeout=PATIENCE_S)
        producer.close()

    # The routes.

    def status(self) -> dict[str, Any]:
        return self.ask("GET", "/api/nft/status")

    def qualified(self) -> dict[str, Any]:
        """How far the next level is, once there is enough for it."""
        return self._until(lambda: self.status()["next"] or {}, lambda n: n.get("qualified"))

    def hand_in(self, told: dict[str, Any]) -> str:
        """The wallet's signature on what was prepared; returns the attempt's id."""
        prepared = told.get("transactionBase64") or told["burn_transactionBase64"]
        said = {"signedTransactionBase64": self.sign(prepared)}
        self.ask("POST", "/api/nft/transactions", {"upgrade_id": told["upgrade_id"], **said})
        return str(told["upgrade_id"])

    def send(self, told: dict[str, Any]) -> str:
        """Sent by the wallet itself, and told by its signature alone; returns the attempt's id."""
        raw = self.sign(told["burn_transactionBase64"])
        signature = self.rpc("sendTransaction", raw, {"encoding": "base64"})
        said = {"upgrade_id": told["upgrade_id"], "signature": signature}
        self.ask("POST", "/api/nft/transactions", said)
        return str(told["upgrade_id"])

    def upgrade(self, id_: str, *states: str) -> dict[str, Any]:
        """The attempt once it is in one of these states."""
        path = f"/api/nft/upgrades/{id_}"
        return self._until(lambda: self.ask("GET", path), lambda now: now["state"] in states)

    def _until(
        self, look: Callable[[], dict[str, Any]], there: Callable[[dict[str, Any]], Any]
    ) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE_S
        while not there(now := look()):
            if time.monotonic() > end:
                raise SystemExit(f"That took longer than {PATIENCE_S:.0f} s: {now}")
            time.sleep(POLL_S)
        return now

    # The socket.

    @contextmanager
    def listening(self, heard: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """While inside, every message of the socket goes to `heard` as it comes."""
        token = self.ask("POST", "/auth/socket-token", {})["token"]
        url = self.world["api"].replace("http", "ws", 1) + f"/ws?token={token}"
        with connect(url) as socket:

            def listen() -> None:
                try:
                    for message in socket:
                        heard(orjson.loads(message))
                except ConnectionClosed:
                    return

            thread = Thread(target=listen, name="listening", daemon=True)
            thread.start()
            yield
        thread.join(PATIENCE_S)
