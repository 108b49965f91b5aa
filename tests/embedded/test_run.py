"""The whole world of `mega run`, as a stranger would start it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from embedded.place import Ports, read_json
from embedded.process import session_members
from embedded.world import PARTS
from tests.waiting import eventually
from tests.world import Child

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    return tmp_path / "data"


@pytest.fixture
def running(
    spawn: Callable[..., Child], folder: Path, tmp_path: Path
) -> Iterator[tuple[Child, str]]:
    port = Ports(tmp_path / "ports.json")["api"]
    env = {"MEGA_DATA_DIR": str(folder), "MEGA_PORT": str(port)}
    child = spawn("cli", "run", env=env)
    eventually(lambda: "Ready after" in child.log.read_text() or child.poll() is not None, 120)
    assert child.poll() is None, child.log.read_text()
    yield child, f"http://127.0.0.1:{port}"


def test_everything_comes_up_survives_a_crash_and_goes_down(
    running: tuple[Child, str], folder: Path
) -> None:
    child, api = running
    world = httpx.get(f"{api}/dev/world").json()
    assert_shape(world, api)
    assert_may_mint(world, api)
    pids = {process["name"]: process["pid"] for process in world["processes"]}
    assert tuple(pids) == PARTS

    os.kill(pids["api"], signal.SIGKILL)
    eventually(lambda: processes(folder)["api"]["restarts"] == 1 and answers(api), 60)
    now = {name: process["pid"] for name, process in processes(folder).items()}

    assert child.stop(60) == 0
    left = [name for pid in (*pids.values(), *now.values()) for name in session_members(pid)]
    assert left == []
    assert {f"{name}.log" for name in PARTS} <= set(os.listdir(folder / "logs"))
    assert_no_secret_in_logs(folder)


def assert_shape(world: dict[str, Any], api: str) -> None:
    """The names and types that contract.md §11 fixes, as far as this version has them."""
    assert world["api"] == api
    assert world["public_host"] == api.removeprefix("http://")
    recipes = [role["recipe"] for role in world["roles"]]
    assert recipes.count("role_mint") >= 3
    assert recipes.count("role_mint_final") >= 1
    assert all(int(role["price"]) > 0 for role in world["roles"])
    assert world["evm"]["chain_id"] == 8453
    contracts = world["evm"]["contracts"]
    assert set(contracts) == {"payment_token", "role_mint", "usdc", "geoplets"}
    assert all(address.startswith("0x") for address in contracts.values())
    twins = {"seedream", "openai", "onchainfi", "x402_facilitator", "farcaster"}
    assert twins <= set(world["twins"])
    assert world["prices"]["mint"] == {"asset": "USDC", "amount": "1000000"}
    assert world["prices"]["regenerate"] == {"asset": "USDC", "amount": "900000"}
    wallets = [wallet for wallet in world["wallets"] if wallet["kind"] == "evm"]
    assert len(wallets) == 10
    assert all(wallet["private_key"].startswith("0x") for wallet in wallets)


def assert_may_mint(world: dict[str, Any], api: str) -> None:
    """Every development wallet of Solana is on the allowlist."""
    wallet = next(each["address"] for each in world["wallets"] if each["kind"] == "solana")
    signed_in = httpx.post(f"{api}/auth/dev", json={"user_id": "ada", "wallets": [wallet]}).json()
    said = {"Authorization": f"Bearer {signed_in['access_token']}"}
    status = httpx.get(f"{api}/pfp/status", headers=said).json()
    assert (status["wallet"], status["eligible"], status["slots"]["allowed"]) == (wallet, True, 10)


def assert_no_secret_in_logs(folder: Path) -> None:
    known = read_json(folder / "secrets.json")
    secrets = [secret for name, secret in known.items() if name != "s3_access_key"]  # a user name
    # A key in PEM spans lines; its second one is the key itself.
    needles = [secret.splitlines()[1] if "\n" in secret else secret for secret in secrets]
    for log in (folder / "logs").iterdir():
        text = log.read_text(errors="replace")
        assert not [needle for needle in needles if needle in text], log.name


def processes(folder: Path) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in read_json(folder / "world.json")["processes"]}


def answers(api: str) -> bool:
    try:
        return httpx.get(f"{api}/healthz").is_success
    except httpx.TransportError:
        return False
