"""Layouts and hashes against recordings of the real programs and of Metaplex's own client."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from consumers.gateways import base58
from consumers.gateways.bubblegum import (
    Creator,
    Leaf,
    Metadata,
    TreeConfig,
    asset_data_hash,
    asset_id,
    collection_hash,
    creator_hash,
    data_hash,
    leaf_event,
    leaf_of,
    tree_config,
    tree_size,
)
from consumers.gateways.bubblegum_instructions import (
    Burn,
    CreateTree,
    Mint,
    burn_v2,
    create_tree_v2,
    decode,
    mint_v2,
)
from embedded.place import CHECKOUT

VECTORS = CHECKOUT / "tests" / "vectors"
GOLDEN: dict[str, Any] = json.loads((VECTORS / "bubblegum_v2_golden.json").read_text())
SEEN: dict[str, Any] = GOLDEN["getTransaction_json"]
TREE, OWNER, AUTHORITY = (
    Pubkey.from_string(GOLDEN[name]) for name in ("tree", "owner", "authority")
)
METADATA = Metadata(
    name=GOLDEN["metadata"]["name"],
    symbol=GOLDEN["metadata"]["symbol"],
    uri=GOLDEN["metadata"]["uri"],
    seller_fee_basis_points=GOLDEN["metadata"]["sellerFeeBasisPoints"],
    creators=(Creator(AUTHORITY, True, 100),),
)
LEAF = Leaf.of(TREE, 0, OWNER, METADATA, None)


def inner() -> list[dict[str, Any]]:
    return list(SEEN["meta"]["innerInstructions"][0]["instructions"])


def outer() -> dict[str, Any]:
    return dict(SEEN["transaction"]["message"]["instructions"][0])


def test_the_hashes_are_those_of_the_real_program() -> None:
    assert data_hash(METADATA).hex() == GOLDEN["dataHash"]
    assert creator_hash(METADATA.creators).hex() == GOLDEN["creatorHash"]
    assert collection_hash(None).hex() == GOLDEN["collectionHash"]
    assert asset_data_hash().hex() == GOLDEN["assetDataHash"]
    assert LEAF.hash().hex() == GOLDEN["leafHash"]


def test_an_asset_id_follows_from_tree_and_index() -> None:
    assert str(asset_id(TREE, GOLDEN["leafIndex"])) == GOLDEN["assetId"]
    (vector,) = json.loads((VECTORS / "bubblegum_asset_id.json").read_text())["vectors"]
    tree = Pubkey.from_string(vector["tree"])
    assert str(asset_id(tree, vector["leaf_id"])) == vector["asset_id"]


def test_the_leaf_is_read_from_the_transaction_that_made_it() -> None:
    assert leaf_of(SEEN) == LEAF
    assert base58.encode(leaf_event(LEAF)) == inner()[0]["data"]
    assert Leaf.decode(LEAF.encode()) == LEAF


def test_the_leaf_is_found_wherever_its_event_stands() -> None:
    moved = copy.deepcopy(SEEN)
    group = moved["meta"]["innerInstructions"][0]
    group["instructions"].reverse()
    other = {"index": 0, "instructions": [inner()[-1]]}
    moved["meta"]["innerInstructions"] = [other, group | {"index": 3}]
    assert leaf_of(moved) == LEAF


def test_a_leaf_told_by_another_program_is_none() -> None:
    forged = copy.deepcopy(SEEN)
    for each in forged["meta"]["innerInstructions"][0]["instructions"]:
        if each["programIdIndex"] == 5:
            each["programIdIndex"] = 8
    with pytest.raises(LookupError):
        leaf_of(forged)


def test_a_transaction_with_two_leaves_tells_of_no_single_one() -> None:
    twice = copy.deepcopy(SEEN)
    twice["meta"]["innerInstructions"] *= 2
    with pytest.raises(LookupError):
        leaf_of(twice)


def test_the_mint_is_the_recorded_one_byte_for_byte() -> None:
    data = base58.decode(outer()["data"])
    read = decode(data)
    assert isinstance(read, Mint)
    assert read.metadata == METADATA == Metadata.decode(METADATA.encode())
    ours = mint_v2(AUTHORITY, AUTHORITY, OWNER, TREE, METADATA)
    assert ours.data == data
    keys = SEEN["transaction"]["message"]["accountKeys"]
    recorded = [keys[index] for index in outer()["accounts"]]
    told = [str(account.pubkey) for account in ours.accounts]
    authority = 2  # left out by the recorded client: it is the payer
    assert told[:authority] + told[authority + 1 :] == (
        recorded[:authority] + recorded[authority + 1 :]
    )


def test_the_recorded_transaction_names_its_tree_s_configuration() -> None:
    raw = VersionedTransaction.from_bytes(
        base64.b64decode(GOLDEN["getTransaction_base64"]["transaction"][0])
    )
    assert tree_config(TREE) == raw.message.account_keys[1]


def test_instructions_are_read_as_they_were_written() -> None:
    account, creation = create_tree_v2(
        AUTHORITY, TREE, AUTHORITY, depth=14, buffer=64, canopy=3, lamports=1
    )
    assert decode(creation.data) == CreateTree(14, 64)
    assert int.from_bytes(account.data[12:20], "little") == tree_size(14, 64, 3)
    burn = burn_v2(AUTHORITY, TREE, LEAF, root=bytes(32), proof=[OWNER])
    read = decode(burn.data)
    assert isinstance(read, Burn)
    assert (read.nonce, read.index, read.data_hash) == (0, 0, LEAF.data_hash)
    assert decode(bytes(8)) is None
    with pytest.raises(ValueError, match="too short"):
        decode(Mint.DISCRIMINATOR + b"\1")


def test_a_tree_of_the_recorded_size_has_the_recorded_rent() -> None:
    rent_of_a_byte, header = 6960, 128
    recorded = SEEN["meta"]["preBalances"][2]
    assert (tree_size(14, 64, 3) + header) * rent_of_a_byte == recorded


def test_a_tree_s_configuration_is_read_as_it_was_written() -> None:
    config = TreeConfig(AUTHORITY, OWNER, 1 << 14, 7)
    assert TreeConfig.decode(config.encode()) == config
    assert len(config.encode()) == TreeConfig.SIZE
    with pytest.raises(ValueError, match="no tree"):
        TreeConfig.decode(bytes(96))


@pytest.mark.parametrize("content", [b"", b"\0", b"\0\0\1", b"\xff" * 40, bytes(range(40))])
def test_base58_gives_back_what_it_took(content: bytes) -> None:
    assert base58.decode(base58.encode(content)) == content


def test_base58_is_solanas() -> None:
    assert base58.encode(bytes(OWNER)) == GOLDEN["owner"]
    with pytest.raises(ValueError, match="no letter"):
        base58.decode("0OIl")
