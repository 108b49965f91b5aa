"""Somebody who climbs the levels: a pass with a Solana wallet whose key is here."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import msgspec
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from spl.token import instructions as spl
from spl.token import models
from spl.token.constants import TOKEN_PROGRAM_ID as TOKEN
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from consumers.gateways import solana_wire as wire
from domain.levels import DEFAULT_LEVELS
from tests.e2e.browser import PATIENCE_S, Browser, Json
from tests.e2e.facts import Fact
from tests.e2e.minter import SOL, signed_by, solana
from tests.e2e.stage import Stage
from tests.waiting import eventually

FEE = 5_000
PREPARED = ("transactionBase64", "burn_transactionBase64")


class Climber(Browser):
    """`told` stands for the answer of an unlock or upgrade."""

    def __init__(self, stage: Stage, *, sol: int = 2) -> None:
        self.keypair = Keypair()
        self.wallet = str(self.keypair.pubkey())
        self._volume = self._badges = 0
        super().__init__(stage, f"c{secrets.token_hex(6)}", wallets=[self.wallet])
        if sol:
            self.fund(sol * SOL)

    # What the trading platform says.

    def trades(self, dollars: str) -> None:
        said = {"platform": "okx", "trade_id": secrets.token_hex(8), "volume_usd": dollars}
        self._say("trades", {**said, "traded_at": datetime.now(UTC).isoformat()})

    def earns(self, count: int) -> None:
        for _ in range(count):
            said = {"badge_id": secrets.token_hex(8), "badge": f"badge {secrets.token_hex(2)}"}
            self._say("badges", {**said, "action": "awarded"})

    def qualifies(self, level: int) -> None:
        """Just so, and seen."""
        asked: Json = DEFAULT_LEVELS[level - 1]
        self.trades(str(int(asked["volume_usd"]) - self._volume))
        self.earns(asked["badges"])
        self._volume = int(asked["volume_usd"])
        self._badges += asked["badges"]
        eventually(lambda: self.next_level() == level, PATIENCE_S)

    def next_level(self) -> int:
        """For which there is enough; 0: for none."""
        told = self.status()["next"]
        return int(told["level"]) if told and told["qualified"] else 0

    def _say(self, topic: str, said: dict[str, str]) -> None:
        value = msgspec.json.encode({**said, "user_id": self.wallet})
        name = self.stage.prefix + topic
        self.stage.producer.send(name, value, key=self.wallet.encode()).get(timeout=PATIENCE_S)

    # The routes.

    def status(self) -> Json:
        return self.get("/api/nft/status")

    def ask_for(self, kind: str) -> Json:
        return self.post(f"/api/nft/{kind}")

    def hand_in(self, told: Json) -> str:
        """The wallet's signature on what was prepared; returns the attempt's id."""
        self.tell(told, signedTransactionBase64=self.sign(told))
        return str(told["upgrade_id"])

    def tell(self, told: Json, **said: str) -> Json:
        return self.post("/api/nft/transactions", {"upgrade_id": told["upgrade_id"], **said})

    def attempt(self, id_: str) -> Json:
        return self.get(f"/api/nft/upgrades/{id_}")

    def until(self, id_: str, *states: str, within_s: float = PATIENCE_S) -> Json:
        """The attempt, once it is in one of these states."""

        def there() -> Json | None:
            now = self.attempt(id_)
            return now if now["state"] in states else None

        found = eventually(there, within_s, every_s=0.1)
        self.catch_up()
        return found

    def unlocks(self) -> Json:
        self.qualifies(1)
        return self.until(self.hand_in(self.ask_for("unlock")), "minted")

    def wants(self, level: int) -> Json:
        """The burn to sign for a level that it now qualifies for."""
        self.qualifies(level)
        return self.ask_for("upgrade")

    # The wallet and the chain.

    def sign(self, told: Json) -> str:
        prepared = next(told[name] for name in PREPARED if name in told)
        return signed_by(self.keypair, prepared)

    def broadcast(self, told: Json) -> str:
        """Sent by the wallet itself, without a word to us; its signature."""
        return str(self.rpc("sendTransaction", self.sign(told), {"encoding": "base64"}))

    def sends(self, *instructions: Instruction) -> str:
        """A transaction that is none of ours; its signature."""
        recent = Hash.from_string(self.rpc("getLatestBlockhash")["value"]["blockhash"])
        message = MessageV0.try_compile(self.keypair.pubkey(), instructions, [], recent)
        raw = base64.b64encode(bytes(VersionedTransaction(message, [self.keypair]))).decode()
        how = {"encoding": "base64", "preflightCommitment": "processed"}
        return str(self.rpc("sendTransaction", raw, how))

    def burns(self, mint: str, upgrade_id: str = "") -> str:
        """In the wallet's own words, for an attempt or for none."""
        at = Pubkey.from_string(mint)
        mine = spl.get_associated_token_address(self.keypair.pubkey(), at)
        by: dict[str, Any] = {"program_id": TOKEN, "account": mine, "owner": self.keypair.pubkey()}
        said = [wire.memo(f"mega:burn:{upgrade_id}")] if upgrade_id else []
        return self.sends(*said, spl.burn(models.BurnParams(**by, mint=at, amount=1)))

    def gives(self, mint: str, other: Climber) -> str:
        """The token of a mint, to somebody else's wallet."""
        at, mine, theirs = Pubkey.from_string(mint), self.keypair.pubkey(), other.keypair.pubkey()
        there = spl.get_associated_token_address(theirs, at)
        moved = models.TransferCheckedParams(
            program_id=TOKEN,
            source=spl.get_associated_token_address(mine, at),
            mint=at,
            dest=there,
            owner=mine,
            amount=1,
            decimals=0,
        )
        opened = spl.create_idempotent_associated_token_account(mine, theirs, at)
        return self.sends(opened, spl.transfer_checked(moved))

    def fund(self, lamports: int) -> None:
        """Confirmed, so that nobody thinks the wallet still empty."""
        self.rpc("requestAirdrop", self.wallet, lamports)
        eventually(lambda: self.lamports("confirmed") >= lamports)

    def lamports(self, commitment: str = "processed") -> int:
        return int(self.rpc("getBalance", self.wallet, {"commitment": commitment})["value"])

    def empty(self) -> None:
        """Not a lamport is left."""
        rest, mine = self.lamports() - FEE, self.keypair.pubkey()
        away = {"from_pubkey": mine, "to_pubkey": Keypair().pubkey(), "lamports": rest}
        self.sends(transfer(TransferParams(**away)))
        eventually(lambda: self.lamports("confirmed") == 0)

    def rpc(self, method: str, *params: Any) -> Any:
        return solana(self.stage, method, *params)

    # What the witnesses say.

    def names(self) -> list[str]:
        return [fact.name for fact in self.facts()]

    def facts(self) -> list[Fact]:
        return self.stage.facts.of_streams(f"upgrade:{self.pass_id}")

    def held(self) -> list[str]:
        """The mints whose token is in the wallet now."""
        how = {"encoding": "jsonParsed", "commitment": "processed"}
        found = self.rpc("getTokenAccountsByOwner", self.wallet, {"programId": str(TOKEN)}, how)
        told = [each["account"]["data"]["parsed"]["info"] for each in found["value"]]
        return [each["mint"] for each in told if each["tokenAmount"]["amount"] != "0"]

    def history(self, mint: str) -> list[Json]:
        """Finalized transactions with this mint in them."""
        return list(self.rpc("getSignaturesForAddress", mint))

    # Live events.

    @contextmanager
    def listening(self) -> Iterator[list[Json]]:
        """What comes over the socket, as long as the block lasts."""
        heard: list[Json] = []
        token = self.post("/auth/socket-token")["token"]
        url = f"{self.stage.api.replace('http', 'ws', 1)}/ws?token={token}"
        with connect(url, proxy=None) as socket:

            def listen() -> None:
                try:
                    heard.extend(map(msgspec.json.decode, socket))
                except ConnectionClosed:
                    return

            thread = Thread(target=listen, name="listening", daemon=True)
            thread.start()
            yield heard
        thread.join(PATIENCE_S)
