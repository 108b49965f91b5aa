"""What one honest node tells, on a real chain that is reorganised, replaced and reverted."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from consumers.gateways.evm import EvmRpc
from consumers.gateways.ports import MintSeen, WillNotWork
from domain import calldata
from tests.contracts.chain import PRICE, Chain, encoded_call, new_order_ref
from tests.gateways.evm_side import evm_rpc


@pytest.fixture
async def rpc(chain: Chain) -> AsyncIterator[EvmRpc]:
    async with evm_rpc(chain, chain.url) as reader:
        yield reader


def forwarded(chain: Chain, forwarder: str, calls: list[tuple[str, str]]) -> str:
    """Make `calls` of (to, calldata) as `forwarder`, in one transaction."""
    inner = [(to, bytes.fromhex(data[2:])) for to, data in calls]
    data = "0x" + encoded_call("forward((address,bytes)[])", inner)
    return chain.send(chain.wallets[0], forwarder, data)


def rich_forwarder(chain: Chain) -> str:
    """A contract wallet with a thousand payment tokens."""
    forwarder = chain.deploy("Forwarder", [], []).lower()
    data = "0x" + encoded_call("transfer(address,uint256)", forwarder, 1_000 * 10**6)
    chain.send(chain.wallet(), chain.token, data)
    return forwarder


async def test_a_mint_is_seen_with_everything_its_event_tells(chain: Chain, rpc: EvmRpc) -> None:
    payer, order_ref = chain.wallet(), new_order_ref()
    tx_hash = chain.pay_and_mint(payer, order_ref)
    receipt = chain.receipt(tx_hash)
    expected = MintSeen(
        kind="mint",
        order_ref=order_ref,
        contract=chain.role_mint,
        tx_hash=tx_hash,
        block_number=int(receipt["blockNumber"], 16),
        block_hash=receipt["blockHash"],
        log_index=int(receipt["logs"][-1]["logIndex"], 16),
        payer=payer,
        recipient=chain.treasury,
        token=chain.token,
        amount=PRICE,
        token_id=int(receipt["logs"][-1]["topics"][3], 16),
    )
    seen = await rpc.transaction(tx_hash)
    assert seen is not None
    assert (seen.sender, seen.succeeded, seen.mints) == (payer, True, (expected,))
    assert await rpc.mints_of(order_ref, from_block=0) == [expected]
    assert await rpc.mints_between(expected.block_number, expected.block_number) == [expected]
    assert await rpc.block_hash(expected.block_number) == expected.block_hash


async def test_a_payment_without_a_mint_has_no_token(chain: Chain, rpc: EvmRpc) -> None:
    order_ref = new_order_ref()
    chain.pay(chain.wallet(), order_ref)
    (seen,) = await rpc.mints_of(order_ref, from_block=0)
    assert (seen.kind, seen.token_id, seen.amount) == ("payment", None, PRICE)


async def test_the_amount_is_what_was_paid_not_what_was_asked(chain: Chain, rpc: EvmRpc) -> None:
    order_ref = new_order_ref()
    chain.pay_and_mint(chain.wallet(), order_ref, PRICE - 1)
    assert [seen.amount for seen in await rpc.mints_of(order_ref, from_block=0)] == [PRICE - 1]


async def test_whoever_pays_for_an_order_is_named(chain: Chain, rpc: EvmRpc) -> None:
    order_ref, stranger = new_order_ref(), chain.wallet()
    chain.pay_and_mint(stranger, order_ref)
    assert [seen.payer for seen in await rpc.mints_of(order_ref, from_block=0)] == [stranger]


async def test_two_payments_for_one_order_are_both_seen(chain: Chain, rpc: EvmRpc) -> None:
    order_ref = new_order_ref()
    hashes = [chain.pay_and_mint(chain.wallet(), order_ref) for _ in range(2)]
    assert [seen.tx_hash for seen in await rpc.mints_of(order_ref, from_block=0)] == hashes


async def test_a_mint_through_another_contract_is_the_contracts(chain: Chain, rpc: EvmRpc) -> None:
    forwarder, order_ref = rich_forwarder(chain), new_order_ref()
    tx_hash = forwarded(
        chain,
        forwarder,
        [
            (chain.token, calldata.approve(chain.role_mint, PRICE)),
            (chain.role_mint, calldata.mint(order_ref, PRICE)),
        ],
    )
    seen = await rpc.transaction(tx_hash)
    assert seen is not None
    assert [(mint.payer, mint.amount) for mint in seen.mints] == [(forwarder, PRICE)]
    assert seen.sender == chain.wallets[0]


async def test_only_our_contracts_events_count_in_a_crowded_receipt(
    chain: Chain, rpc: EvmRpc
) -> None:
    """A copy of our contract that takes a worthless token speaks the very same events."""
    owner = chain.wallets[0]
    forwarder, mine, theirs = rich_forwarder(chain), new_order_ref(), new_order_ref()
    worthless = chain.deploy("PaymentToken", ["address"], [owner]).lower()
    chain.send(owner, worthless, "0x" + encoded_call("mint(address,uint256)", forwarder, 10**12))
    terms = [worthless, chain.treasury, owner]
    copy = chain.deploy("RoleMint", ["address"] * 3, terms).lower()
    tx_hash = forwarded(
        chain,
        forwarder,
        [
            (worthless, calldata.approve(copy, 10**12)),
            (chain.token, calldata.approve(chain.role_mint, 10 * PRICE)),
            (copy, calldata.mint(mine, PRICE)),
            (chain.role_mint, calldata.mint(mine, PRICE)),
            (chain.token, "0x" + encoded_call("transfer(address,uint256)", chain.treasury, 5)),
            (copy, calldata.mint(theirs, PRICE)),
            (chain.role_mint, calldata.pay(theirs, 3)),
            (chain.role_mint, calldata.mint(mine, 0)),
        ],
    )
    seen = await rpc.transaction(tx_hash)
    assert seen is not None
    assert [(mint.kind, mint.order_ref, mint.amount) for mint in seen.mints] == [
        ("mint", mine, PRICE),
        ("payment", theirs, 3),
        ("mint", mine, 0),
    ]
    assert {mint.contract for mint in seen.mints} == {chain.role_mint}
    assert await rpc.mints_of(mine, from_block=0) == [seen.mints[0], seen.mints[2]]


async def test_a_reverted_mint_is_no_mint(chain: Chain, rpc: EvmRpc) -> None:
    order_ref = new_order_ref()
    tx_hash = chain.send(chain.wallet(), chain.role_mint, calldata.mint(order_ref, 10**18))
    seen = await rpc.transaction(tx_hash)
    assert seen is not None
    assert (seen.succeeded, seen.mints) == (False, ())
    assert await rpc.mints_of(order_ref, from_block=0) == []


async def test_a_reorganisation_takes_the_evidence_back(chain: Chain, rpc: EvmRpc) -> None:
    order_ref = new_order_ref()
    tx_hash = chain.pay_and_mint(chain.wallet(), order_ref)
    (seen,) = await rpc.mints_of(order_ref, from_block=0)
    chain.call("anvil_reorg", 1, [])
    assert await rpc.block_hash(seen.block_number) != seen.block_hash
    assert await rpc.transaction(tx_hash) is None
    assert await rpc.mints_of(order_ref, from_block=0) == []
    assert await rpc.mints_between(seen.block_number, chain.head()) == []


async def test_a_transaction_in_the_pool_is_waiting(chain: Chain, rpc: EvmRpc) -> None:
    with chain.mining_by_hand():
        tx_hash = chain.pay_and_mint(chain.wallet(), new_order_ref())
        seen = await rpc.transaction(tx_hash)
        assert seen is not None
        assert (seen.block_number, seen.block_hash, seen.succeeded) == (None, None, None)
        assert seen.mints == ()


async def test_a_dropped_transaction_is_unknown(chain: Chain, rpc: EvmRpc) -> None:
    with chain.mining_by_hand():
        tx_hash = chain.pay_and_mint(chain.wallet(), new_order_ref())
        chain.call("anvil_dropTransaction", tx_hash)
        assert await rpc.transaction(tx_hash) is None


async def test_a_sped_up_mint_is_found_by_its_order(chain: Chain, rpc: EvmRpc) -> None:
    payer, order_ref = chain.wallet(), new_order_ref()
    chain.approve(payer)
    data = calldata.mint(order_ref, PRICE)
    with chain.mining_by_hand():
        slow = chain.send(payer, chain.role_mint, data, gasPrice=hex(10 * 10**9))
        before = await rpc.transaction(slow)
        assert before is not None
        fast = chain.send(
            payer, chain.role_mint, data, gasPrice=hex(20 * 10**9), nonce=hex(before.nonce)
        )
        chain.mine()
    assert await rpc.transaction(slow) is None
    (seen,) = await rpc.mints_of(order_ref, from_block=0)
    assert seen.tx_hash == fast
    assert await rpc.nonce_at(payer, seen.block_number - 1) == before.nonce
    assert await rpc.nonce_at(payer, seen.block_number) == before.nonce + 1


async def test_the_head_is_the_chains_own_number_and_clock(chain: Chain, rpc: EvmRpc) -> None:
    chain.call("evm_increaseTime", 1_000)
    chain.mine()
    block = chain.call("eth_getBlockByNumber", "latest", False)
    head = await rpc.head()
    assert hex(head.number) == block["number"]
    assert (head.hash, hex(head.time)) == (block["hash"], block["timestamp"])


async def test_blocks_that_do_not_exist_hold_nothing(chain: Chain, rpc: EvmRpc) -> None:
    beyond = chain.head() + 1
    assert await rpc.block_hash(beyond) is None
    assert await rpc.mints_of(new_order_ref(), from_block=beyond) == []
    assert await rpc.final_mint_of(new_order_ref(), from_block=beyond) is None


async def test_what_is_not_a_hash_is_not_asked_for(rpc: EvmRpc) -> None:
    with pytest.raises(WillNotWork):
        await rpc.transaction("0xnonsense")
