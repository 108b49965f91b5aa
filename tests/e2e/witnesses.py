"""What chain and vault have to say of a minter's tokens, and how the chain is told to misbehave."""

from __future__ import annotations

from typing import Any

import httpx

from consumers.pfp.portrait import generate
from tests.e2e.minter import Minter

EXPIRED_SLOTS = 400


def chain(minter: Minter, **how: Any) -> None:
    minter.stage.vendors["solana"].post("chain", how).raise_for_status()


def slots(minter: Minter) -> tuple[int, int]:
    told = minter.status()["slots"]
    return told["used"], told["reserved"]


def check_token(minter: Minter, minted: dict[str, Any]) -> None:
    """The picture is what its seed says, the metadata leads to it, the chain knows the token."""
    image = httpx.get(minted["imageUri"]).raise_for_status().content
    metadata = httpx.get(minted["metadataUri"]).raise_for_status().json()
    assert metadata["image"] == minted["imageUri"]
    assert generate(bytes.fromhex(metadata["properties"]["seed"])).png == image
    asset = minter.rpc("getAsset", minted["assetId"])
    assert asset["ownership"]["owner"] == minter.wallet


def uploads(minter: Minter, minted: list[dict[str, Any]]) -> int:
    """How many uploads were billed for these tokens."""
    ids = {
        uri.rpartition("/")[2] for each in minted for uri in (each["imageUri"], each["metadataUri"])
    }
    billed = minter.stage.vendors["irys"].get("ledger")
    return sum(item["item_id"] in ids for item in billed if item["kind"] == "upload_billed")
