"""Compressed tokens on the development network: what a mint may be, and what it is part of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from consumers.gateways.bubblegum import (
    BUBBLEGUM,
    NOOP,
    Creator,
    Leaf,
    TreeConfig,
    asset_id,
    leaf_of,
    tree_config,
    tree_size,
)
from consumers.gateways.bubblegum_instructions import burn_v2
from embedded.solana import slots
from embedded.solana.bubblegum import MINT_FEE_LAMPORTS
from tests.twins.solana_side import (
    AUTHORITY,
    METADATA,
    TREASURY,
    WALLET,
    Side,
    creation,
    memo,
    mint,
    payment,
    solana,
)


@pytest.fixture(scope="module")
async def network() -> AsyncIterator[Side]:
    async with solana() as running:
        yield running


@pytest.fixture
async def side(network: Side) -> Side:
    """In slots of its own, so that equal transactions of two tests differ in their blockhash."""
    await network.alone.steer("chain", {"finalize": True})
    return network


@pytest.fixture
async def tree(side: Side) -> Pubkey:
    made = Keypair()
    await side.tree(made)
    return made.pubkey()


def custom(at: int, code: int) -> dict[str, object]:
    return {"InstructionError": [at, {"Custom": code}]}


async def config(side: Side, tree: Pubkey) -> TreeConfig:
    account = side.twin.chain.account(tree_config(tree), "processed")
    assert account is not None
    return TreeConfig.decode(bytes(account.data))


async def test_payment_memo_and_mint_are_one_transaction(side: Side, tree: Pubkey) -> None:
    paid, fees = await side.lamports(TREASURY), await side.lamports(tree_config(tree))
    signature = await side.land([payment(50_000_000), memo("unit"), mint(tree)], WALLET)
    assert await side.lamports(TREASURY) == paid + 50_000_000
    assert await side.lamports(tree_config(tree)) == fees + MINT_FEE_LAMPORTS
    await side.pass_slots(slots.CONFIRMED_AFTER)
    seen = await side.seen(signature)
    leaf = leaf_of(seen)
    assert leaf == Leaf.of(tree, 0, WALLET.pubkey(), METADATA, None)
    assert leaf.id == asset_id(tree, 0)
    (group,) = seen["meta"]["innerInstructions"]
    assert group["index"] == 2
    logs = seen["meta"]["logMessages"]
    opened = [each.split()[1] for each in logs if each.endswith("invoke [1]")]
    assert opened[-1] == str(BUBBLEGUM) and len(opened) == 3


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_nothing_is_done_when_anything_fails(side: Side, tree: Pubkey, place: int) -> None:
    wallet, treasury = await side.lamports(WALLET.pubkey()), await side.lamports(TREASURY)
    instructions = [payment(50_000_000), mint(tree)]
    instructions.insert(place, payment(10**15))
    signature = await side.land(instructions, WALLET, skipPreflight=True)
    told = await side.status(signature)
    assert told and told["err"] == custom(place, 1)
    assert await side.lamports(WALLET.pubkey()) == wallet
    assert await side.lamports(TREASURY) == treasury
    assert (await config(side, tree)).num_minted == 0


async def test_a_refused_mint_takes_the_payment_back(side: Side, tree: Pubkey) -> None:
    wallet = await side.lamports(WALLET.pubkey())
    foreign = [payment(50_000_000), mint(tree, WALLET.pubkey())]
    assert await side.refused(foreign, WALLET) == custom(1, 6016)
    payer = await side.lamports(AUTHORITY.pubkey())
    signature = await side.land(foreign, WALLET, skipPreflight=True)
    told = await side.status(signature)
    assert told and told["err"] == custom(1, 6016)
    assert await side.lamports(WALLET.pubkey()) == wallet
    assert payer - await side.lamports(AUTHORITY.pubkey()) == 10_000
    await side.pass_slots(slots.CONFIRMED_AFTER)
    logs = (await side.seen(signature))["meta"]["logMessages"]
    assert any("TreeAuthorityIncorrect" in line for line in logs)
    assert logs[-1] == f"Program {BUBBLEGUM} failed: custom program error: 0x1780"


async def test_a_tree_takes_as_many_leaves_as_it_was_made_for(side: Side) -> None:
    tree = Keypair()
    await side.tree(tree, depth=3)
    for _ in range(4):
        await side.land([mint(tree.pubkey()), mint(tree.pubkey())])
        await side.pass_slots(1)
    full = await config(side, tree.pubkey())
    assert (full.num_minted, full.total_mint_capacity) == (8, 8)
    assert await side.refused([mint(tree.pubkey())]) == custom(0, 6017)


async def test_a_tree_is_made_and_minted_into_at_once(side: Side) -> None:
    tree = Keypair()
    rent = await side.result("getMinimumBalanceForRentExemption", tree_size(5, 8, 0))
    both = [*creation(tree.pubkey(), rent), mint(tree.pubkey())]
    await side.land(both, tree)
    assert (await config(side, tree.pubkey())).num_minted == 1
    again = creation(tree.pubkey(), rent)
    assert await side.refused(again, tree) == custom(0, 0)
    assert await side.refused(again[1:]) == custom(0, 0)


async def test_a_tree_wants_the_right_account(side: Side) -> None:
    tree = Keypair()
    rent = await side.result("getMinimumBalanceForRentExemption", tree_size(5, 8, 0))
    account, made = creation(tree.pubkey(), rent)
    assert await side.refused([made]) == custom(0, 6019)
    wrong = creation(tree.pubkey(), 2 * rent, buffer=9)
    assert await side.refused(wrong, tree) == custom(1, 6003)
    deeper = creation(tree.pubkey(), rent, depth=14, buffer=64)[1]
    assert await side.refused([account, deeper], tree) == {
        "InstructionError": [1, "ProgramFailedToComplete"]
    }


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"name": "n" * 33}, 6012),
        ({"symbol": "s" * 11}, 6013),
        ({"uri": "u" * 201}, 6014),
        ({"seller_fee_basis_points": 10_001}, 6015),
        ({"creators": (Creator(WALLET.pubkey(), False, 99),)}, 6004),
        ({"creators": (Creator(WALLET.pubkey(), True, 100),)}, 6006),
        ({"token_standard": None}, 6040),
        ({"collection": WALLET.pubkey()}, 6051),
    ],
)
async def test_metadata_is_judged(
    side: Side, tree: Pubkey, changed: dict[str, object], code: int
) -> None:
    told = replace(METADATA, **changed)
    assert await side.refused([mint(tree, told=told)]) == custom(0, code)


async def test_a_mint_needs_its_signer_and_its_tree(side: Side, tree: Pubkey) -> None:
    unsigned = mint(tree, WALLET.pubkey())
    accounts = list(unsigned.accounts)
    accounts[2] = AccountMeta(WALLET.pubkey(), is_signer=False, is_writable=False)
    stolen = Instruction(BUBBLEGUM, unsigned.data, accounts)
    assert await side.refused([stolen]) == custom(0, 3010)
    assert await side.refused([mint(Keypair().pubkey())]) == custom(0, 3012)
    accounts = list(mint(tree).accounts)
    accounts[0] = AccountMeta(TREASURY, is_signer=False, is_writable=True)
    assert await side.refused([Instruction(BUBBLEGUM, mint(tree).data, accounts)]) == custom(
        0, 2006
    )


async def test_what_is_not_modelled_fails(side: Side, tree: Pubkey) -> None:
    unknown = Instruction(BUBBLEGUM, bytes(8), list(mint(tree).accounts))
    assert await side.refused([unknown]) == custom(0, 101)
    direct = Instruction(NOOP, b"", [])
    assert await side.refused([direct]) == {"InstructionError": [0, "UnsupportedProgramId"]}


async def test_an_empty_payer_mints_nothing(side: Side, tree: Pubkey) -> None:
    poor = Keypair()
    await side.result("requestAirdrop", str(poor.pubkey()), 900_000)
    accounts = list(mint(tree).accounts)
    accounts[1] = AccountMeta(poor.pubkey(), is_signer=True, is_writable=True)
    paid_by_poor = Instruction(BUBBLEGUM, mint(tree).data, accounts)
    signature = await side.land(
        [payment(900_000 - 80_000, poor), paid_by_poor], poor, skipPreflight=True
    )
    told = await side.status(signature)
    assert told and told["err"] == custom(1, 1)
    await side.pass_slots(slots.CONFIRMED_AFTER)
    logs = (await side.seen(signature))["meta"]["logMessages"]
    assert "Transfer: insufficient lamports 80000, need 90000" in logs


async def test_the_index_follows_the_chain_and_can_be_late(side: Side, tree: Pubkey) -> None:
    await side.alone.steer("chain", {"das_lag_slots": 20})
    await side.land([mint(tree)])
    named = {"id": str(asset_id(tree, 0))}
    call = {"jsonrpc": "2.0", "id": 1, "method": "getAsset", "params": named}
    await side.pass_slots(slots.CONFIRMED_AFTER)
    assert (await side.alone.client.post("/", json=call)).json()["error"]["code"] == -32000
    await side.pass_slots(24)
    told = (await side.alone.client.post("/", json=call)).json()["result"]
    assert told["ownership"]["owner"] == str(WALLET.pubkey())
    assert (told["compression"]["tree"], told["compression"]["leaf_id"]) == (str(tree), 0)
    assert (told["content"]["json_uri"], told["burnt"]) == (METADATA.uri, False)
    await side.alone.steer("reset", None)


async def test_a_burnt_token_is_told_as_burnt(side: Side, tree: Pubkey) -> None:
    await side.land([mint(tree)])
    await side.pass_slots(slots.CONFIRMED_AFTER)
    leaf = Leaf.of(tree, 0, WALLET.pubkey(), METADATA, None)
    told = await side.result("getAssetProof", str(leaf.id))
    proof = [Pubkey.from_string(each) for each in told["proof"]]
    root = bytes(Pubkey.from_string(told["root"]))
    burn = burn_v2(AUTHORITY.pubkey(), tree, leaf, root=root, proof=proof)
    await side.land([burn, mint(tree)], WALLET)
    await side.pass_slots(slots.CONFIRMED_AFTER)
    asset = await side.result("getAsset", str(leaf.id))
    assert (asset["burnt"], asset["ownership"]["owner"]) == (True, "")
    second = await side.result("getAssetProof", str(asset_id(tree, 1)))
    assert second["proof"][0] == "1" * 32
