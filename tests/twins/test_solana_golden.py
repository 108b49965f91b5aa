"""The model of Bubblegum V2 against a recording of the real programs: a mint of the same inputs."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

import pytest
from solders.account import Account
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from consumers.gateways import base58
from consumers.gateways.bubblegum import (
    Leaf,
    Metadata,
    TreeConfig,
    leaf_of,
    tree_config,
    tree_size,
)
from consumers.gateways.bubblegum_instructions import burn_v2, create_tree_v2
from embedded.place import CHECKOUT
from embedded.solana.bank import Bank
from embedded.solana.envelope import Envelope
from embedded.solana.machine import SYSTEM, Machine, Ran
from embedded.solana.receipts import Balances, Landed
from embedded.solana.trees import Tree, TreeRefused, empty

GOLDEN: dict[str, Any] = json.loads(
    (CHECKOUT / "tests" / "vectors" / "bubblegum_v2_golden.json").read_text()
)
SEEN: dict[str, Any] = GOLDEN["getTransaction_json"]
RAW = b64decode(GOLDEN["getTransaction_base64"]["transaction"][0])
TREE, OWNER, AUTHORITY = (
    Pubkey.from_string(GOLDEN[name]) for name in ("tree", "owner", "authority")
)
SHAPE = {"depth": 14, "buffer": 64, "canopy": 3}


class Recorded:
    """A bank in which the recorded tree is there and its authority has the recorded lamports."""

    def __init__(self) -> None:
        self.machine = Machine()
        self.bank = Bank(self.machine)
        self.bank.enter(6_000, 1_795_254_179)
        self.give(AUTHORITY, 10**10)
        rent = self.machine.rent(tree_size(**SHAPE))
        keys = (AUTHORITY, TREE, AUTHORITY)
        made = self.run(create_tree_v2(*keys, lamports=rent, **SHAPE))
        assert made.fault is None, made.logs
        self.give(AUTHORITY, SEEN["meta"]["preBalances"][0])

    def give(self, key: Pubkey, lamports: int) -> None:
        self.machine.put(key, Account(lamports, b"", SYSTEM, False, 0))

    def run(self, instructions: Sequence[Instruction]) -> Ran:
        """Signatures are no matter of the bank."""
        message = MessageV0.try_compile(AUTHORITY, instructions, [], Hash.new_unique())
        unsigned = [Signature.default()] * message.header.num_required_signatures
        raw = bytes(VersionedTransaction.populate(message, unsigned))
        return self.bank.execute(Envelope.open(raw, self.machine.account))

    def mint(self) -> dict[str, Any]:
        """The recorded transaction, run here and told as `getTransaction` tells it."""
        envelope = Envelope.open(RAW, self.machine.account)
        assert envelope.signed()
        before = Balances.of(self.machine, envelope.keys)
        ran = self.bank.execute(envelope)
        after = Balances.of(self.machine, envelope.keys)
        landed = Landed(envelope, SEEN["slot"], SEEN["blockTime"], ran, before, after)
        told = {"slot": landed.slot, "blockTime": landed.at, "version": envelope.version}
        return told | {"transaction": landed.transaction("json"), "meta": landed.meta()}

    def root_and_proof(self) -> tuple[bytes, list[bytes]]:
        """Of the first leaf, from the tree's account alone where it says so."""
        data = bytes(self.machine.account(TREE).data)
        size, sequence = 40 + 32 * SHAPE["depth"], int.from_bytes(data[56:64], "little")
        active = 80 + (sequence % SHAPE["buffer"]) * size
        proof = [empty(level) for level in range(SHAPE["depth"])]
        return data[active : active + 32], proof


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


def test_a_mint_leaves_what_the_real_programs_leave(recorded: Recorded) -> None:
    told = recorded.mint()
    returned = told["meta"].pop("returnData")
    assert told == SEEN
    line = next(each for each in SEEN["meta"]["logMessages"] if "return" in each)
    assert line.endswith(returned["data"][0])


def test_the_leaf_and_its_tree_are_the_recorded_ones(recorded: Recorded) -> None:
    leaf = leaf_of(recorded.mint())
    assert leaf.hash().hex() == GOLDEN["leafHash"]
    assert str(leaf.id) == GOLDEN["assetId"]
    root, proof = recorded.root_and_proof()
    told = GOLDEN["das_getAssetProof"]
    assert base58.encode(root) == told["root"]
    assert [base58.encode(each) for each in proof] == told["proof"]
    config = TreeConfig.decode(bytes(recorded.machine.account(tree_config(TREE)).data))
    assert (config.num_minted, config.total_mint_capacity, config.version) == (1, 1 << 14, 1)
    assert config.creator == config.delegate == AUTHORITY


def test_a_tree_s_account_has_the_size_that_was_paid_for(recorded: Recorded) -> None:
    recorded.mint()
    assert len(recorded.machine.account(TREE).data) == tree_size(**SHAPE)
    assert recorded.machine.account(TREE).lamports == SEEN["meta"]["preBalances"][2]


def test_a_burn_empties_the_leaf_once(recorded: Recorded) -> None:
    leaf = leaf_of(recorded.mint())
    root, proof = recorded.root_and_proof()
    keys = [Pubkey.from_bytes(each) for each in proof[: -SHAPE["canopy"]]]
    burn = burn_v2(AUTHORITY, TREE, leaf, root=root, proof=keys)
    assert recorded.run([burn]).fault is None
    assert recorded.root_and_proof()[0] == empty(SHAPE["depth"])
    again = recorded.run([burn])
    assert again.fault == {"InstructionError": [0, {"Custom": 6001}]}
    assert any("does not match the supplied proof's leaf" in line for line in again.logs)


def test_only_its_owner_burns_a_leaf(recorded: Recorded) -> None:
    leaf = leaf_of(recorded.mint())
    root, proof = recorded.root_and_proof()
    keys = [Pubkey.from_bytes(each) for each in proof]
    good = burn_v2(AUTHORITY, TREE, leaf, root=root, proof=keys)
    accounts = list(good.accounts)
    accounts[2] = accounts[1]  # the payer, who owns nothing
    stolen = recorded.run([Instruction(good.program_id, good.data, accounts)])
    assert stolen.fault == {"InstructionError": [0, {"Custom": 6047}]}
    forged = Leaf.of(TREE, 0, AUTHORITY, Metadata("x", "", ""), None)
    wrong = recorded.run([burn_v2(AUTHORITY, TREE, forged, root=root, proof=keys)])
    assert wrong.fault == {"InstructionError": [0, {"Custom": 6001}]}


def test_a_proof_may_be_older_than_its_tree(recorded: Recorded) -> None:
    leaf = leaf_of(recorded.mint())
    root, proof = recorded.root_and_proof()
    keys = [Pubkey.from_bytes(each) for each in proof]
    envelope = Envelope.open(RAW, recorded.machine.account)
    assert recorded.bank.execute(envelope).fault is None  # the second leaf, beside the first
    assert recorded.run([burn_v2(AUTHORITY, TREE, leaf, root=root, proof=keys)]).fault is None


def test_trees_refuse_what_they_cannot_hold() -> None:
    tree = Tree(TREE, 3, 8, 0, AUTHORITY, 1)
    for number in range(8):
        tree.append(bytes([number + 1]) * 32)
    with pytest.raises(TreeRefused, match="Tree is full"):
        tree.append(bytes(32))
    first = tree.proof(0)
    with pytest.raises(TreeRefused, match="Root not found"):
        tree.replace(empty(3), bytes([1]) * 32, bytes(32), 0, first)
