"""The vendors of one stage: those who settle x402 payments, an OpenAI, a Solana and its vaults.

Each is a twin in one process of this stage's own, so what they did and what time it is there is its
own, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import httpx

from embedded.solana import genesis
from tests.twins.control import Control
from tests.waiting import eventually
from tests.world import Child, TestWorld, start_child

NAMES = ("x402_facilitator", "onchainfi", "openai", "kling", "solana", "irys", "ipfs")
SLOT_MS, FINALITY_SLOTS = 100, 4
HERE = "127.0.0.1"
KLING_KEYS = {"KLING_ACCESS_KEY": "ak-test", "KLING_SECRET_KEY": "sk-test-0123456789abcdef01234567"}


class Vendors:
    """`rpc_url` is the chain on which payments are settled."""

    def __init__(self, world: TestWorld, prefix: str, folder: Path, rpc_url: str) -> None:
        self._folder = folder
        names = {name: f"twin_{prefix}{name}" for name in NAMES}
        world.place.ports.reserve(*names.values())
        self._ports = {name: world.place.ports[port] for name, port in names.items()}
        self._rpc_url = rpc_url
        self._child: Child | None = None
        self.start()

    @property
    def urls(self) -> dict[str, str]:
        return {name: f"http://{HERE}:{port}" for name, port in self._ports.items()}

    def gives(self) -> Mapping[str, str]:
        """The settings that lead here."""
        return {
            "MEGA_FACILITATOR": "onchainfi",
            "MEGA_X402_FACILITATOR_URL": self.urls["x402_facilitator"],
            "MEGA_ONCHAINFI_URL": self.urls["onchainfi"],
            "MEGA_ONCHAINFI_KEY": "ofi_test_key",
            "OPENAI_URL": self.urls["openai"],
            "OPENAI_KEY": "sk-test-key",
            "KLING_URL": self.urls["kling"],
            **KLING_KEYS,
            "SOLANA_RPC_URLS": self.urls["solana"],
            "SOLANA_AUTHORITY_KEY": genesis.authority().private_key,
            "SOLANA_TREASURY": genesis.treasury().address,
            "IRYS_URL": self.urls["irys"],
            "IPFS_URLS": "{ipfs},{ipfs}/backup".format(**self.urls),
            "IPFS_GATEWAY_URL": f"{self.urls['ipfs']}/ipfs",
        }

    def __getitem__(self, name: str) -> Control:
        return Control(self.urls[name])

    def start(self) -> None:
        env = {
            **KLING_KEYS,
            "MEGA_TWIN_PORTS": json.dumps(self._ports),
            "MEGA_TWIN_DIR": str(self._folder / "vendors"),
            "EVM_RPC_URLS": self._rpc_url,
            "MEGA_TWIN_SOLANA_SLOT_MS": str(SLOT_MS),
            "MEGA_TWIN_SOLANA_FINALITY_SLOTS": str(FINALITY_SLOTS),
        }
        self._child = start_child(("embedded.twins",), env, self._folder)

    def ready(self) -> None:
        eventually(self._answers, 40)

    def kill(self) -> None:
        """kill -9: nobody listens at their addresses until `start`. They remember what they did."""
        assert self._child is not None
        self._child.kill()

    def stop(self) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.stop()

    def reset(self) -> None:
        """No script, no behaviour; the ledgers stay."""
        for name in NAMES:
            self[name].reset()

    def leave_pending(self) -> None:
        """From now on no settlement is carried out, and all are said to be on their way."""
        no = {"success": False, "errorReason": "settlement_pending", "transaction": ""}
        yes = {"success": True, "settled": False, "reason": "settlement_pending"}
        said = {"x402_facilitator": no, "onchainfi": {"status": "success", "data": yes}}
        for name, body in said.items():
            rule = {"match": {"path": "/settle"}, "times": 1_000, "effect": "none"}
            self[name].script(**rule, response={"status": 200, "body": body})

    def settled(self, payer: str) -> list[int]:
        """What the facilitator moved for a payer, by its own ledger: amounts, oldest first."""
        items = self["x402_facilitator"].get("ledger")
        return [int(item["amount"]) for item in items if item["payer"] == payer]

    def pictures(self, prompt: str) -> int:
        """How many pictures were billed for a prompt."""
        return [item["prompt"] for item in self["openai"].billed()].count(prompt)

    def _answers(self) -> bool:
        assert self._child is not None and self._child.poll() is None, self._child
        try:
            return httpx.get(f"{self.urls['onchainfi']}/_twin/script").is_success
        except httpx.TransportError:
            return False
