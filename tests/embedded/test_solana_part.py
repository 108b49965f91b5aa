"""The world's Solana: who is told where it is and with which keys, and who brings his own."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded.parts.application import SOLANA_FINALITY_SLOTS, Twins
from embedded.world import make_world
from settings import Settings


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine, no .env of the checkout."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_processes_are_told_of_the_network_and_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(Settings.load(), only=["twins"])
    [twins] = [part for part in world.parts if isinstance(part, Twins)]
    env = world.environment()
    assert env["SOLANA_RPC_URLS"] == twins.urls()["solana"]
    for name in ("SOLANA_RPC_URLS", "SOLANA_AUTHORITY_KEY", "SOLANA_TREASURY"):
        monkeypatch.setenv(name, env[name])
    settings = Settings.load(require=("solana_rpc_urls", "solana_authority_key", "solana_treasury"))
    assert settings.solana_treasury == env["SOLANA_TREASURY"]
    own = twins.command(env).env
    assert own["MEGA_TWIN_SOLANA_FINALITY_SLOTS"] == str(SOLANA_FINALITY_SLOTS)


def test_the_world_tells_of_ten_funded_wallets() -> None:
    world = make_world(Settings.load(), only=["twins"])
    told, env = world.describe(), world.environment()
    wallets = [wallet for wallet in told["wallets"] if wallet["kind"] == "solana"]
    assert len({wallet["address"] for wallet in wallets}) == 10
    assert set(wallets[0]) == {"kind", "address", "private_key"}
    assert told["solana"]["rpc"] == env["SOLANA_RPC_URLS"]
    assert told["solana"]["treasury"] == env["SOLANA_TREASURY"]


def test_a_real_network_replaces_the_development_one() -> None:
    given = Settings.load(solana_rpc_urls=("https://rpc.example", "https://other.example"))
    world = make_world(given, only=["twins"])
    [twins] = [part for part in world.parts if isinstance(part, Twins)]
    assert "solana" not in twins.urls()
    assert "SOLANA_AUTHORITY_KEY" not in world.environment()
    assert not world.describe()["wallets"]
