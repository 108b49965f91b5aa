"""Solana's endpoints asked together: what one says, what all must say, and what is no proof."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from consumers.gateways.ports import Failure, TryAgain, WillNotWork
from consumers.gateways.solana_ports import Absence, Fate, Paid
from consumers.gateways.solana_rpc import SolanaRpc
from tests.gateways.solana_side import (
    AUTHORITY,
    RECENT,
    Network,
    network,
    solana_rpc,
    status,
    transfer_told,
)

SIGNATURE = str(AUTHORITY.sign_message(b"one"))
LAST_VALID = 1_500


@pytest.fixture(scope="module")
async def net() -> AsyncIterator[Network]:
    async with network() as made:
        yield made


async def test_a_question_goes_to_the_next_endpoint_and_begins_there_the_next_time(
    net: Network,
) -> None:
    chain, (first, second), (front, _) = await net.of(2)
    await front.steer("script", {"times": 1, "drop": "before"})
    assert (await chain.blockhash()).value == RECENT.value
    assert (await chain.blockhash()).last_valid_height == second.height + 150
    assert (len(first.asked), len(second.asked)) == (0, 2)


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "500": ({"response": {"status": 500, "body": "oops"}}, "transient"),
    "429": ({"response": {"status": 429, "headers": {"retry-after": "7"}}}, "throttled"),
    "401": ({"response": {"status": 401}}, "invalid"),
    "not JSON": ({"response": {"body": "hello"}}, "transient"),
    "another id": ({"response": {"body": {"id": "x", "result": {}}}}, "transient"),
    "dropped": ({"drop": "before"}, "transient"),
    "cut": ({"truncate_body_at": 9}, "transient"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_broken_answer_is_asked_for_again(net: Network, name: str) -> None:
    rule, error_class = FAULTS[name]
    chain, _, (front,) = await net.of()
    await front.steer("script", rule)
    with pytest.raises(TryAgain) as failure:
        await chain.blockhash()
    assert failure.value.error_class == error_class
    assert await chain.blockhash()


async def test_a_key_in_an_endpoints_address_is_in_no_failure() -> None:
    async with httpx.AsyncClient() as client:
        chain = solana_rpc(client, "http://user:hunter2@127.0.0.1:9/hunter2?api-key=hunter2")
        with pytest.raises(TryAgain) as failure:
            await chain.blockhash()
        assert "127.0.0.1" in failure.value.reason
        assert "hunter2" not in repr(failure.value)


async def test_many_who_ask_share_few_calls(net: Network) -> None:
    signatures = [str(AUTHORITY.sign_message(n.to_bytes(2))) for n in range(600)]
    chain, (node,), _ = await net.of()
    node.statuses = {each: status(slot) for slot, each in enumerate(signatures)}
    told = await asyncio.gather(*map(chain.fate, signatures))
    assert told == [Fate(slot, "finalized") for slot in range(600)]
    assert [len(params[0]) for _, params in node.asked] == [256, 256, 88]
    await asyncio.gather(*(chain.blockhash() for _ in range(1_000)))
    assert node.methods().count("getLatestBlockhash") == 1


async def test_a_fate_is_told_by_whoever_knows_it(net: Network) -> None:
    chain, (first, second), (_, front) = await net.of(2)
    assert await chain.fate(SIGNATURE) is None
    failed = {"InstructionError": [1, {"Custom": 1}]}
    second.statuses[SIGNATURE] = status(5, "confirmed", failed)
    error = '{"InstructionError":[1,{"Custom":1}]}'
    assert await chain.fate(SIGNATURE) == Fate(5, "confirmed", error)
    await front.steer("script", {"drop": "before"})
    assert await chain.fate(SIGNATURE) is None, "None proves nothing"
    first.instead["getSignatureStatuses"] = lambda _: None
    assert await chain.fate(SIGNATURE) == Fate(5, "confirmed", error)


async def test_what_is_no_signature_spoils_nobodys_answer(net: Network) -> None:
    chain, _, _ = await net.of()
    asked = [chain.fate("nonsense"), chain.fate(SIGNATURE)]
    bad, good = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(bad, WillNotWork) and good is None


async def test_the_lowest_heights_count_of_those_who_answer(net: Network) -> None:
    chain, (first, second, _), (_, _, front) = await net.of(3)
    first.height, second.height = 900, 800
    await front.steer("script", {"times": 2, "drop": "before"})
    assert await chain.heights() == (832, 800)


async def test_one_nodes_word_is_no_verdict(net: Network) -> None:
    chain, (first, second), _ = await net.of(2)
    failed = {"InstructionError": [0, {"Custom": 1}]}
    first.statuses[SIGNATURE] = status(9, "finalized", failed)
    assert await chain.verdict(SIGNATURE) is None
    second.statuses[SIGNATURE] = status(9, "finalized")
    with pytest.raises(TryAgain):
        await chain.verdict(SIGNATURE)
    second.statuses[SIGNATURE] = status(9, "confirmed", failed)
    assert await chain.verdict(SIGNATURE) is None, "it may still be undone there"
    second.statuses[SIGNATURE] = status(9, "finalized", failed)
    found = await chain.verdict(SIGNATURE)
    assert found == Fate(9, "finalized", '{"InstructionError":[0,{"Custom":1}]}')


async def test_absence_is_proved_when_all_are_past_and_none_knows_the_signature(
    net: Network,
) -> None:
    chain, (first, _), _ = await net.of(2)
    first.height = LAST_VALID + 1
    proof = await chain.absence(SIGNATURE, LAST_VALID)
    assert proof == Absence(SIGNATURE, LAST_VALID + 1, first.slot)


async def test_a_node_that_lags_proves_nothing(net: Network) -> None:
    chain, (first, second), _ = await net.of(2)
    second.height = LAST_VALID
    assert second.slot > LAST_VALID
    assert await chain.absence(SIGNATURE, LAST_VALID) is None, "a slot is no height"
    second.height = LAST_VALID + 1
    assert await chain.absence(SIGNATURE, LAST_VALID)
    first.looks_at = first.slot - 1
    with pytest.raises(TryAgain):
        await chain.absence(SIGNATURE, LAST_VALID)


@pytest.mark.parametrize("knowing", [0, 1])
async def test_what_one_node_knows_is_not_absent(net: Network, knowing: int) -> None:
    chain, both, fronts = await net.of(2)
    both[knowing].statuses[SIGNATURE] = status(commitment="processed")
    assert await chain.absence(SIGNATURE, LAST_VALID) is None
    await fronts[1 - knowing].steer("script", {"drop": "before"})
    assert await chain.absence(SIGNATURE, LAST_VALID) is None


async def test_absence_needs_every_node_to_answer(net: Network) -> None:
    chain, _, (_, front) = await net.of(2)
    await front.steer("script", {"drop": "before"})
    with pytest.raises(TryAgain):
        await chain.absence(SIGNATURE, LAST_VALID)


async def test_a_transaction_that_was_dropped_and_lands_late_is_never_called_absent(
    net: Network,
) -> None:
    """The node that would have been asked alone forgets it, lags, and lands it at last."""
    chain, (first, second), _ = await net.of(2)
    first.height = second.height = LAST_VALID - 1
    assert await chain.absence(SIGNATURE, LAST_VALID) is None
    first.height = LAST_VALID + 40
    assert await chain.absence(SIGNATURE, LAST_VALID) is None
    second.height, second.statuses[SIGNATURE] = LAST_VALID + 1, status()
    assert await chain.absence(SIGNATURE, LAST_VALID) is None
    assert await chain.fate(SIGNATURE) == Fate(10, "finalized")


async def test_a_payment_counts_when_every_node_tells_the_same_gain(net: Network) -> None:
    chain, (first, second), _ = await net.of(2)
    first.transactions[SIGNATURE] = transfer_told(SIGNATURE, 50_000_000)
    assert await chain.paid(SIGNATURE) is None
    second.transactions[SIGNATURE] = transfer_told(SIGNATURE, 50_000_001)
    with pytest.raises(TryAgain):
        await chain.paid(SIGNATURE)
    second.transactions[SIGNATURE] = transfer_told(SIGNATURE, 50_000_000)
    assert await chain.paid(SIGNATURE) == Paid(SIGNATURE, 77, 50_000_000)
    how = second.asked[-1][1][1]
    assert (how["commitment"], how["maxSupportedTransactionVersion"]) == ("finalized", 0)


async def test_a_failed_payment_is_none_and_another_ones_is_not_believed(net: Network) -> None:
    chain, (node,), _ = await net.of()
    node.transactions[SIGNATURE] = transfer_told(SIGNATURE, 5, err={"InstructionError": [0, 1]})
    assert await chain.paid(SIGNATURE) is None
    node.transactions[SIGNATURE] = transfer_told(str(AUTHORITY.sign_message(b"two")), 5)
    with pytest.raises(TryAgain):
        await chain.paid(SIGNATURE)


NONSENSE = (None, True, -7, "", "text", [], [None], {}, [{}], {"context": {"slot": 1}, "value": 1})
METHODS = (
    "getLatestBlockhash",
    "getBlockHeight",
    "getEpochInfo",
    "getSignatureStatuses",
    "getTransaction",
    "getAccountInfo",
    "simulateTransaction",
)


@pytest.mark.parametrize("method", METHODS)
async def test_nonsense_in_an_answer_is_never_a_fact_or_a_crash(net: Network, method: str) -> None:
    reads: list[Callable[[SolanaRpc], Awaitable[Any]]] = [
        lambda chain: chain.blockhash(),
        lambda chain: chain.heights(),
        lambda chain: chain.fate(SIGNATURE),
        lambda chain: chain.absence(SIGNATURE, LAST_VALID),
        lambda chain: chain.paid(SIGNATURE),
        lambda chain: chain.account(RECENT.value),
        lambda chain: chain.simulate("AA=="),
    ]
    chain, (node,), _ = await net.of()
    node.statuses[SIGNATURE] = status()
    node.transactions[SIGNATURE] = transfer_told(SIGNATURE, 5)
    honest = [await ask(chain) for ask in reads]
    for nonsense in NONSENSE:
        node.instead[method] = lambda _, told=nonsense: told
        for ask, truth in zip(reads, honest, strict=True):
            assert await outcome(ask(chain)) in ("failure", None, truth)


async def outcome(read: Awaitable[Any]) -> Any:
    try:
        return await read
    except Failure:
        return "failure"
