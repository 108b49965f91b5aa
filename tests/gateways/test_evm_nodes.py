"""Several nodes, some of them dead, slow, behind or lying: which of them are believed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from consumers.gateways.evm_abi import ROLE_MINTED
from consumers.gateways.ports import TryAgain, WillNotWork
from embedded.place import Place
from tests.contracts.chain import PRICE, Chain, new_order_ref
from tests.contracts.twisted_node import (
    Dropped,
    Question,
    Silence,
    Twist,
    failing,
    on,
    twisted_node,
)
from tests.gateways.evm_side import evm_rpc

STRANGER = "0x" + "66" * 20


@pytest.fixture
def dead_url(tmp_path: Path) -> str:
    """A port of ours where nobody listens."""
    place = Place.at(tmp_path)
    return f"http://127.0.0.1:{place.ports['dead']}"


def receipt_with(change: Callable[[dict[str, Any]], Any]) -> Twist:
    def altered(receipt: dict[str, Any]) -> dict[str, Any]:
        if receipt is not None:
            change(receipt)
        return receipt

    return on("eth_getTransactionReceipt", altered)


def more_money(receipt: dict[str, Any]) -> None:
    for log in receipt["logs"]:
        if len(log["data"]) >= 66:
            log["data"] = log["data"][:-64] + f"{10**12:064x}"


def other_payer(receipt: dict[str, Any]) -> None:
    for log in receipt["logs"]:
        log["topics"] = [
            topic if index == 0 or not topic.startswith("0x" + "0" * 24) or int(topic, 16) < 2**128
            else "0x" + "0" * 24 + STRANGER[2:]
            for index, topic in enumerate(log["topics"])
        ]  # fmt: skip


def nothing_happened(receipt: dict[str, Any]) -> None:
    receipt["logs"] = []


LIES = {
    "more money": receipt_with(more_money),
    "another payer": receipt_with(other_payer),
    "no logs": receipt_with(nothing_happened),
    "reverted": receipt_with(lambda receipt: receipt.update(status="0x0", logs=[])),
    "no such transaction": on("eth_getTransactionByHash", lambda _: None),
    "another block": on("eth_getBlockByNumber", lambda block: block | {"hash": "0x" + "1" * 64}),
}


@pytest.mark.parametrize("lie", LIES)
async def test_one_lie_beside_one_truth_is_nothing_to_act_on(chain: Chain, lie: str) -> None:
    tx_hash = chain.pay_and_mint(chain.wallet(), new_order_ref())
    async with (
        twisted_node(chain.url, LIES[lie]) as liar,
        evm_rpc(chain, liar.url, chain.url) as rpc,
    ):
        with pytest.raises(TryAgain):
            await rpc.transaction(tx_hash)


@pytest.mark.parametrize("lie", LIES)
async def test_two_truths_are_believed_beside_a_lie(chain: Chain, lie: str) -> None:
    order_ref = new_order_ref()
    tx_hash = chain.pay_and_mint(chain.wallet(), order_ref)
    async with (
        twisted_node(chain.url, LIES[lie]) as liar,
        twisted_node(chain.url) as honest,
        evm_rpc(chain, liar.url, honest.url, chain.url) as rpc,
    ):
        seen = await rpc.transaction(tx_hash)
        assert seen is not None
        assert [mint.amount for mint in seen.mints] == [PRICE]
        assert await rpc.mints_of(order_ref, from_block=0) == list(seen.mints)


async def test_a_mint_that_one_node_made_up_is_not_seen(chain: Chain) -> None:
    """The liar tells of a mint of another order, in logs and in the receipt, without a flaw."""
    paid, unpaid = new_order_ref(), new_order_ref()
    chain.pay_and_mint(chain.wallet(), paid)

    def twist(question: Question, result: Any) -> Any:
        told = repr(question["params"]).replace(unpaid, paid)
        if question["method"] == "eth_getLogs" and told != repr(question["params"]):
            topics = [[ROLE_MINTED], paid]
            return chain.call("eth_getLogs", question["params"][0] | {"topics": topics})
        if question["method"] == "eth_getTransactionReceipt":
            for log in result["logs"]:
                log["topics"] = [unpaid if each == paid else each for each in log["topics"]]
        return result

    async with twisted_node(chain.url, twist) as liar:
        async with evm_rpc(chain, liar.url) as gullible:
            assert [each.amount for each in await gullible.mints_of(unpaid, from_block=0)] == [
                PRICE
            ]
        async with evm_rpc(chain, liar.url, chain.url) as rpc:
            with pytest.raises(TryAgain, match="disagree"):
                await rpc.mints_of(unpaid, from_block=0)


async def test_the_same_address_twice_is_one_node(chain: Chain) -> None:
    tx_hash = chain.pay_and_mint(chain.wallet(), new_order_ref())
    async with (
        twisted_node(chain.url, LIES["more money"]) as liar,
        evm_rpc(chain, liar.url, liar.url, chain.url) as rpc,
    ):
        with pytest.raises(TryAgain):
            await rpc.transaction(tx_hash)


async def test_one_node_cannot_make_a_payment_look_deep(chain: Chain) -> None:
    ahead = on("eth_getBlockByNumber", lambda block: block | {"number": hex(10**9)})
    async with (
        twisted_node(chain.url, ahead) as liar,
        evm_rpc(chain, liar.url, chain.url) as rpc,
    ):
        assert (await rpc.head()).number == chain.head()


async def test_one_node_cannot_say_that_a_nonce_was_used(chain: Chain) -> None:
    used = on("eth_getTransactionCount", lambda _: hex(99))
    async with twisted_node(chain.url, used) as liar, evm_rpc(chain, liar.url, chain.url) as rpc:
        with pytest.raises(TryAgain):
            await rpc.nonce_at(chain.wallet(), chain.head())


async def test_a_dead_node_is_not_missed_while_two_others_agree(
    chain: Chain, dead_url: str
) -> None:
    order_ref = new_order_ref()
    chain.pay_and_mint(chain.wallet(), order_ref)
    async with (
        twisted_node(chain.url) as other,
        evm_rpc(chain, dead_url, other.url, chain.url) as rpc,
    ):
        assert len(await rpc.mints_of(order_ref, from_block=0)) == 1


async def test_one_living_node_of_two_is_not_enough(chain: Chain, dead_url: str) -> None:
    async with evm_rpc(chain, dead_url, chain.url) as rpc:
        with pytest.raises(TryAgain) as failure:
            await rpc.mints_between(0, chain.head())
    assert failure.value.error_class == "transient"


async def test_a_dead_node_is_asked_again_and_answers_when_it_is_back(chain: Chain) -> None:
    down = True

    def twist(_: Question, result: Any) -> Any:
        if down:
            raise Dropped
        return result

    async with twisted_node(chain.url, twist) as node, evm_rpc(chain, node.url) as rpc:
        with pytest.raises(TryAgain):
            await rpc.head()
        down = False
        assert (await rpc.head()).number == chain.head()


async def test_a_slow_node_costs_no_more_than_the_time_out(chain: Chain) -> None:
    async with (
        twisted_node(chain.url, failing(Silence())) as slow,
        evm_rpc(chain, slow.url, timeout_s=0.2) as rpc,
    ):
        start = monotonic()
        with pytest.raises(TryAgain):
            await rpc.head()
        assert monotonic() - start < 2


async def test_a_slow_node_is_not_waited_for_when_two_others_agree(chain: Chain) -> None:
    async with (
        twisted_node(chain.url, failing(Silence())) as slow,
        twisted_node(chain.url) as other,
        evm_rpc(chain, slow.url, other.url, chain.url, timeout_s=30.0) as rpc,
    ):
        start = monotonic()
        await rpc.head()
        assert monotonic() - start < 5


async def test_a_node_that_lags_behind_has_no_say(chain: Chain) -> None:
    chain.mine(3)
    behind = chain.head() - 2

    def lagging(question: Question, result: Any) -> Any:
        if question["method"] == "eth_getBlockByNumber" and result is not None:
            return result if int(result["number"], 16) <= behind else None
        return result

    async with twisted_node(chain.url, lagging) as node, evm_rpc(chain, node.url) as rpc:
        with pytest.raises(TryAgain, match="has not reached"):
            await rpc.mints_between(0, behind + 1)


async def test_a_node_on_another_chain_will_not_work(chain: Chain) -> None:
    async with evm_rpc(chain, chain.url, chain_id=1) as rpc:
        with pytest.raises(WillNotWork, match="chain '0x2105', not 1"):
            await rpc.head()
