"""Bubblegum V2, modelled: the binaries of the real programs are in no registry.

Modelled are `createTreeV2`, `mintV2` and `burnV2`, without collections: who must sign, whose tree
it is, how much it holds, what metadata may say, proofs against the tree's buffer, and everything
that the real programs leave in a transaction (`steps`). Any other instruction of Bubblegum fails,
as do the compression and noop programs when they are called directly. Lamports move through the
real system program (`bank`), which refuses what the payer cannot pay.

Sources: `metaplex-foundation/mpl-bubblegum` (checks and their order), a recording of the real
programs (`tests/vectors/bubblegum_v2_golden.json`), which a mint here equals line by line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256

from solders.account import Account
from solders.pubkey import Pubkey

from consumers.gateways.borsh import u32, u64
from consumers.gateways.bubblegum import (
    BUBBLEGUM,
    COMPRESSION,
    CORE,
    NOOP,
    Leaf,
    TreeConfig,
    asset_data_hash,
    asset_id,
    collection_hash,
    leaf_event,
    tree_config,
)
from consumers.gateways.bubblegum_instructions import (
    DISCRIMINATOR_BYTES,
    Burn,
    CreateTree,
    Mint,
    decode,
)
from embedded.solana import anchor
from embedded.solana import bubblegum_checks as checks
from embedded.solana.anchor import Refusal, Used, require
from embedded.solana.machine import SYSTEM, Machine
from embedded.solana.steps import BURN_UNITS, CREATE_UNITS, MINT_UNITS, Step, Units, Writer
from embedded.solana.trees import EMPTY, Tree, TreeRefused

# What a mint costs beside the network's fee, paid into the tree's configuration, as recorded.
MINT_FEE_LAMPORTS = 90_000

FROZEN_FLAGS = 0b11


def _discriminator(name: str) -> bytes:
    return sha256(f"global:{name}".encode()).digest()[:DISCRIMINATOR_BYTES]


_INIT_TREE, _APPEND, _REPLACE_LEAF = map(
    _discriminator, ("init_empty_merkle_tree", "append", "replace_leaf")
)

# The system program's word for an account that is there already.
_IN_USE = {"Custom": 0}

View = Callable[[Pubkey], Account | None]


@dataclass(frozen=True, slots=True)
class Invocation:
    """One instruction in its transaction: `view` are the accounts as the ones before it left them,
    `budget` the compute units that are left."""

    used: tuple[Used, ...]
    data: bytes
    view: View
    budget: int


@dataclass(slots=True)
class Draft:
    """The programs' state while a transaction runs; nothing of it counts until it is kept."""

    settled: dict[Pubkey, Tree]
    slot: int
    rent: Callable[[int], int]
    trees: dict[Pubkey, Tree] = field(default_factory=dict)
    configs: dict[Pubkey, TreeConfig] = field(default_factory=dict)

    def run(self, call: Invocation) -> Step:
        try:
            arguments = decode(call.data)
        except ValueError:
            return Writer(None, call.budget, MINT_UNITS, call.used).refuse(anchor.UNREADABLE)
        kinds: dict[type, tuple[str, Units, Callable[..., Step]]] = {
            CreateTree: ("CreateTreeV2", CREATE_UNITS, self._create),
            Mint: ("MintV2", MINT_UNITS, self._mint),
            Burn: ("BurnV2", BURN_UNITS, self._burn),
        }
        if arguments is None:
            return Writer(None, call.budget, MINT_UNITS, call.used).refuse(anchor.NOT_FOUND)
        name, units, act = kinds[type(arguments)]
        writer = Writer(name, call.budget, units, call.used)
        if units.total > call.budget:
            return writer.refuse("ProgramFailedToComplete")
        try:
            return act(writer, call, arguments)
        except Refusal as refusal:
            return writer.refuse(refusal.fault, *refusal.logs)
        except TreeRefused as refused:
            told = f"Program log: Error using concurrent merkle tree: {refused}"
            return writer.refuse(anchor.TREE_ERROR, told)

    def keep(self, machine: Machine) -> None:
        """The transaction succeeded: what it changed becomes the state, and accounts say so."""
        for key, tree in self.trees.items():
            if key in self.settled:
                self.settled[key].adopt(tree)
            else:
                self.settled[key] = tree
            _write(machine, key, self.settled[key].account_data(), COMPRESSION)
        for key, config in self.configs.items():
            _write(machine, key, config.encode(), BUBBLEGUM)

    def _create(self, writer: Writer, call: Invocation, asked: CreateTree) -> Step:
        config, tree, payer, maker, *programs = checks.accounts(call.used, 7)
        anchor.signer(anchor.writable(payer))
        creator = anchor.signer(maker) if checks.given(maker) else payer.key
        checks.programs(programs, NOOP, COMPRESSION, SYSTEM)
        require(config.key == tree_config(tree.key), anchor.WRONG_SEEDS)
        self._reserve(writer, call, payer, anchor.writable(config))
        found = call.view(anchor.writable(tree).key)
        require(found is not None and found.owner == COMPRESSION, anchor.WRONG_TREE_OWNER)
        assert found is not None
        require(not any(found.data) and tree.key not in self.trees, anchor.NOT_ZERO)
        canopy = checks.canopy(len(found.data), asked)
        made = Tree(tree.key, asked.depth, asked.buffer, canopy, config.key, self.slot)
        self.trees[tree.key] = made
        self.configs[config.key] = TreeConfig(
            creator, creator, 1 << asked.depth, 0, bool(asked.public)
        )
        data = _INIT_TREE + u32(asked.depth) + u32(asked.buffer)
        accounts = (tree.key, config.key, NOOP)
        writer.compression("InitEmptyMerkleTree", data, accounts, made.change_log())
        return writer.end()

    def _reserve(self, writer: Writer, call: Invocation, payer: Used, config: Used) -> None:
        """The system program makes the configuration's account, which must not be there."""
        there = call.view(config.key)
        if config.key in self.configs or (there and there.owner == BUBBLEGUM):
            raise Refusal(_IN_USE, f"Create Account: account {config.key} already in use")
        size = TreeConfig.SIZE
        lamports = max(self.rent(size) - (there.lamports if there else 0), 0)
        arguments = u32(0) + u64(lamports) + u64(size) + bytes(BUBBLEGUM)
        writer.transfer(payer.key, config.key, lamports, arguments)

    def _mint(self, writer: Writer, call: Invocation, asked: Mint) -> Step:
        used = checks.accounts(call.used, 13)
        config, payer, authority, _, owner, delegate, tree, collection, *_ = used
        state = self._config(call.view, config, tree)
        anchor.signer(anchor.writable(payer))
        anchor.writable(config)
        anchor.writable(tree)
        checks.programs(used[9:], NOOP, COMPRESSION, CORE, SYSTEM)
        more = asked.asset_data is not None or asked.asset_data_schema is not None
        require(not more and not checks.given(collection), anchor.NOT_AVAILABLE)
        minter = anchor.signer(authority) if checks.given(authority) else payer.key
        require(state.version == 1, anchor.UNSUPPORTED_VERSION)
        allowed = state.is_public or minter in (state.creator, state.delegate)
        require(allowed, anchor.WRONG_AUTHORITY)
        require(state.num_minted < state.total_mint_capacity, anchor.TREE_FULL)
        require(asked.metadata.collection is None, anchor.NO_COLLECTION)
        extra = {each.key for each in call.used[13:] if each.signs}
        checks.metadata(asked.metadata, {payer.key, minter, *extra})
        holder = delegate.key if checks.given(delegate) else None
        leaf = Leaf.of(tree.key, state.num_minted, owner.key, asked.metadata, holder)
        changed = self._tree(tree.key)
        changed.append(leaf.hash())
        self.configs[config.key] = replace(state, num_minted=state.num_minted + 1)
        writer.log(f"Program log: Leaf asset ID: {leaf.id}")
        writer.leaf_event(leaf_event(leaf))
        accounts = (tree.key, config.key, NOOP)
        writer.compression("Append", _APPEND + leaf.hash(), accounts, changed.change_log())
        fee = MINT_FEE_LAMPORTS
        writer.transfer(payer.key, config.key, fee, u32(2) + u64(fee))
        return writer.end(leaf.encode())

    def _burn(self, writer: Writer, call: Invocation, asked: Burn) -> Step:
        used = checks.accounts(call.used, 12)
        config, payer, authority, owner, delegate, tree, collection, *_ = used
        state = self._config(call.view, config, tree)
        anchor.signer(anchor.writable(payer))
        anchor.writable(tree)
        checks.programs(used[8:], NOOP, COMPRESSION, CORE, SYSTEM)
        burner = anchor.signer(authority) if checks.given(authority) else payer.key
        require(state.version == 1, anchor.UNSUPPORTED_VERSION)
        require(not checks.given(collection), anchor.NOT_AVAILABLE)
        holder = delegate.key if checks.given(delegate) else owner.key
        require(burner in (owner.key, holder), anchor.NOT_THE_OWNER)
        flags = asked.flags or 0
        require(not flags & FROZEN_FLAGS, anchor.FROZEN)
        leaf = Leaf(
            id=asset_id(tree.key, asked.nonce),
            owner=owner.key,
            delegate=holder,
            nonce=asked.nonce,
            data_hash=asked.data_hash,
            creator_hash=asked.creator_hash,
            collection_hash=collection_hash(None),
            asset_data_hash=asked.asset_data_hash or asset_data_hash(),
            flags=flags,
        )
        proof = [each.key for each in call.used[12:]]
        changed = self._tree(tree.key)
        changed.replace(asked.root, leaf.hash(), EMPTY, asked.index, [bytes(key) for key in proof])
        data = _REPLACE_LEAF + asked.root + leaf.hash() + EMPTY + u32(asked.index)
        accounts = (tree.key, config.key, NOOP, *proof)
        writer.compression("ReplaceLeaf", data, accounts, changed.change_log())
        return writer.end()

    def _config(self, view: View, config: Used, tree: Used) -> TreeConfig:
        require(config.key == tree_config(tree.key), anchor.WRONG_SEEDS)
        if config.key in self.configs:
            return self.configs[config.key]
        account = view(config.key)
        require(account is not None, anchor.NOT_INITIALIZED)
        assert account is not None
        require(account.owner == BUBBLEGUM, anchor.WRONG_OWNER)
        return TreeConfig.decode(bytes(account.data))

    def _tree(self, key: Pubkey) -> Tree:
        """Made by an earlier instruction of the transaction, or a fork of what is settled."""
        if key not in self.trees:
            self.trees[key] = self.settled[key].fork()
        return self.trees[key]


def _write(machine: Machine, key: Pubkey, data: bytes, owner: Pubkey) -> None:
    account = machine.account(key)
    assert account is not None, "the transaction has just paid for it"
    machine.put(key, Account(account.lamports, data, owner, False, account.rent_epoch))
