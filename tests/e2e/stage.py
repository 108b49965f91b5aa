"""The application as it runs, on a stage of its own: api, projections and consumers as processes
over a fresh database, topics with a prefix, and a chain that the test mines.

`MEGA_ENV=test` gives the consumers their short pauses; the API is in development, for /auth/dev.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from threading import Event, Lock, Thread
from time import time
from typing import Any

import httpx
import psycopg
from kafka import KafkaProducer
from psycopg import sql

from tests.consumers.topic_reading import raw_producer
from tests.contracts.chain import Chain, encoded_call
from tests.e2e.canary import Canary
from tests.e2e.facts import Facts
from tests.e2e.vendors import Vendors
from tests.twins.control import Control
from tests.waiting import eventually
from tests.world import Child, TestWorld, start_child

PROCESSES = ("projections", "api", "consumers")
CONFIRMATIONS = 3
FINALITY = 12
FUNDS = 1_000_000_000
TICK_S = 0.12
HERE = "127.0.0.1"


class Miner:
    """Mines a block every `TICK_S` while it is let."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._may = Event()
        self._ended = Event()
        self._turn = Lock()
        self._thread = Thread(target=self._mine, name="miner", daemon=True)
        self._thread.start()

    def _mine(self) -> None:
        while not self._ended.wait(TICK_S):
            with self._turn:
                if self._may.is_set():
                    self._chain.mine()

    def run(self) -> None:
        self._may.set()

    def rest(self) -> None:
        """No block after this but the caller's."""
        self._may.clear()
        with self._turn:
            return

    @contextmanager
    def resting(self) -> Iterator[None]:
        self.rest()
        try:
            yield
        finally:
            self.run()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()


