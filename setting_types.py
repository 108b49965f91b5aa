"""The types of settings: how each kind is written in the environment and what makes one malformed.

Messages name the rule and never the value, because it may be a secret.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_settings import NoDecode
from solders.keypair import Keypair
from solders.pubkey import Pubkey


def _split(value: object) -> object:
    """`"a, b"` is `("a", "b")`; anything that is not text is left for the type to judge."""
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


def _url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return value.rstrip("/")


def _address(value: str) -> str:
    if len(value) != 42 or not value.startswith("0x"):
        raise ValueError("must be 0x and 40 hexadecimal digits")
    int(value, 16)
    return value


def _json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError(f"must be JSON ({error.msg} at character {error.pos})") from None


def _integer_text(value: object) -> object:
    if isinstance(value, bool | float):
        raise ValueError("must be an integer, as text")
    return value


def _plain(value: str) -> str:
    if "?" in value or "#" in value:
        raise ValueError("must not have a query or a fragment")
    return value


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("must be a time zone as Asia/Dubai")
    return value


def _signer(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"(0x)?[0-9a-fA-F]{64}", value.get_secret_value()):
        raise ValueError("must be 64 hexadecimal digits")
    return value


def _header(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]+", value.get_secret_value()):
        raise ValueError("has characters that no header can carry")
    return value


def _solana_address(value: str) -> str:
    try:
        return str(Pubkey.from_string(value))
    except ValueError:
        raise ValueError("must be 32 bytes in base58") from None


def _solana_key(value: SecretStr) -> SecretStr:
    try:
        Keypair.from_base58_string(value.get_secret_value())
    except ValueError:
        raise ValueError("must be the 64 bytes of a key pair in base58") from None
    return value


def _standard_webhook_key(value: SecretStr) -> SecretStr:
    kind, _, key = value.get_secret_value().partition("_")
    try:
        good = kind == "whsec" and 24 <= len(b64decode(key, validate=True)) <= 64
    except ValueError:
        good = False
    if not good:
        raise ValueError("must be whsec_ and 24 to 64 bytes in base64")
    return value


def _for_a_path(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\w-]{16,100}", value.get_secret_value(), re.ASCII):
        raise ValueError("must be 16 to 100 letters, digits, _ and -")
    return value


Url = Annotated[str, AfterValidator(_url)]
PlainUrl = Annotated[Url, AfterValidator(_plain)]
ApiKey = Annotated[SecretStr, AfterValidator(_header)]
Address = Annotated[str, AfterValidator(_address)]
EvmSigner = Annotated[SecretStr, AfterValidator(_signer)]
SolanaAddress = Annotated[str, AfterValidator(_solana_address)]
SolanaKey = Annotated[SecretStr, AfterValidator(_solana_key)]
Zone = Annotated[str, AfterValidator(_zone)]
WebhookKey = Annotated[SecretStr, AfterValidator(_standard_webhook_key)]
PathSecret = Annotated[SecretStr, AfterValidator(_for_a_path)]
CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
UrlList = Annotated[tuple[Url, ...], NoDecode, BeforeValidator(_split)]
SecretList = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)]
ApiKeys = Annotated[dict[str, ApiKey], NoDecode, BeforeValidator(_json)]
Atomic = Annotated[int, BeforeValidator(_integer_text), Field(gt=0)]


class Role(BaseModel):
    """One role that can be minted: `price` in atomic units of `asset` (contract.md §1, Money)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    recipe: Literal["role_mint", "role_mint_final"]
    asset: str = "MPT"
    price: Atomic


RoleList = Annotated[tuple[Role, ...], NoDecode, BeforeValidator(_json), Field(min_length=1)]

# Prices in the 6-decimal development payment token: 10, 10, 12 and 25 of them.
DEFAULT_ROLES = (
    Role(role="samurai", recipe="role_mint", price=10 * 10**6),
    Role(role="oracle", recipe="role_mint", price=10 * 10**6),
    Role(role="wanderer", recipe="role_mint", price=12 * 10**6),
    Role(role="sovereign", recipe="role_mint_final", price=25 * 10**6),
)
