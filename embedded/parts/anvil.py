"""The EVM node: anvil from npm, with Base's chain id, a block a second and its state on disk."""

from __future__ import annotations

import asyncio
import json
import platform
import shutil
from collections.abc import Mapping
from dataclasses import asdict

import httpx

from embedded.parts.part import Part
from embedded.place import Place, WorldError, read_json, write_atomically
from embedded.process import Command

CHAIN_ID = 8453
BLOCK_TIME_S = 1

# A killed node forgets at most the blocks of this many seconds: fewer than EVM_CONFIRMATIONS, so
# that nothing confirmed is ever lost. Historical states are not kept: they take 200 KB a block.
STATE_INTERVAL_S = 2

# Settings and the names under which embedded/deploy.py writes them to contracts.json.
CONTRACTS = {
    "PAYMENT_TOKEN_ADDRESS": "payment_token",
    "PAYMENT_TREASURY": "treasury",
    "ROLE_MINT_ADDRESS": "role_mint",
    "MINT_SIGNER_KEY": "minter_key",
    "USDC_ADDRESS": "usdc",
    "GEOPLETS_ADDRESS": "geoplets",
    "VOUCHER_SIGNER_KEY": "voucher_signer_key",
    "MEGA_X402_PAY_TO": "pay_to",
}

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class Anvil(Part):
    name = "anvil"

    def __init__(self, place: Place, *, block_time_s: int | None = BLOCK_TIME_S) -> None:
        """`block_time_s=None` mines each transaction at once, for tests that steer the mining."""
        self._place = place
        self._folder = place.data / "anvil"
        self._block_time_s = block_time_s
        system = f"{platform.system().lower()}-{_ARCHITECTURES.get(platform.machine(), 'amd64')}"
        package = f"node_modules/@foundry-rs/anvil-{system}/bin/anvil"
        self._program = place.tools / "anvil" / package

    def ports(self) -> tuple[str, ...]:
        return ("anvil",)

    async def prepare(self) -> None:
        self._folder.mkdir(exist_ok=True)
        if not self._program.exists():
            raise WorldError(f"There is no anvil at {self._program}; run `make setup`.")
        # anvil does not write its state atomically; half a file is replaced by the last whole one.
        state, whole = self._folder / "state.json", self._folder / "state.whole.json"
        if state.exists() and _whole(state.read_bytes()):
            shutil.copyfile(state, whole)
        elif whole.exists():
            shutil.copyfile(whole, state)
        else:
            state.unlink(missing_ok=True)

    def command(self, env: Mapping[str, str]) -> Command:
        options = {
            "host": "127.0.0.1",
            "port": str(self._place.ports["anvil"]),
            "chain-id": str(CHAIN_ID),
            "accounts": "10",
            "balance": "100",
            "state": str(self._folder / "state.json"),
            "state-interval": str(STATE_INTERVAL_S),
            "cache-path": str(self._folder / "cache"),
        }
        if self._block_time_s is not None:
            options["block-time"] = str(self._block_time_s)
        words = (word for name, value in options.items() for word in (f"--{name}", value))
        return Command((str(self._program), *words, "--quiet"))

    async def healthy(self) -> bool:
        question = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
        try:
            async with httpx.AsyncClient(timeout=2, verify=False) as client:
                answer = await client.post(self.where(), json=question)
        except httpx.TransportError:
            return False
        return answer.is_success and answer.json().get("result") == hex(CHAIN_ID)

    async def furnish(self) -> None:
        """After every start, because a killed node may have come back without its last seconds."""
        await asyncio.to_thread(self._deploy)

    def _deploy(self) -> None:
        # A second of imports, which is spent in this thread while other parts start.
        from embedded.deploy import DeployFailed, deploy
        from embedded.deploy_plan import dev_wallets

        try:
            deploy(self.where(), self._place.data)
        except DeployFailed as failure:
            raise WorldError(f"The development contracts were not deployed: {failure}.") from None
        if not self._place.wallets_file.exists():
            wallets = [{"kind": "evm", **asdict(wallet)} for wallet in dev_wallets()]
            text = json.dumps({"wallets": wallets}, indent=1)
            write_atomically(self._place.wallets_file, text, mode=0o600)

    def gives(self) -> dict[str, str]:
        given = {"EVM_RPC_URLS": self.where(), "EVM_CHAIN_ID": str(CHAIN_ID)}
        contracts = read_json(self._place.contracts_file)
        return given | {setting: contracts[key] for setting, key in CONTRACTS.items() if contracts}

    def where(self) -> str:
        return f"http://127.0.0.1:{self._place.ports['anvil']}"


def _whole(text: bytes) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True