class Stage:
    """Processes by name in `children`; `rpc_urls` stand between them and the chain when given."""

    def __init__(
        self,
        world: TestWorld,
        folder: Path,
        stack: ExitStack,
        *,
        rpc_urls: Sequence[str] = (),
        chain: Chain | None = None,
        **settings: str,
    ) -> None:
        self.world, self._folder, self._stack = world, folder, stack
        self.database = stack.enter_context(world.database())
        self.prefix = f"e{secrets.token_hex(4)}."
        self.chain = chain or own_chain(world, stack)
        self.vendors = Vendors(world, self.prefix, folder, self.chain.url)
        stack.callback(self.vendors.stop)
        self.facts = Facts(self)
        self.canary = Canary()
        self._ahead_s = 0
        self._children: dict[str, Child] = {}
        self._env = {**self._settings(rpc_urls or (self.chain.url,)), **settings}
        self.client = stack.enter_context(httpx.Client(base_url=self.api, timeout=20))
        self._funding = Lock()
        self._bank = owner_of(self.chain)
        self.miner = Miner(self.chain)
        stack.callback(self.miner.end)
        self._keep_commits()
        stack.callback(self.stop)
        self.power_up()

    def _settings(self, rpc_urls: Sequence[str]) -> dict[str, str]:
        place = self.world.place
        port = f"api_{self.prefix}"
        place.ports.reserve(port)
        self.api = f"http://{HERE}:{place.ports[port]}"
        contracts = self.chain.contracts
        told = self._folder / "world.json"
        told.write_text(json.dumps({"twins": self.vendors.urls}))
        return {
            **self.world.environment(),
            **self.world.gives("kafka"),
            **self.world.gives("s3"),
            **self.world.gives("twins"),
            **self.vendors.gives(),
            "MEGA_WORLD_FILE": str(told),
            "DATABASE_URL": self.database.url,
            "MEGA_TOPIC_PREFIX": self.prefix,
            "MEGA_PORT": str(place.ports[port]),
            "MEGA_PUBLIC_URL": self.api,
            "MEGA_KLING_CALLBACK_SECRET": "kling-calls-back-0123456789",
            "EVM_RPC_URLS": ",".join(rpc_urls),
            "EVM_CONFIRMATIONS": str(CONFIRMATIONS),
            "EVM_FINALITY_BLOCKS": str(FINALITY),
            "PAYMENT_TOKEN_ADDRESS": contracts["payment_token"],
            "PAYMENT_TREASURY": contracts["treasury"],
            "ROLE_MINT_ADDRESS": contracts["role_mint"],
            "MINT_SIGNER_KEY": contracts["minter_key"],
            "USDC_ADDRESS": contracts["usdc"],
            "GEOPLETS_ADDRESS": contracts["geoplets"],
            "VOUCHER_SIGNER_KEY": contracts["voucher_signer_key"],
            "MEGA_X402_PAY_TO": contracts["pay_to"],
        }

    def _keep_commits(self) -> None:
        """Tests run PostgreSQL without waiting for its disk; a killed one may then forget."""
        with psycopg.connect(self.database.superuser_url, autocommit=True) as connection:
            keep = sql.SQL("ALTER DATABASE {} SET synchronous_commit = on")
            connection.execute(keep.format(sql.Identifier(self.database.name)))

    # Processes.

    def start(self, name: str) -> None:
        env = {**self._env, "MEGA_ENV": "dev" if name == "api" else "test"}
        self._children[name] = start_child((name,), env, self._folder)

    def ready(self, name: str) -> None:
        child = self._children[name]

        def is_ready() -> bool:
            assert child.poll() is None, child.log.read_text()
            if name == "api":
                return self._answers()
            return f"{name}_ready" in child.log.read_text()

        eventually(is_ready, 40)

    def _answers(self) -> bool:
        try:
            return self.client.get("/healthz").is_success
        except httpx.TransportError:
            return False

    def kill(self, name: str) -> None:
        """kill -9, and up again."""
        self._children[name].kill()
        self.start(name)

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """kill -9, and up again after the block."""
        self._children[name].kill()
        try:
            yield
        finally:
            self.start(name)
            self.ready(name)

    def cut_power(self) -> None:
        """kill -9 of everything."""
        for child in self._children.values():
            child.kill()

    def power_up(self) -> None:
        for name in PROCESSES:
            self.start(name)
        for name in PROCESSES:
            self.ready(name)
        self.vendors.ready()

    def stop(self) -> None:
        for child in reversed(self._children.values()):
            if child.poll() is None:
                child.stop()

    # What stands around it.

    @property
    def settings(self) -> Mapping[str, str]:
        """What its processes are told."""
        return self._env

    @cached_property
    def producer(self) -> KafkaProducer:
        """Of those who tell our topics about trades and badges."""
        return self._stack.enter_context(raw_producer(self._env["KAFKA_BOOTSTRAP_SERVERS"]))

    @property
    def twin(self) -> Control:
        """The Seedream twin, which all tests share."""
        return Control(self._env["SEEDREAM_URL"])

    def wallet(self) -> str:
        """A fresh address that the node signs for, with money of both kinds."""
        address = "0x" + secrets.token_hex(20)
        with self._funding:
            self.chain.call("anvil_setBalance", address, hex(10**20))
            faucet = "0x" + encoded_call("mint(address,uint256)", address, FUNDS)
            self.chain.send(self._bank, self.chain.token, faucet)
            self.chain.mine()
        return address

    def give_dollars(self, address: str, amount: int) -> None:
        """USDC, and the ether to send with, for an address that the node signs for."""
        data = "0x" + encoded_call("transfer(address,uint256)", address, amount)
        with self._funding:
            self.chain.call("anvil_setBalance", address, hex(10**20))
            self.chain.send(self.chain.wallet(), self.chain.contracts["usdc"], data)
            self.chain.mine()

    def advance_clock(self, seconds: int) -> None:
        self.client.post("/dev/clock", json={"advance_s": seconds}).raise_for_status()
        self._ahead_s += seconds

    def now(self) -> int:
        """By the application's clock, in unix seconds."""
        return int(time()) + self._ahead_s

    def logs(self) -> list[Path]:
        """What every process wrote, those that were killed too."""
        return sorted(self._folder.glob("*.log"))


def own_chain(world: TestWorld, stack: ExitStack) -> Chain:
    """A chain with our contracts that mines only when it is told to and signs for anybody."""
    made = stack.enter_context(world.chain())
    chain = Chain(made.rpc_url, made.contracts)
    chain.steer()
    chain.call("anvil_autoImpersonateAccount", True)
    stack.enter_context(chain.mining_by_hand())
    return chain


def owner_of(chain: Chain) -> str:
    """Who may make payment tokens, with the gas to do so."""
    owner = "0x" + chain.view(chain.token, "owner()")[-20:].hex()
    chain.call("anvil_setBalance", owner, hex(10**20))
    return owner


@contextmanager
def open_stage(world: TestWorld, folder: Path, **options: Any) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield Stage(world, folder, stack, **options)
