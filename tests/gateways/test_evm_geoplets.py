"""USDC payments and Geoplets, read from a real chain with Circle's token on it."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.gateways.geoplets_abi import GEOPLET_MINTED
from consumers.gateways.ports import TryAgain
from consumers.gateways.x402_ports import AuthorizationSeen, GeopletSeen
from tests.contracts.chain import Chain, encoded_call
from tests.contracts.twisted_node import Question, on, twisted_node
from tests.gateways.geoplets_side import PRICE, Payer, fids, geoplet_rpc


@pytest.fixture
def payer(chain: Chain) -> Payer:
    return Payer(chain, 1)


def usdc(chain: Chain) -> str:
    return chain.contracts["usdc"]


async def test_a_payment_is_found_whoever_sent_it(chain: Chain, payer: Payer) -> None:
    said, stranger = payer.authorization(), chain.wallets[7]
    async with geoplet_rpc(chain) as rpc:
        assert not await rpc.authorization_used(said.payer, said.nonce)
        assert await rpc.use_of(said.payer, said.nonce, from_block=0) is None
        tx_hash = payer.pays(said, sender=stranger)
        assert await rpc.authorization_used(said.payer, said.nonce)
        seen = await rpc.use_of(said.payer.upper().replace("X", "x"), said.nonce, from_block=0)
    receipt = chain.receipt(tx_hash)
    assert seen == AuthorizationSeen(
        payer=payer.address,
        nonce=said.nonce,
        pay_to=chain.contracts["pay_to"].lower(),
        amount=PRICE,
        tx_hash=tx_hash,
        block_number=int(receipt["blockNumber"], 16),
        block_hash=receipt["blockHash"],
        log_index=0,
    )


async def test_a_cancelled_authorization_paid_nothing(chain: Chain, payer: Payer) -> None:
    said = payer.authorization()
    tx_hash = chain.send(payer.address, usdc(chain), payer.cancellation(said))
    async with geoplet_rpc(chain) as rpc:
        assert await rpc.authorization_used(said.payer, said.nonce)
        seen = await rpc.use_of(said.payer, said.nonce, from_block=0)
        head = await rpc.head()
        assert await rpc.sightings(head.number, head.number) == []
    assert seen is not None
    assert (seen.tx_hash, seen.amount, seen.pay_to) == (tx_hash, 0, "")


async def test_only_what_failed_in_a_block_is_reverted(chain: Chain, payer: Payer) -> None:
    said = payer.authorization()
    good, again = (
        chain.send(chain.wallets[7], usdc(chain), payer.transfer(said)) for _ in range(2)
    )
    async with geoplet_rpc(chain) as rpc:
        assert [await rpc.reverted(each) for each in (good, again)] == [False, True]
        assert not await rpc.reverted("0x" + "ab" * 32)


async def test_a_payment_to_somebody_else_paid_us_nothing(chain: Chain, payer: Payer) -> None:
    other = chain.wallets[5]
    said = payer.authorization(pay_to=other)
    payer.pays(said)
    async with geoplet_rpc(chain) as rpc:
        seen = await rpc.use_of(said.payer, said.nonce, from_block=0)
        head = await rpc.head()
        assert await rpc.sightings(head.number, head.number) == []
    assert seen is not None and (seen.pay_to, seen.amount) == (other, 0)


async def test_a_batch_pairs_each_use_with_its_own_transfer(chain: Chain, payer: Payer) -> None:
    batch = chain.deploy("Forwarder", [], [])
    theirs = payer.authorization(pay_to=chain.wallets[5], value=PRICE)
    ours, cancelled = payer.authorization(value=PRICE), payer.authorization()
    second = Payer(chain, 2).authorization(value=900_000)
    calls = [
        payer.cancellation(cancelled),
        payer.transfer(theirs),
        payer.transfer(ours),
        Payer(chain, 2).transfer(second),
    ]
    each = [(usdc(chain), bytes.fromhex(data[2:])) for data in calls]
    tx_hash = chain.send(payer.address, batch, "0x" + forwarded(each))
    assert chain.receipt(tx_hash)["status"] == "0x1"
    async with geoplet_rpc(chain) as rpc:
        amounts = {}
        for said in (cancelled, theirs, ours, second):
            seen = await rpc.use_of(said.payer, said.nonce, from_block=0)
            assert seen is not None and seen.tx_hash == tx_hash
            amounts[said.nonce] = seen.amount
        head = await rpc.head()
        sighted = await rpc.sightings(head.number, head.number)
    assert list(amounts.values()) == [0, 0, PRICE, 900_000]
    assert [seen.nonce for seen in sighted if isinstance(seen, AuthorizationSeen)] == [
        ours.nonce,
        second.nonce,
    ]


def forwarded(calls: list[tuple[str, bytes]]) -> str:
    """`forward((address,bytes)[])`, whose argument `encoded_call` takes as one list."""
    return encoded_call("forward((address,bytes)[])", calls)


async def test_a_plain_transfer_is_nobodys_payment(chain: Chain, payer: Payer) -> None:
    data = encoded_call("transfer(address,uint256)", chain.contracts["pay_to"], PRICE)
    chain.send(payer.address, usdc(chain), "0x" + data)
    async with geoplet_rpc(chain) as rpc:
        head = await rpc.head()
        assert await rpc.sightings(head.number, head.number) == []


async def test_payments_and_mints_are_sighted_in_the_order_of_the_chain(
    chain: Chain, payer: Payer
) -> None:
    first, second, fid = payer.authorization(), payer.authorization(), next(fids)
    start = chain.head() + 1
    hashes = [payer.pays(first), payer.mints(fid), payer.pays(second)]
    async with geoplet_rpc(chain, log_range_blocks=1) as rpc:
        sighted = await rpc.sightings(start, chain.head())
        assert await rpc.sightings(start, start) == sighted[:1]
        assert await rpc.sightings(start + 1, start) == []
    assert [seen.tx_hash for seen in sighted] == hashes
    paid, minted, again = sighted
    assert isinstance(paid, AuthorizationSeen) and paid.nonce == first.nonce
    assert isinstance(minted, GeopletSeen) and (minted.fid, minted.owner) == (fid, payer.address)
    assert isinstance(again, AuthorizationSeen) and again.nonce == second.nonce


async def test_a_mint_is_found_by_its_fid(chain: Chain, payer: Payer) -> None:
    fid, other = next(fids), next(fids)
    async with geoplet_rpc(chain) as rpc:
        assert not await rpc.fid_minted(fid)
        tx_hash = payer.mints(fid)
        payer.mints(other)
        assert await rpc.fid_minted(fid)
        seen = await rpc.geoplet_of(fid, from_block=0)
        assert seen is not None
        assert (seen.fid, seen.owner, seen.tx_hash) == (fid, payer.address, tx_hash)
        assert await rpc.geoplet_of(fid, from_block=seen.block_number + 1) is None
        assert await rpc.geoplet_of(10**6, from_block=0) is None
        assert await rpc.block_hash(seen.block_number) == seen.block_hash


async def test_a_block_has_the_chains_time(chain: Chain) -> None:
    async with geoplet_rpc(chain) as rpc:
        head = await rpc.head()
        assert await rpc.block(head.number) == head
        assert await rpc.block_hash(head.number) == head.hash
        assert await rpc.block(head.number + 5) is None


async def test_a_reorg_takes_the_payment_back(chain: Chain, payer: Payer) -> None:
    said = payer.authorization()
    chain.mine(3)
    payer.pays(said)
    async with geoplet_rpc(chain) as rpc:
        paid = await rpc.use_of(said.payer, said.nonce, from_block=0)
        assert paid is not None
        chain.call("anvil_reorg", 2, [])
        assert await rpc.use_of(said.payer, said.nonce, from_block=0) is None
        assert not await rpc.authorization_used(said.payer, said.nonce)
        assert await rpc.block_hash(paid.block_number) != paid.block_hash
        again = payer.pays(said)
        found = await rpc.use_of(said.payer, said.nonce, from_block=0)
    assert found is not None and found.tx_hash == again


async def test_a_node_that_lags_says_nothing(chain: Chain, payer: Payer) -> None:
    """It has not seen the payment; that is no proof that there was none."""
    said, fid = payer.authorization(), next(fids)
    async with twisted_node(chain.url) as node, geoplet_rpc(chain, node.url) as rpc:
        before = chain.head()
        payer.pays(said)
        payer.mints(fid)
        await rpc.head()
        node.twist = lagging_at(before)
        for question in (
            rpc.authorization_used(said.payer, said.nonce),
            rpc.fid_minted(fid),
            rpc.use_of(said.payer, said.nonce, from_block=0),
            rpc.geoplet_of(fid, from_block=0),
            rpc.sightings(before, before + 2),
        ):
            with pytest.raises(TryAgain):
                await question


def lagging_at(number: int) -> Any:
    """A node whose chain ends there, without a trace of what came later."""

    def twist(question: Question, result: Any) -> Any:
        method, params = question["method"], question["params"]
        if method == "eth_getBlockByNumber" and params[0] == "latest":
            return {**result, "number": hex(number)}
        if method == "eth_getBlockByNumber" and int(params[0], 16) > number:
            return None
        if method == "eth_getLogs":
            return []
        return "0x" + "0" * 64 if method == "eth_call" else result

    return twist


async def test_two_nodes_must_see_the_same_payment(chain: Chain, payer: Payer) -> None:
    said = payer.authorization()
    payer.pays(said)
    poorer = on("eth_getTransactionReceipt", cheaper)
    async with twisted_node(chain.url, poorer) as liar:
        async with geoplet_rpc(chain, liar.url, chain.url) as rpc:
            with pytest.raises(TryAgain, match="disagree"):
                await rpc.use_of(said.payer, said.nonce, from_block=0)
        async with (
            twisted_node(chain.url) as honest,
            geoplet_rpc(chain, liar.url, chain.url, honest.url) as rpc,
        ):
            seen = await rpc.use_of(said.payer, said.nonce, from_block=0)
    assert seen is not None and seen.amount == PRICE


def cheaper(receipt: dict[str, Any]) -> dict[str, Any]:
    receipt["logs"][1]["data"] = f"0x{1:064x}"
    return receipt


async def test_a_wrong_address_is_no_answer(chain: Chain, payer: Payer) -> None:
    """Where no contract is, a call gives nothing, which must not read as "not used"."""
    async with geoplet_rpc(chain, token="0x" + "99" * 20, geoplets="0x" + "98" * 20) as rpc:
        with pytest.raises(TryAgain, match="malformed"):
            await rpc.authorization_used(payer.address, "0x" + "00" * 32)
        with pytest.raises(TryAgain, match="malformed"):
            await rpc.fid_minted(1)


async def test_a_node_that_tells_of_two_mints_of_one_fid_is_not_believed(
    chain: Chain, payer: Payer
) -> None:
    fid = next(fids)
    payer.mints(fid)

    def twice(receipt: dict[str, Any]) -> dict[str, Any]:
        (minted,) = (log for log in receipt["logs"] if log["topics"][0] == GEOPLET_MINTED)
        index = hex(int(receipt["logs"][-1]["logIndex"], 16) + 1)
        receipt["logs"].append({**minted, "logIndex": index})
        return receipt

    async with (
        twisted_node(chain.url, on("eth_getTransactionReceipt", twice)) as node,
        geoplet_rpc(chain, node.url) as rpc,
    ):
        with pytest.raises(TryAgain, match="2 mints of one fid"):
            await rpc.geoplet_of(fid, from_block=0)
