"""A node that answers badly: every fault has its class, and none is an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from consumers.gateways.evm import EvmRpc
from consumers.gateways.ports import Failure, TryAgain
from tests.contracts.chain import Chain, new_order_ref
from tests.contracts.twisted_node import (
    Cut,
    Dropped,
    Fault,
    Question,
    Raw,
    error,
    failing,
    on,
    twisted_node,
)
from tests.gateways.evm_side import evm_rpc

FAULTS: dict[str, tuple[Fault, str]] = {
    "500": (Raw(b"oops", 500), "transient"),
    "502 page": (Raw(b"<html>bad gateway</html>", 502), "transient"),
    "429": (Raw(b"", 429, {"retry-after": "7"}), "throttled"),
    "402": (Raw(b"", 402), "quota"),
    "401": (Raw(b"no key", 401), "invalid"),
    "not JSON": (Raw(b"hello"), "transient"),
    "a list": (Raw(b"[]"), "transient"),
    "empty": (Raw(b""), "transient"),
    "deep": (Raw(b"[" * 100_000), "transient"),
    "another id": (Raw(b'{"jsonrpc":"2.0","id":777777,"result":null}'), "transient"),
    "error in a 200": (error(-32000, "header not found"), "transient"),
    "pruned": (error(-32000, "missing trie node 1f"), "transient"),
    "rate in a 200": (error(-32005, "Too Many Requests"), "throttled"),
    "quota in a 200": (error(-32005, "daily request count exceeded"), "quota"),
    "unknown method": (error(-32601, "the method does not exist"), "invalid"),
    "dropped": (Dropped(), "transient"),
    "cut": (Cut(), "transient"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_has_its_class(chain: Chain, name: str) -> None:
    fault, error_class = FAULTS[name]
    async with (
        twisted_node(chain.url, failing(fault, "eth_getTransactionByHash")) as node,
        evm_rpc(chain, node.url) as rpc,
    ):
        with pytest.raises(TryAgain) as failure:
            await rpc.transaction("0x" + "ab" * 32)
    assert failure.value.error_class == error_class
    assert failure.value.after_s == (7.0 if name == "429" else failure.value.after_s)


async def test_too_much_at_once_is_asked_for_in_smaller_ranges(chain: Chain) -> None:
    order_ref = new_order_ref()
    chain.pay_and_mint(chain.wallet(), order_ref)
    chain.mine(40)
    asked: list[int] = []

    def at_most_ten(question: Question, result: Any) -> Any:
        if question["method"] == "eth_getLogs":
            first, last = (int(question["params"][0][key], 16) for key in ("fromBlock", "toBlock"))
            asked.append(last - first + 1)
            if asked[-1] > 10:
                raise error(-32602, "query exceeds max block range 10")
        return result

    async with twisted_node(chain.url, at_most_ten) as node, evm_rpc(chain, node.url) as rpc:
        assert len(await rpc.mints_of(order_ref, from_block=0)) == 1
    answered = [blocks for blocks in asked if blocks <= 10]
    assert sum(answered) == chain.head() + 1


async def test_ranges_are_asked_for_a_page_at_a_time(chain: Chain) -> None:
    order_ref = new_order_ref()
    hashes = [chain.pay_and_mint(chain.wallet(), order_ref) for _ in range(3)]
    async with (
        twisted_node(chain.url) as node,
        evm_rpc(chain, node.url, log_range_blocks=2) as rpc,
    ):
        seen = await rpc.mints_of(order_ref, from_block=chain.head() - 6)
        assert [each.tx_hash for each in seen] == hashes
        assert node.asked.count("eth_getLogs") == 4


METHODS = (
    "eth_getBlockByNumber",
    "eth_getLogs",
    "eth_getTransactionByHash",
    "eth_getTransactionCount",
    "eth_getTransactionReceipt",
)
NONSENSE = (None, True, 7, "", "0x", "0xzz", "text", [], [None], ["0x1"], {}, [{}], {"hash": 1})


@pytest.mark.parametrize("method", METHODS)
async def test_nonsense_in_an_answer_is_never_a_payment_or_a_crash(
    chain: Chain, method: str
) -> None:
    order_ref = new_order_ref()
    tx_hash = chain.pay_and_mint(chain.wallet(), order_ref)
    reads: list[Callable[[EvmRpc], Awaitable[Any]]] = [
        lambda rpc: rpc.transaction(tx_hash),
        lambda rpc: rpc.mints_of(order_ref, from_block=0),
        lambda rpc: rpc.final_mint_of(order_ref, from_block=0),
        lambda rpc: rpc.nonce_at(chain.wallets[0], 1),
        lambda rpc: rpc.block_hash(1),
    ]
    async with evm_rpc(chain, chain.url) as rpc:
        honest = [await read(rpc) for read in reads]
    for nonsense in NONSENSE:
        async with (
            twisted_node(chain.url, on(method, lambda _, told=nonsense: told)) as node,
            evm_rpc(chain, node.url) as rpc,
        ):
            for read, truth in zip(reads, honest, strict=True):
                assert await outcome(read(rpc)) in ("failure", None, [], truth)


async def outcome(read: Awaitable[Any]) -> Any:
    try:
        return await read
    except Failure:
        return "failure"
