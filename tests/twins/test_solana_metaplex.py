"""Metaplex's unmodified JavaScript client on the development network: it reads our mint as we do,
and a tree and a mint of its own are taken."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from consumers.gateways.bubblegum import Leaf, asset_id, leaf_of
from embedded.place import CHECKOUT
from embedded.solana.chain import Pace
from tests.twins.solana_side import METADATA, WALLET, WALLETS, Side, memo, mint, solana

PLACE = CHECKOUT / ".tools" / "metaplex"
SCRIPT = CHECKOUT / "tests" / "js" / "metaplex.mjs"
CANOPY = 2


@dataclass(frozen=True)
class Told:
    side: Side
    tree: Pubkey
    leaf: Leaf
    ours: dict[str, Any]
    theirs: dict[str, Any]


async def client(*arguments: str) -> dict[str, Any]:
    """What the script prints. Fetches the client at first use."""
    if not (PLACE / "node_modules").exists():
        fetching = await asyncio.create_subprocess_exec(
            *("bash", "embedded/install.sh", "metaplex"), cwd=CHECKOUT
        )
        assert await fetching.wait() == 0
    with SCRIPT.open("rb") as script:
        child = await asyncio.create_subprocess_exec(
            *("node", "--input-type=module", "-", *arguments),
            cwd=PLACE,
            stdin=script,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        said, complaint = await child.communicate()
    assert child.returncode == 0, complaint.decode()
    told: dict[str, Any] = json.loads(said)
    return told


@pytest.fixture(scope="module")
async def told() -> AsyncIterator[Told]:
    async with solana(pace=Pace(slot_ms=50, finalized_after=4)) as side:
        tree = Keypair()
        await side.tree(tree, canopy=CANOPY)
        await side.land([mint(tree.pubkey())])
        signature = await side.land([mint(tree.pubkey()), memo("the second")])
        await side.pass_slots(8)
        leaf = leaf_of(await side.seen(signature))
        secret = bytes(WALLETS[3]).hex()
        said = await client(side.alone.url, secret, signature, str(leaf.id))
        yield Told(side, tree.pubkey(), leaf, said["ours"], said["theirs"])


async def test_it_reads_our_mint_as_we_do(told: Told) -> None:
    assert told.leaf == Leaf.of(told.tree, 1, WALLET.pubkey(), METADATA, None)
    assert told.ours == {
        "asset_id": str(asset_id(told.tree, 1)),
        "computed_asset_id": str(told.leaf.id),
        "owner": str(WALLET.pubkey()),
        "tree": str(told.tree),
        "leaf_index": 1,
        "leaf_hash": told.leaf.hash().hex(),
        "proved": True,
        "proof_to_bring": 5 - CANOPY,
        "name": METADATA.name,
        "uri": METADATA.uri,
    }


async def test_its_own_tree_and_mint_are_taken(told: Told) -> None:
    theirs = told.theirs
    assert (theirs["minted"], theirs["capacity"], theirs["proved"]) == (1, 32, True)
    leaf = leaf_of(await told.side.seen(theirs["signature"]))
    assert str(leaf.id) == theirs["asset_id"]
    assert leaf.hash().hex() == theirs["leaf_hash"]
    assert str(leaf.owner) == str(WALLETS[3].pubkey())
