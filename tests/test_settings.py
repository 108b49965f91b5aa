"""A wrong setting is named in one sentence, and a secret is never printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from settings import Settings, SettingsError


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine, no .env of the checkout."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_what_a_process_requires_and_does_not_have_is_named() -> None:
    with pytest.raises(SettingsError, match=r"^The setting DATABASE_URL is missing\.$"):
        Settings.load(require=("mega_port", "database_url"))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("MEGA_PORT", "70000", "less than or equal to 65535"),
        ("MEGA_ENV", "production", "'dev', 'test' or 'prod'"),
        ("EVM_RPC_URLS", "http://a,ftp://b", "at 1"),
        ("DATABASE_URL", "mysql://root:hunter2@db", "pattern"),
        ("PAYMENT_TREASURY", "0x12", "40 hexadecimal digits"),
        ("MEGA_MASTER_KEY", "short", "at least 32"),
        ("MEGA_DISPLAY_TZ", "Mars/Phobos", "time zone"),
        ("MINT_SIGNER_KEY", "0xhunter2", "64 hexadecimal digits"),
        ("VOUCHER_SIGNER_KEY", "0xhunter2", "64 hexadecimal digits"),
        ("MEGA_FACILITATOR", "hunter2", "'onchainfi' or 'x402'"),
        ("MEGA_MINT_PRICE_USDC", "0", "greater than 0"),
        ("SOLANA_AUTHORITY_KEY", "hunter2", "key pair in base58"),
        ("SOLANA_TREASURY", "0xhunter2", "32 bytes in base58"),
        ("MEGA_PFP_PRICE_LAMPORTS", "0.05", "valid integer"),
        ("MEGA_PFP_TREE", "14/64", "pattern"),
        ("SEEDREAM_KEY", "hunter2 and a space", "no header can carry"),
        ("S3_PUBLIC_BASE_URL", "http://h/x?token=hunter2", "query"),
        ("MEGA_SHOPIFY_SHOP", "hunter2.example.com", "pattern"),
        ("MAIL_FROM", "hunter2", "pattern"),
        ("MEGA_KLING_CALLBACK_SECRET", "hunter2/", "letters, digits"),
        ("REPLICATE_WEBHOOK_SECRET", "whsec_hunter2", "24 to 64 bytes"),
        ("MEGA_PROVIDER_KEYS", '{"flux":"hunter2 and a space"}', "at flux"),
        ("MEGA_ROLES", "[", "must be JSON"),
        ("MEGA_ROLES", "[]", "at least 1 item"),
        ("MEGA_ROLES", '[{"role":"a","recipe":"role_mint","price":1.5}]', "at 0.price"),
        ("MEGA_ROLES", '[{"role":"a","recipe":"role_mint","price":"-5"}]', "greater than 0"),
    ],
)
def test_a_malformed_setting_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    sentence = str(caught.value)
    assert sentence.startswith(f"The setting {name} is malformed")
    assert sentence.endswith(".")
    assert reason in sentence
    assert "\n" not in sentence
    assert "hunter2" not in sentence


def test_lists_are_separated_by_commas_and_prices_are_integers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EVM_RPC_URLS", "http://a, http://b/")
    price = "123456789012345678901234567890"
    monkeypatch.setenv(
        "MEGA_ROLES", f'[{{"role":"a","recipe":"role_mint_final","price":"{price}"}}]'
    )
    settings = Settings.load()
    assert settings.evm_rpc_urls == ("http://a", "http://b")
    assert settings.mega_roles[0].price == int(price)


def test_matcha_is_bought_at_the_shops_front_page_unless_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Settings.load().checkout_url is None
    monkeypatch.setenv("MEGA_SHOPIFY_SHOP", "mina.myshopify.com")
    assert Settings.load().checkout_url == "https://mina.myshopify.com/"
    monkeypatch.setenv("MEGA_CHECKOUT_URL", "https://mina.example/matcha")
    assert Settings.load().checkout_url == "https://mina.example/matcha"


def test_secrets_come_as_lists_and_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEGA_SHOPIFY_SECRETS", "new-one, old-one")
    monkeypatch.setenv("MEGA_PROVIDER_KEYS", '{"flux":"r8_key"}')
    settings = Settings.load()
    found = [secret.get_secret_value() for secret in settings.mega_shopify_secrets]
    assert found == ["new-one", "old-one"]
    assert settings.mega_provider_keys["flux"].get_secret_value() == "r8_key"
    assert "old-one" not in repr(settings)
    assert "r8_key" not in repr(settings)


def test_a_secret_is_not_in_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINT_SIGNER_KEY", "ab" * 32)
    assert "abab" not in repr(Settings.load())


def test_the_example_lists_every_setting_and_can_be_copied_as_it_is(tmp_path: Path) -> None:
    example = Path(__file__).parents[1] / ".env.example"
    named = {line.partition("=")[0] for line in example.read_text().splitlines() if "=" in line}
    assert {name.upper() for name in Settings.model_fields} <= named
    (tmp_path / ".env").write_text(example.read_text())
    assert Settings.load().mega_port == 8000
