"""The other minter and the other vault behind the same ports: SPL tokens and IPFS."""

from __future__ import annotations

import httpx

from tests.e2e.minter import PRICE, Minter
from tests.e2e.stage import Stage
from tests.waiting import eventually

PARSED = {"encoding": "jsonParsed"}


def test_a_batch_becomes_spl_tokens_with_their_files_on_ipfs(shop: Stage) -> None:
    minter = Minter(shop)
    batch = minter.buys(2)
    minted = [minter.mints(batch["batchId"]) for _ in range(2)]
    for each in minted:
        metadata = httpx.get(each["metadataUri"]).raise_for_status().json()
        assert httpx.get(metadata["image"]).headers["content-type"] == "image/png"
        supply = minter.rpc("getTokenSupply", each["assetId"])["value"]
        assert (supply["amount"], supply["decimals"]) == ("1", 0)
        held = minter.rpc(
            "getTokenAccountsByOwner", minter.wallet, {"mint": each["assetId"]}, PARSED
        )
        assert len(held["value"]) == 1
    assert minter.statement() == {"paid": 2 * PRICE, "delivered": 2 * PRICE}


def test_a_single_mint_of_an_spl_token_is_one_transaction_too(shop: Stage) -> None:
    minter = Minter(shop)
    told = minter.post("/pfp/prepare")
    body = {"mintId": told["mintId"], "signedTransactionBase64": minter.sign(told)}

    def complete() -> bool:
        return minter.post("/pfp/confirm", body)["status"] == "complete"

    eventually(complete)
    assert minter.statement() == {"paid": PRICE, "delivered": PRICE}
