"""A world is composed from the settings: what is given is used, the rest is started here."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from embedded.parts.application import Twins
from embedded.parts.vendors import VENDORS
from embedded.place import Place, Ports, WorldError
from embedded.twins.__main__ import NAMES
from embedded.world import PARTS, make_world
from settings import Settings


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine, no .env of the checkout."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


ALL_VENDORS = {
    vendor.url_setting.lower(): "https://vendor.example"
    for vendor in VENDORS.values()
    if vendor.url_setting
}


def started(**given: Any) -> list[str]:
    return [part.name for part in make_world(Settings.load(**given)).parts]


def test_with_nothing_given_every_part_is_started() -> None:
    assert tuple(started()) == PARTS


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"database_url": "postgresql://a@b/c"}, "postgres"),
        ({"kafka_bootstrap_servers": ("broker:9092",)}, "kafka"),
        ({"s3_endpoint_url": "https://store.example"}, "s3"),
        ({"evm_rpc_urls": ("https://node.example",)}, "anvil"),
    ],
)
def test_a_part_whose_setting_is_given_is_not_started(
    given: dict[str, object], missing: str
) -> None:
    assert started(**given) == [name for name in PARTS if name != missing]


def test_what_is_given_reaches_every_process_as_it_was_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_URL", "https://pictures.example/")
    monkeypatch.setenv("EVM_CONFIRMATIONS", "9")
    (tmp_path / ".env").write_text("SEEDREAM_MODEL=another\nMEGA_JWT_KEY=mine\n")
    env = make_world(Settings.load(), only=["twins"]).environment()
    assert env["OPENAI_URL"] == "https://pictures.example/"
    assert env["SEEDREAM_URL"].startswith("http://127.0.0.1:")
    assert env["EVM_CONFIRMATIONS"] == "9"
    assert env["SEEDREAM_MODEL"] == "another"
    assert env["MEGA_JWT_KEY"] == "mine"
    assert env["MEGA_ENV"] == "dev"


def test_a_developer_does_not_wait_for_finality_and_pays_through_onchainfi(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    env = make_world(Settings.load(), only=["twins"]).environment()
    assert (env["EVM_FINALITY_BLOCKS"], env["MEGA_FACILITATOR"]) == ("24", "onchainfi")
    monkeypatch.setenv("EVM_FINALITY_BLOCKS", "99")
    env = make_world(Settings.load(), only=["twins"]).environment()
    assert env["EVM_FINALITY_BLOCKS"] == "99"


def test_every_twin_is_reached_by_the_settings_of_its_vendor() -> None:
    world = make_world(Settings.load(), only=["twins"])
    [twins] = [part for part in world.parts if isinstance(part, Twins)]
    env, urls = world.environment(), twins.urls()
    assert env["MEGA_ONCHAINFI_URL"] == urls["onchainfi"]
    assert env["MEGA_ONCHAINFI_KEY"]
    assert env["MEGA_X402_FACILITATOR_URL"] == urls["x402_facilitator"]
    assert env["MEGA_FARCASTER_JWKS_URL"] == urls["farcaster"] + "/.well-known/jwks.json"
    assert env["IRYS_URL"] == urls["irys"]
    assert env["IPFS_URLS"] == f"{urls['ipfs']},{urls['ipfs']}/backup"
    assert env["IPFS_GATEWAY_URL"] == urls["ipfs"] + "/ipfs"


def test_the_studios_vendors_are_given_with_what_both_sides_know() -> None:
    world = make_world(Settings.load(), only=["twins"])
    [twins] = [part for part in world.parts if isinstance(part, Twins)]
    env, urls = world.environment(), twins.urls()
    for name in ("kling", "replicate"):
        assert env[f"{name.upper()}_URL"] == urls[name]
    assert env["SHOPIFY_ADMIN_URL"] == urls["shopify"]
    assert env["MAIL_URL"] == urls["mail"]
    assert env["MEGA_GOOGLE_JWKS_URL"] == urls["google"] + "/oauth2/v3/certs"
    assert env["MEGA_FETCH_ALLOW"] == urls["web"].removeprefix("http://")
    assert env["MEGA_PROVIDER_HOSTS"] == "127.0.0.1"
    assert env["MEGA_PUBLIC_URL"] == "http://127.0.0.1:8000"
    known = Settings.load(**{name.lower(): value for name, value in env.items()})
    assert len(known.mega_shopify_secrets) == 2
    assert known.replicate_webhook_secret and known.mega_kling_callback_secret
    assert known.kling_access_key and known.kling_secret_key and known.replicate_token
    assert known.mail_key and known.mail_from and known.mega_google_client_id
    told = world.describe()
    assert told["webhooks"]["shopify"] == {
        "shop": known.mega_shopify_shop,
        "secrets": [secret.get_secret_value() for secret in known.mega_shopify_secrets],
    }
    assert set(told["twins"]) == set(NAMES)


def test_a_real_shop_is_told_nothing_of_ours() -> None:
    given = {"shopify_admin_url": "https://mina.myshopify.com"}
    world = make_world(Settings.load(**given), only=["twins"])
    assert "MEGA_SHOPIFY_SECRETS" not in world.environment()
    assert world.describe()["webhooks"] == {"shopify": None}


def test_a_list_of_vendors_that_is_given_replaces_the_twin() -> None:
    world = make_world(Settings.load(ipfs_urls=("https://kubo.example",)), only=["twins"])
    [twins] = [part for part in world.parts if isinstance(part, Twins)]
    assert "ipfs" not in twins.urls() and "irys" in twins.urls()
    assert "IPFS_GATEWAY_URL" not in world.environment()


def test_a_part_nobody_knows_is_refused() -> None:
    with pytest.raises(WorldError, match="no part named mongodb"):
        make_world(Settings.load(), only=["postgres", "mongodb"])


def test_secrets_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    first, again = Place.at(tmp_path / "w"), Place.at(tmp_path / "w")
    made = first.secrets.get("key")
    assert again.secrets.get("key") == made
    assert stat.S_IMODE((tmp_path / "w" / "secrets.json").stat().st_mode) == 0o600


def test_ports_are_kept_while_they_are_free(tmp_path: Path) -> None:
    names = [f"part_{number}" for number in range(300)]  # enough to draw one twice
    first, again = Ports(tmp_path / "ports.json"), Ports(tmp_path / "ports.json")
    first.reserve(*names)
    chosen = [first[name] for name in names]
    assert len(set(chosen)) == len(names)
    again = Ports(tmp_path / "ports.json")
    again.reserve(*names)
    assert [again[name] for name in names] == chosen
