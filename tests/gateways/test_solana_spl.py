"""Tokens of their own: minted once, to their owner, and by nobody ever again."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata
from spl.token.instructions import get_associated_token_address

from consumers.gateways import base58
from consumers.gateways.ports import TryAgain, WillNotWork
from consumers.gateways.solana_ports import Blockhash, MintWanted, Prepared, TokenSeen
from consumers.gateways.solana_spl import SplMinter
from consumers.gateways.solana_tokens import TOKEN
from consumers.gateways.solana_wire import PACKET_BYTES
from tests.gateways.solana_side import (
    AUTHORITY,
    RECENT,
    TREASURY,
    WALLET,
    Network,
    Node,
    network,
    solana_rpc,
)

OWNER = str(WALLET.pubkey())
WANTED = MintWanted(OWNER, "MPFP #1", "https://gateway.irys.xyz/" + "a" * 43, "batch:1/2")
SOL = 10**9


@pytest.fixture(scope="module")
async def net() -> AsyncIterator[Network]:
    async with network() as made:
        yield made


@pytest.fixture
def svm() -> LiteSVM:
    """The real token program."""
    made = LiteSVM()
    made.airdrop(AUTHORITY.pubkey(), SOL)
    made.airdrop(WALLET.pubkey(), SOL)
    return made


def minter(net: Network, **options: Any) -> SplMinter:
    chain = solana_rpc(net.client, net.fronts[0].url)
    return SplMinter(chain=chain, authority=AUTHORITY, treasury=TREASURY, **options)


def latest(svm: LiteSVM) -> Blockhash:
    return Blockhash(str(svm.latest_blockhash()), 150)


def whole(raw: str) -> VersionedTransaction:
    return VersionedTransaction.from_bytes(base64.b64decode(raw))


def signed(prepared: Prepared) -> VersionedTransaction:
    handed = whole(prepared.raw)
    place = list(handed.message.account_keys).index(WALLET.pubkey())
    signatures = list(handed.signatures)
    signatures[place] = WALLET.sign_message(base64.b64decode(prepared.message))
    return VersionedTransaction.populate(handed.message, signatures)


def mint_of(prepared: Prepared) -> Pubkey:
    return next(
        key for key in whole(prepared.raw).message.account_keys[1:3] if key != WALLET.pubkey()
    )


def told(svm: LiteSVM, prepared: Prepared, node: Node, owner: str = OWNER) -> None:
    """As a node tells of the landed mint, with the account as the program left it."""
    transaction, mint = whole(prepared.raw), mint_of(prepared)
    message = transaction.message
    instructions = [
        {"programIdIndex": one.program_id_index, "data": base58.encode(bytes(one.data))}
        for one in message.instructions
    ]
    held = {"mint": str(mint), "owner": owner, "uiTokenAmount": {"amount": "1", "decimals": 0}}
    keys = [str(key) for key in message.account_keys]
    node.transactions[prepared.signature] = {
        "slot": 88,
        "transaction": {
            "signatures": [str(each) for each in transaction.signatures],
            "message": {"accountKeys": keys, "instructions": instructions},
        },
        "meta": {"err": None, "preTokenBalances": [], "postTokenBalances": [held]},
    }
    account = svm.get_account(mint)
    assert account is not None
    data = base64.b64encode(bytes(account.data)).decode()
    node.accounts[str(mint)] = {"owner": str(account.owner), "data": [data, "base64"]}


async def test_a_token_is_minted_once_and_nobody_can_mint_more(net: Network, svm: LiteSVM) -> None:
    prepared = minter(net).sign_mint(WANTED, "", latest(svm))
    svm.send_transaction(whole(prepared.raw))
    held = svm.get_account(get_associated_token_address(WALLET.pubkey(), mint_of(prepared)))
    assert held is not None and int.from_bytes(bytes(held.data)[64:72], "little") == 1
    _, (node,), _ = await net.of()
    assert await minter(net).token(prepared.signature, WANTED) is None
    told(svm, prepared, node)
    seen = await minter(net).token(prepared.signature, WANTED)
    assert seen == TokenSeen(str(mint_of(prepared)), "", 0, 88)


async def test_a_unit_signed_anew_has_the_same_mint_and_lands_only_once(
    net: Network, svm: LiteSVM
) -> None:
    first = minter(net).sign_mint(WANTED, "", latest(svm))
    svm.send_transaction(whole(first.raw))
    svm.expire_blockhash()
    second = minter(net).sign_mint(WANTED, "", latest(svm))
    assert mint_of(first) == mint_of(second) and first.signature != second.signature
    assert isinstance(svm.send_transaction(whole(second.raw)), FailedTransactionMetadata)
    other = MintWanted(OWNER, WANTED.name, WANTED.uri, "batch:1/3")
    assert mint_of(minter(net).sign_mint(other, "", RECENT)) != mint_of(first)


async def test_payment_and_mint_are_one_transaction_of_the_wallet(
    net: Network, svm: LiteSVM
) -> None:
    minting = minter(net, priority_fee=10_000)
    prepared = minting.prepare_paid_mint(WANTED, "", 5_000_000, latest(svm))
    assert len(base64.b64decode(prepared.raw)) <= PACKET_BYTES
    unsigned = svm.send_transaction(whole(prepared.raw))
    assert isinstance(unsigned, FailedTransactionMetadata)
    landed = svm.send_transaction(signed(prepared))
    assert not isinstance(landed, FailedTransactionMetadata)
    assert svm.get_balance(Pubkey.from_string(TREASURY)) == 5_000_000
    assert svm.get_balance(WALLET.pubkey()) == SOL - 5_000_000
    assert svm.get_account(mint_of(prepared)) is not None
    free = MintWanted(OWNER, WANTED.name, WANTED.uri, "batch:1/4")
    assert len(whole(minting.prepare_paid_mint(free, "", 0, RECENT).raw).signatures) == 3


async def test_another_token_than_was_wanted_is_not_believed(net: Network, svm: LiteSVM) -> None:
    prepared = minter(net).sign_mint(WANTED, "", latest(svm))
    svm.send_transaction(whole(prepared.raw))
    _, (node,), _ = await net.of()
    told(svm, prepared, node, owner=TREASURY)
    with pytest.raises(WillNotWork):
        await minter(net).token(prepared.signature, WANTED)
    told(svm, prepared, node)
    other = MintWanted(OWNER, WANTED.name, "https://other", WANTED.reference)
    with pytest.raises(WillNotWork):
        await minter(net).token(prepared.signature, other)
    mint = bytearray(bytes(svm.get_account(mint_of(prepared)).data))
    mint[0] = 1  # it has an authority
    encoded = base64.b64encode(bytes(mint)).decode()
    node.accounts[str(mint_of(prepared))] = {"owner": str(TOKEN), "data": [encoded, "base64"]}
    with pytest.raises(WillNotWork):
        await minter(net).token(prepared.signature, WANTED)
    node.accounts.clear()
    with pytest.raises(TryAgain):
        await minter(net).token(prepared.signature, WANTED)
