"""Every setting of every process, read once from the environment and from `.env`.

A field's name is its variable's name in lower case (`DATABASE_URL` is `database_url`). The list and
its meaning: spec `contract.md` §10. A missing or malformed setting ends the process with one
sentence that names it; a value never appears in that sentence, because it may be a secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.x402 import EXPIRY_MARGIN_S, PaymentTerms
from domain.x402_events import PaymentType
from setting_types import (
    DEFAULT_ROLES,
    Address,
    ApiKey,
    ApiKeys,
    Atomic,
    CommaList,
    EvmSigner,
    PathSecret,
    PlainUrl,
    RoleList,
    SecretList,
    SolanaAddress,
    SolanaKey,
    Url,
    UrlList,
    WebhookKey,
    Zone,
)

SHOP = r"^[a-z0-9][a-z0-9-]*\.myshopify\.com$"
SENDER = r"^([^<>\r\n]+ <[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$"


class Settings(BaseSettings):
    """What a process needs to know. `None` means: not given; the caller says what it requires."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, case_sensitive=False
    )

    mega_env: Literal["dev", "test", "prod"] = "prod"
    mega_port: int = Field(default=8000, ge=1, le=65535)
    mega_data_dir: Path = Path(".mega")
    mega_log_dir: Path | None = None
    mega_world_file: Path | None = None
    mega_public_host: str = "localhost"
    mega_display_tz: Zone = "Asia/Dubai"
    mega_topic_prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,100}$")
    mega_cors_origins: CommaList = ()
    mega_rate_limits: str = "off"
    mega_read_wait_s: float = Field(default=2.0, gt=0, le=60)
    mega_fetch_allow: CommaList = ()
    mega_provider_hosts: CommaList = ()

    mega_jwt_alg: Literal["EdDSA", "HS256"] = "EdDSA"
    mega_jwt_key: SecretStr | None = None
    mega_master_key: SecretStr | None = Field(default=None, min_length=32)
    mega_statement_key: SecretStr | None = None

    database_url: str | None = Field(default=None, pattern=r"^postgres(ql)?://")
    database_admin_url: str | None = Field(default=None, pattern=r"^postgres(ql)?://")
    kafka_bootstrap_servers: CommaList = ()

    evm_rpc_urls: UrlList = ()
    evm_chain_id: int = Field(default=8453, gt=0)
    evm_confirmations: int = Field(default=5, ge=1, le=10_000)
    evm_finality_blocks: int = Field(default=64, ge=1, le=100_000)
    payment_token_address: Address | None = None
    payment_treasury: Address | None = None
    role_mint_address: Address | None = None
    mint_signer_key: EvmSigner | None = None
    mega_roles: RoleList = DEFAULT_ROLES
    usdc_address: Address | None = None
    geoplets_address: Address | None = None
    voucher_signer_key: EvmSigner | None = None

    mega_facilitator: Literal["onchainfi", "x402"] = "x402"
    mega_x402_facilitator_url: Url | None = None
    mega_onchainfi_url: Url | None = None
    mega_onchainfi_key: ApiKey | None = None
    mega_x402_pay_to: Address | None = None
    mega_mint_price_usdc: Atomic = 1_000_000
    mega_regenerate_price_usdc: Atomic = 900_000
    mega_x402_least_validity_s: int = Field(default=EXPIRY_MARGIN_S, ge=EXPIRY_MARGIN_S, le=840)
    mega_x402_confirmations: int = Field(default=1, ge=1, le=10_000)
    mega_farcaster_jwks_url: Url | None = None
    mega_google_client_id: str | None = None
    mega_google_jwks_url: Url = "https://www.googleapis.com/oauth2/v3/certs"

    solana_rpc_urls: UrlList = ()
    solana_authority_key: SolanaKey | None = None
    solana_treasury: SolanaAddress | None = None
    solana_priority_fee: int = Field(default=0, ge=0, le=10_000_000)
    mega_pfp_price_lamports: Atomic = 50_000_000
    mega_pfp_minter: Literal["bubblegum", "spl"] = "bubblegum"
    mega_level_upgrade: Literal["burn_then_mint", "exchange"] = "burn_then_mint"
    mega_pfp_tree: str = Field(default="14/64/8", pattern=r"^\d{1,2}/\d{1,4}/\d{1,2}$")

    mega_image_provider: Literal["seedream", "openai"] = "seedream"
    seedream_url: Url | None = None
    seedream_key: ApiKey | None = None
    seedream_model: str = "seedream-4-0-250828"
    openai_url: Url | None = None
    openai_key: ApiKey | None = None
    openai_model: str = "gpt-image-1"
    kling_url: Url | None = None
    kling_access_key: ApiKey | None = None
    kling_secret_key: SecretStr | None = None
    mega_kling_callback_secret: PathSecret | None = None
    replicate_url: Url | None = None
    replicate_token: ApiKey | None = None
    replicate_webhook_secret: WebhookKey | None = None
    mega_public_url: PlainUrl | None = None
    helius_webhook_auth: SecretStr | None = None
    mega_provider_keys: ApiKeys = {}

    shopify_admin_url: Url | None = None
    shopify_admin_token: ApiKey | None = None
    mega_shopify_shop: str | None = Field(default=None, pattern=SHOP)
    mega_shopify_secrets: SecretList = ()
    mega_checkout_url: Url | None = None

    mail_url: Url | None = None
    mail_key: ApiKey | None = None
    mail_from: str | None = Field(default=None, pattern=SENDER)

    mega_pfp_vault: Literal["irys", "ipfs"] = "irys"
    irys_url: Url | None = None
    irys_gateway_url: PlainUrl | None = None
    ipfs_urls: UrlList = ()
    ipfs_gateway_url: PlainUrl | None = None

    s3_endpoint_url: Url | None = None
    s3_bucket: str = "assets"
    s3_public_base_url: PlainUrl | None = None
    s3_access_key: SecretStr | None = None
    s3_secret_key: SecretStr | None = None

    @property
    def master_key(self) -> bytes:
        """The 32 bytes behind MEGA_MASTER_KEY, whatever its length; require the setting first."""
        assert self.mega_master_key is not None
        return sha256(self.mega_master_key.get_secret_value().encode()).digest()

    @property
    def database(self) -> str:
        """DATABASE_URL; require the setting first."""
        assert self.database_url is not None
        return self.database_url

    @property
    def checkout_url(self) -> str | None:
        """Where matcha is bought: MEGA_CHECKOUT_URL, else the front page of the shop."""
        shop = self.mega_shopify_shop
        return self.mega_checkout_url or (f"https://{shop}/" if shop else None)

    @property
    def x402_terms(self) -> dict[PaymentType, PaymentTerms]:
        """What a Geoplet and a regeneration cost, and whom; require the settings first."""
        assert self.usdc_address is not None and self.mega_x402_pay_to is not None
        prices: dict[PaymentType, int] = {
            "mint": self.mega_mint_price_usdc,
            "regenerate": self.mega_regenerate_price_usdc,
        }
        to = {"token": self.usdc_address.lower(), "pay_to": self.mega_x402_pay_to.lower()}
        return {
            name: PaymentTerms(
                chain_id=self.evm_chain_id,
                amount=price,
                least_validity_s=self.mega_x402_least_validity_s,
                **to,
            )
            for name, price in prices.items()
        }

    @classmethod
    def load(cls, require: tuple[str, ...] = (), **given: Any) -> Self:
        """Read the settings; `SettingsError` names the first one missing or malformed."""
        try:
            settings = cls(**given)
        except ValidationError as error:
            raise SettingsError(_malformed(error)) from None
        for name in require:
            if getattr(settings, name) in (None, ()):
                raise SettingsError(f"The setting {name.upper()} is missing.")
        return settings

    @classmethod
    def load_or_exit(cls, require: tuple[str, ...] = (), **given: Any) -> Self:
        """Like `load`, but a wrong setting ends the process with one sentence and status 1."""
        with named_settings():
            return cls.load(require, **given)


class SettingsError(Exception):
    """A setting is missing or malformed; the message is one sentence that names it."""


@contextmanager
def named_settings() -> Iterator[None]:
    """Around a process: what only its parts could find malformed ends it like `load_or_exit`."""
    try:
        yield
    except SettingsError as error:
        raise SystemExit(str(error)) from None


def _malformed(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    name, *where = (str(part) for part in first["loc"])
    inside = f" (at {'.'.join(where)})" if where else ""
    reason = first["msg"].removeprefix("Value error, ").rstrip(".")
    return f"The setting {name.upper()} is malformed{inside}: {reason[:1].lower()}{reason[1:]}."
