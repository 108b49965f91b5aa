"""Compressed mints and their trees: what is signed, and which token is believed to be minted."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from solders.message import from_bytes_versioned
from solders.transaction import VersionedTransaction

from consumers.gateways import base58, bubblegum
from consumers.gateways import bubblegum_instructions as written
from consumers.gateways.ports import TryAgain, WillNotWork
from consumers.gateways.solana_minters import BubblegumMinter
from consumers.gateways.solana_ports import MintWanted, Prepared, TokenSeen, TreeStanding
from consumers.gateways.solana_trees import BUFFERS_OF_DEPTH, Shape, Trees
from consumers.gateways.solana_wire import PACKET_BYTES, derived, key
from tests.gateways.solana_side import (
    AUTHORITY,
    RECENT,
    TREASURY,
    WALLET,
    Network,
    network,
    solana_rpc,
)

OWNER = str(WALLET.pubkey())
TREE = str(derived(AUTHORITY, "tree", "1").pubkey())
WANTED = MintWanted(OWNER, "MPFP #1", "https://gateway.irys.xyz/" + "a" * 43, "batch:1/2")
LONGEST = MintWanted(OWNER, "n" * 32, "u" * 200, "batch:" + "f" * 36 + "/10/3")


@pytest.fixture(scope="module")
async def net() -> AsyncIterator[Network]:
    async with network() as made:
        yield made


def minter(net: Network, **options: Any) -> BubblegumMinter:
    chain = solana_rpc(net.client, net.fronts[0].url)
    return BubblegumMinter(chain=chain, authority=AUTHORITY, treasury=TREASURY, **options)


def told(prepared: Prepared, leaf: bubblegum.Leaf) -> dict[str, Any]:
    """As a node tells of a mint: its message, and what Bubblegum had the noop program say."""
    message = from_bytes_versioned(base64.b64decode(prepared.message))
    keys = [str(each) for each in message.account_keys]
    instructions = [
        {
            "programIdIndex": each.program_id_index,
            "accounts": list(each.accounts),
            "data": base58.encode(bytes(each.data)),
        }
        for each in message.instructions
    ]
    noop = {"programIdIndex": keys.index(str(bubblegum.NOOP)), "accounts": []}
    said = {**noop, "data": base58.encode(bubblegum.leaf_event(leaf))}
    signatures = VersionedTransaction.from_bytes(base64.b64decode(prepared.raw)).signatures
    return {
        "slot": 88,
        "transaction": {
            "signatures": [str(each) for each in signatures],
            "message": {"accountKeys": keys, "instructions": instructions},
        },
        "meta": {"err": None, "innerInstructions": [{"index": 1, "instructions": [said]}]},
    }


def metadata(wanted: MintWanted) -> bubblegum.Metadata:
    creator = bubblegum.Creator(AUTHORITY.pubkey(), verified=True, share=100)
    return bubblegum.Metadata(wanted.name, "MPFP", wanted.uri, 500, (creator,))


def leaf(wanted: MintWanted = WANTED, index: int = 6, tree: str = TREE) -> bubblegum.Leaf:
    owner = key(wanted.owner)
    return bubblegum.Leaf.of(key(tree), index, owner, metadata(wanted), None)


async def test_a_mint_says_what_was_wanted_and_is_ours_alone(net: Network) -> None:
    prepared = minter(net).sign_mint(WANTED, TREE, RECENT)
    message = from_bytes_versioned(base64.b64decode(prepared.message))
    assert message.header.num_required_signatures == 1
    VersionedTransaction.from_bytes(base64.b64decode(prepared.raw)).verify_with_results()
    memo, mint = message.instructions
    assert bytes(memo.data).decode() == WANTED.reference
    read = written.decode(bytes(mint.data))
    assert isinstance(read, written.Mint)
    assert read.metadata == metadata(WANTED)


@pytest.mark.parametrize("priority_fee", [0, 10_000])
async def test_the_longest_paid_mint_fits_and_needs_the_wallet(
    net: Network, priority_fee: int
) -> None:
    minting = minter(net, priority_fee=priority_fee)
    for lamports in (0, 50_000_000):
        prepared = minting.prepare_paid_mint(LONGEST, TREE, lamports, RECENT)
        transaction = VersionedTransaction.from_bytes(base64.b64decode(prepared.raw))
        assert len(bytes(transaction)) <= PACKET_BYTES
        assert transaction.verify_with_results() == [True, False]
        assert transaction.message.account_keys[1] == WALLET.pubkey()


async def test_what_does_not_fit_is_never_signed(net: Network) -> None:
    too_long = MintWanted(OWNER, "n", "u" * 900, "batch:1/2")
    with pytest.raises(WillNotWork):
        minter(net).sign_mint(too_long, TREE, RECENT)


async def test_the_token_is_told_from_its_leaf_once_it_is_finalized(net: Network) -> None:
    _, (node,), _ = await net.of()
    prepared = minter(net).sign_mint(WANTED, TREE, RECENT)
    assert await minter(net).token(prepared.signature, WANTED) is None
    node.transactions[prepared.signature] = told(prepared, leaf())
    asset_id = str(bubblegum.asset_id(key(TREE), 6))
    seen = await minter(net).token(prepared.signature, WANTED)
    assert seen == TokenSeen(asset_id, TREE, 6, 88)


OTHERS: dict[str, Callable[[], bubblegum.Leaf]] = {
    "another owner": lambda: leaf(MintWanted(TREASURY, WANTED.name, WANTED.uri, "batch:1/2")),
    "another picture": lambda: leaf(MintWanted(OWNER, WANTED.name, "https://x", "batch:1/2")),
    "another name": lambda: leaf(MintWanted(OWNER, "MPFP #2", WANTED.uri, "batch:1/2")),
    "another tree": lambda: leaf(tree=TREASURY),
}


@pytest.mark.parametrize("name", OTHERS)
async def test_another_token_than_was_wanted_is_not_believed(net: Network, name: str) -> None:
    _, (node,), _ = await net.of()
    prepared = minter(net).sign_mint(WANTED, TREE, RECENT)
    node.transactions[prepared.signature] = told(prepared, OTHERS[name]())
    with pytest.raises(WillNotWork):
        await minter(net).token(prepared.signature, WANTED)


async def test_a_mint_that_failed_or_minted_nothing_says_so_and_silence_is_no_answer(
    net: Network,
) -> None:
    _, (node,), _ = await net.of()
    prepared = minter(net).sign_mint(WANTED, TREE, RECENT)
    answer = node.transactions[prepared.signature] = told(prepared, leaf())
    cases: list[tuple[str, Any, type[Exception]]] = [
        ("err", {"InstructionError": [1, {"Custom": 6001}]}, WillNotWork),
        ("innerInstructions", [], WillNotWork),
        ("innerInstructions", None, TryAgain),
        ("innerInstructions", [{"index": 1}], TryAgain),
        ("innerInstructions", [{"instructions": [{"programIdIndex": 99}]}], TryAgain),
    ]
    for name, value, kind in cases:
        node.transactions[prepared.signature] = {**answer, "meta": {**answer["meta"], name: value}}
        with pytest.raises(kind):
            await minter(net).token(prepared.signature, WANTED)


def trees(net: Network, shape: str = "14/64/8") -> Trees:
    chain = solana_rpc(net.client, net.fronts[0].url)
    return Trees(chain=chain, authority=AUTHORITY, shape=Shape.parse(shape))


async def test_a_trees_standing_is_its_accounts_and_nobody_elses(net: Network) -> None:
    _, (node,), _ = await net.of()
    assert await trees(net).standing(1) == TreeStanding(0, 0)
    ours, theirs = AUTHORITY.pubkey(), WALLET.pubkey()
    place = str(bubblegum.tree_config(key(trees(net).address(1))))

    def account(config: bytes, owner: str = str(bubblegum.BUBBLEGUM)) -> dict[str, Any]:
        return {"owner": owner, "data": [base64.b64encode(config).decode(), "base64"]}

    node.accounts[place] = account(bubblegum.TreeConfig(ours, ours, 16_384, 7).encode())
    assert await trees(net).standing(1) == TreeStanding(16_384, 7)
    assert await trees(net).standing(2) == TreeStanding(0, 0)
    node.accounts[place] = account(bubblegum.TreeConfig(theirs, ours, 16_384, 7).encode())
    with pytest.raises(WillNotWork):
        await trees(net).standing(1)
    node.accounts[place] = account(b"short")
    with pytest.raises(TryAgain):
        await trees(net).standing(1)


async def test_a_tree_is_created_in_one_transaction_with_its_rent(net: Network) -> None:
    _, (node,), _ = await net.of()
    node.instead["getMinimumBalanceForRentExemption"] = lambda params: params[0] * 10
    prepared = await trees(net).sign_creation(3, RECENT)
    transaction = VersionedTransaction.from_bytes(base64.b64decode(prepared.raw))
    assert transaction.verify_with_results() == [True, True]
    assert trees(net).address(3) in map(str, transaction.message.account_keys[:2])
    creation, tree = transaction.message.instructions
    size = bubblegum.tree_size(14, 64, 8)
    assert int.from_bytes(bytes(creation.data)[4:12], "little") == size * 10
    assert written.decode(bytes(tree.data)) == written.CreateTree(14, 64)


def test_the_same_key_always_leads_to_the_same_trees_and_another_to_others(net: Network) -> None:
    assert trees(net).address(1) == trees(net).address(1) == TREE
    addresses = {trees(net).address(number) for number in range(1, 20)}
    assert len(addresses) == 19
    assert str(derived(WALLET, "tree", "1").pubkey()) not in addresses


@pytest.mark.parametrize("shape", ["14/64/15", "14/65/8", "4/8/0", "31/2048/0", "14/64", "a/b/c"])
def test_a_shape_that_no_program_knows_is_refused(shape: str) -> None:
    with pytest.raises(ValueError):
        Shape.parse(shape)
    assert all(Shape.parse(f"{depth}/{max(of)}/0") for depth, of in BUFFERS_OF_DEPTH.items())
