from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from embedded.place import CHECKOUT
from tests.contracts.chain import Chain
from tests.twins.control import Control
from tests.world import TestWorld


class TwinProcess:
    """`python -m embedded.twins` of one test; may be killed and started again on its ports."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.settings = dict(settings or {})
        self.ports: dict[str, int] = {}
        self.start()

    def start(self) -> None:
        env = {**os.environ, "MEGA_TWIN_DIR": str(self.folder), "PYTHONPATH": str(CHECKOUT)}
        env |= self.settings
        if self.ports:
            env["MEGA_TWIN_PORTS"] = json.dumps(self.ports)
        self._child = subprocess.Popen(
            (sys.executable, "-m", "embedded.twins"), env=env, stdout=subprocess.PIPE
        )
        assert self._child.stdout is not None
        self.ports = json.loads(self._child.stdout.readline())

    def end(self, how: signal.Signals) -> int:
        self._child.send_signal(how)
        return self._child.wait(10)

    def control(self, name: str) -> Control:
        return Control(f"http://127.0.0.1:{self.ports[name]}")


@pytest.fixture(scope="session")
def twin_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwinProcess]:
    process = TwinProcess(tmp_path_factory.mktemp("twins"))
    yield process
    process.end(signal.SIGTERM)


@pytest.fixture
def own_process(tmp_path: Path) -> Iterator[TwinProcess]:
    """A process that the test may kill."""
    process = TwinProcess(tmp_path)
    yield process
    process.end(signal.SIGTERM)


@pytest.fixture
def seedream(twin_process: TwinProcess) -> Control:
    control = twin_process.control("seedream")
    control.reset()
    return control


@pytest.fixture
def openai(twin_process: TwinProcess) -> Control:
    control = twin_process.control("openai")
    control.reset()
    return control


@dataclass(frozen=True)
class Payments:
    """A chain that mines by itself, and the twins that settle on it."""

    chain: Chain
    twins: TwinProcess
    facilitator: Control
    onchainfi: Control


@pytest.fixture(scope="module")
def process_on_a_chain(
    world: TestWorld, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Chain, TwinProcess]]:
    with world.chain() as made:
        ports = {"x402_facilitator": 0, "onchainfi": 0}
        settings = {"EVM_RPC_URLS": made.rpc_url, "MEGA_TWIN_PORTS": json.dumps(ports)}
        process = TwinProcess(tmp_path_factory.mktemp("payments"), settings)
        yield Chain(made.rpc_url, made.contracts), process
        process.end(signal.SIGTERM)


@pytest.fixture
def payments(process_on_a_chain: tuple[Chain, TwinProcess]) -> Payments:
    chain, process = process_on_a_chain
    facilitator, onchainfi = map(process.control, ("x402_facilitator", "onchainfi"))
    facilitator.reset()
    onchainfi.reset()
    return Payments(chain, process, facilitator, onchainfi)
