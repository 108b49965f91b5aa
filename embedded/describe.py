"""What a world looks like from outside: the object of `GET /dev/world` (contract.md §11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from solders.keypair import Keypair

from consumers.gateways.solana_trees import tree_key
from embedded.keeper import Keeper
from settings import Settings


def world(
    settings: Settings,
    env: Mapping[str, str],
    twins: Mapping[str, str],
    wallets: Sequence[Mapping[str, str]],
    keepers: Sequence[Keeper],
) -> dict[str, Any]:
    """All names of the contract; what this version does not have is null or left out."""
    roles = [role.model_dump() | {"price": str(role.price)} for role in settings.mega_roles]
    host = env["MEGA_PUBLIC_HOST"]
    return {
        "api": f"http://127.0.0.1:{env['MEGA_PORT']}",
        "public_host": host,
        "roles": roles,
        "evm": _evm(env),
        "solana": _solana(env),
        "kafka": {"bootstrap": env.get("KAFKA_BOOTSTRAP_SERVERS")},
        "s3": {
            "endpoint": env.get("S3_ENDPOINT_URL"),
            "public_base": env.get("S3_PUBLIC_BASE_URL"),
        },
        "database_url": env.get("DATABASE_URL"),
        "database_admin_url": env.get("DATABASE_ADMIN_URL"),
        "logs": env["MEGA_LOG_DIR"],
        "prices": {
            role["role"]: {"asset": role["asset"], "amount": role["price"]} for role in roles
        }
        | {
            "mint": {"asset": "USDC", "amount": str(settings.mega_mint_price_usdc)},
            "regenerate": {"asset": "USDC", "amount": str(settings.mega_regenerate_price_usdc)},
            "pfp": {"asset": "SOL", "amount": str(settings.mega_pfp_price_lamports)},
        },
        "webhooks": {"shopify": _shopify(env)},
        "twins": dict(twins),
        "wallets": list(wallets),
        "processes": [
            {"name": keeper.part.name, "pid": keeper.pid, "restarts": keeper.restarts}
            for keeper in keepers
        ],
    }


def _evm(env: Mapping[str, str]) -> dict[str, Any] | None:
    if not env.get("EVM_RPC_URLS"):
        return None
    return {
        "rpc": env["EVM_RPC_URLS"].split(",")[0],
        "chain_id": int(env.get("EVM_CHAIN_ID", "8453")),
        "confirmations": int(env["EVM_CONFIRMATIONS"]),
        "contracts": {
            "payment_token": env.get("PAYMENT_TOKEN_ADDRESS"),
            "role_mint": env.get("ROLE_MINT_ADDRESS"),
            "usdc": env.get("USDC_ADDRESS"),
            "geoplets": env.get("GEOPLETS_ADDRESS"),
        },
    }


def _solana(env: Mapping[str, str]) -> dict[str, Any] | None:
    if not env.get("SOLANA_RPC_URLS"):
        return None
    return {
        "rpc": env["SOLANA_RPC_URLS"].split(",")[0],
        "treasury": env.get("SOLANA_TREASURY"),
        "tree": _first_tree(env),
    }


def _shopify(env: Mapping[str, str]) -> dict[str, Any] | None:
    """Whoever has these can sign a webhook as the shop does."""
    if not env.get("MEGA_SHOPIFY_SECRETS"):
        return None
    return {
        "shop": env.get("MEGA_SHOPIFY_SHOP"),
        "secrets": [secret.strip() for secret in env["MEGA_SHOPIFY_SECRETS"].split(",")],
    }


def _first_tree(env: Mapping[str, str]) -> str:
    """The tree that tokens are minted into at first; it follows from the authority's key."""
    if not env.get("SOLANA_AUTHORITY_KEY"):
        return ""
    authority = Keypair.from_base58_string(env["SOLANA_AUTHORITY_KEY"])
    return str(tree_key(authority, 1).pubkey())
