"""The vendors that twins stand for: which settings lead to each, and what else a world gives them.

A vendor whose first setting is given is the real one, and its twin is not started.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from embedded.twins.google import CERTS, CLIENT_ID


def _token() -> str:
    return secrets.token_urlsafe(24)


def _webhook_key() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _two_secrets() -> str:
    """Newest first, as in a shop whose secret is being replaced."""
    return f"{_token()},{_token()}"


@dataclass(frozen=True, slots=True)
class Vendor:
    """`url_setting` holds the vendor's addresses: its `paths` below the twin's base URL. `others`
    are settings that lead to further paths, `keys` those that the twin lets us choose and how each
    is made, `names` what both sides call something. What `makes_media` is fetched from."""

    url_setting: str = ""
    paths: tuple[str, ...] = ("",)
    others: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    makes_media: bool = False


# In the order of ports. OnchainFi's twin asks x402_facilitator's, this one the chain, both only
# when they are asked themselves, so that no part has to be there first.
VENDORS: Mapping[str, Vendor] = MappingProxyType(
    {
        "seedream": Vendor("SEEDREAM_URL", keys={"SEEDREAM_KEY": _token}, makes_media=True),
        "openai": Vendor("OPENAI_URL", keys={"OPENAI_KEY": _token}, makes_media=True),
        "x402_facilitator": Vendor("MEGA_X402_FACILITATOR_URL"),
        "onchainfi": Vendor("MEGA_ONCHAINFI_URL", keys={"MEGA_ONCHAINFI_KEY": _token}),
        "farcaster": Vendor("MEGA_FARCASTER_JWKS_URL", paths=("/.well-known/jwks.json",)),
        "irys": Vendor("IRYS_URL"),
        "ipfs": Vendor("IPFS_URLS", paths=("", "/backup"), others={"IPFS_GATEWAY_URL": "/ipfs"}),
        "solana": Vendor("SOLANA_RPC_URLS"),
        "google": Vendor(
            "MEGA_GOOGLE_JWKS_URL", paths=(CERTS,), names={"MEGA_GOOGLE_CLIENT_ID": CLIENT_ID}
        ),
        "mail": Vendor(
            "MAIL_URL", keys={"MAIL_KEY": _token}, names={"MAIL_FROM": "MINA <studio@mina.example>"}
        ),
        "shopify": Vendor(
            "SHOPIFY_ADMIN_URL",
            keys={"SHOPIFY_ADMIN_TOKEN": _token, "MEGA_SHOPIFY_SECRETS": _two_secrets},
            names={"MEGA_SHOPIFY_SHOP": "mina-dev.myshopify.com"},
        ),
        "kling": Vendor(
            "KLING_URL",
            keys={"KLING_ACCESS_KEY": _token, "KLING_SECRET_KEY": _token},
            makes_media=True,
        ),
        "replicate": Vendor(
            "REPLICATE_URL",
            keys={"REPLICATE_TOKEN": _token, "REPLICATE_WEBHOOK_SECRET": _webhook_key},
            makes_media=True,
        ),
        "web": Vendor(),
    }
)
