"""What chain and vault have to say of somebody's tokens, and how the chain is told to misbehave."""

from __future__ import annotations

from typing import Any

import httpx

from consumers.pfp.portrait import generate
from tests.e2e.browser import Browser, Json
from tests.e2e.climber import Climber
from tests.e2e.minter import Minter, solana
from tests.e2e.stage import Stage
from tests.waiting import eventually

EXPIRED_SLOTS = 400


def chain(of: Browser, **how: Any) -> Json:
    """Steers it; answers how it stands."""
    return dict(of.stage.vendors["solana"].post("chain", how).raise_for_status().json())


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


def check_level(climber: Climber, attempt: Json) -> None:
    """The wallet has exactly this token, nobody can mint more of it, it was minted once, and its
    memo leads to metadata that the vault has."""
    mint, level = attempt["mint"], attempt["level"]
    assert climber.held() == [mint] and climber.status()["nft"]["mint"] == mint
    account = climber.rpc("getAccountInfo", mint, {"encoding": "jsonParsed"})["value"]
    made = account["data"]["parsed"]["info"]
    assert (made["supply"], made["decimals"], made["mintAuthority"]) == ("1", 0, None)
    (minted,) = [each for each in climber.history(mint) if each["err"] is None]
    assert minted["signature"] == attempt["mint_signature"]
    cid = minted["memo"].partition(f"mega:level:{level}:")[2]
    assert attempt["metadata_uri"] == f"ipfs://{cid}", minted["memo"]
    vault = climber.stage.vendors["ipfs"]
    eventually(lambda: any(item["cid"] == cid for item in vault.get("ledger")))
    told = httpx.get(f"{vault.url}/ipfs/{cid}").raise_for_status().json()
    assert {"trait_type": "Level", "display_type": "number", "value": level} in told["attributes"]
    httpx.get(told["image"].replace("ipfs://", f"{vault.url}/ipfs/")).raise_for_status()


def check_burned(climber: Climber, mint: str) -> None:
    """Once, and nothing of it is left anywhere."""
    assert climber.rpc("getTokenSupply", mint)["value"]["amount"] == "0"
    assert sum(each["err"] is None for each in climber.history(mint)) == 2, "a mint and a burn"


def check_levels(stage: Stage) -> None:
    """Of every pass at every moment: no token, one token, or one that is owed since a burn; and
    the chain has the tokens that the ledger has, and no others."""
    tokens: dict[str, str] = {}
    there: dict[str, str] = {}
    owed: set[str] = set()
    for fact in stage.facts.of_streams("upgrade:"):
        data, of = fact.data, fact.stream
        match fact.name, data.get("kind"):
            case "upgrade_requested", _:
                there[data["mint"]] = "none"
            case "level_minted", _:
                assert of not in tokens, f"{of} has two tokens"
                owed.discard(of)
                tokens[of] = data["mint"]
                there[data["mint"]] = "1"
            case ("burn_confirmed", _) | ("correction_recorded", "burned_outside"):
                tokens.pop(of, None)
                there[data["mint"]] = "0"
                if fact.name == "burn_confirmed":
                    owed.add(of)
            case "correction_recorded", "sent_away":
                del tokens[of]
            case "correction_recorded", "came_back":
                tokens[of] = data["mint"]
    assert not owed, "what was burned was minted again in every test"
    assert {mint: supply(stage, mint) for mint in there} == there


def supply(stage: Stage, mint: str) -> str:
    found = solana(stage, "getAccountInfo", mint, {"encoding": "jsonParsed"})["value"]
    return str(found["data"]["parsed"]["info"]["supply"]) if found else "none"
