"""Signed bytes and what nodes say to them: taken, landed before, not now, or never."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from consumers.gateways.ports import Failure, TryAgain, WillNotWork
from consumers.gateways.solana_payments import Payments
from tests.gateways.solana_side import (
    AUTHORITY,
    RECENT,
    TREASURY,
    WALLET,
    Network,
    Node,
    Refuses,
    network,
)

PAYMENT = Payments(authority=AUTHORITY, treasury=TREASURY).prepare(
    str(WALLET.pubkey()), 5, RECENT, reference="batch:1"
)
NO_FUNDS = {"InstructionError": [0, {"Custom": 1}]}


def preflight(err: Any) -> Refuses:
    return Refuses(-32002, "Transaction simulation failed", {"err": err, "logs": []})


def takes(node: Node) -> None:
    node.instead["sendTransaction"] = lambda _: PAYMENT.signature


def refuses(node: Node, refusal: Refuses) -> None:
    def told(_: Any) -> Any:
        raise refusal

    node.instead["sendTransaction"] = told


@pytest.fixture(scope="module")
async def net() -> AsyncIterator[Network]:
    async with network() as made:
        yield made


async def test_the_bytes_go_out_as_they_are_until_one_node_takes_them(net: Network) -> None:
    chain, (first, second, third), _ = await net.of(3)
    refuses(first, Refuses(-32005, "Node is behind by 90 slots", {"numSlotsBehind": 90}))
    takes(second)
    await chain.broadcast(PAYMENT.raw)
    assert (len(first.asked), len(third.asked)) == (1, 0)
    how = {"encoding": "base64", "preflightCommitment": "confirmed", "maxRetries": 0}
    assert second.asked == [("sendTransaction", [PAYMENT.raw, how])]


async def test_what_has_landed_before_is_no_failure(net: Network) -> None:
    chain, (node,), _ = await net.of()
    refuses(node, preflight("AlreadyProcessed"))
    await chain.broadcast(PAYMENT.raw)


REFUSALS: dict[str, tuple[Refuses, type[Failure], str]] = {
    "a blockhash it does not know": (preflight("BlockhashNotFound"), TryAgain, "transient"),
    "behind": (Refuses(-32005, "Node is unhealthy"), TryAgain, "transient"),
    "too busy": (Refuses(-32005, "Too many requests for a specific RPC"), TryAgain, "throttled"),
    "its slot too low": (Refuses(-32016, "Minimum context slot"), TryAgain, "transient"),
    "preflight without a reason": (Refuses(-32002, "failed", None), TryAgain, "transient"),
    "no money of the wallet": (preflight(NO_FUNDS), WillNotWork, "refused"),
    "no money of ours": (preflight("InsufficientFundsForFee"), WillNotWork, "quota"),
    "a signature that is none": (Refuses(-32003, "signature"), WillNotWork, "refused"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refusal_is_not_now_or_never(net: Network, name: str) -> None:
    refusal, kind, error_class = REFUSALS[name]
    chain, (node,), _ = await net.of()
    refuses(node, refusal)
    with pytest.raises(kind) as failure:
        await chain.broadcast(PAYMENT.raw)
    assert failure.value.error_class == error_class


async def test_the_reason_for_never_is_the_nodes_own_as_json(net: Network) -> None:
    chain, nodes, _ = await net.of(2)
    for node in nodes:
        refuses(node, preflight(NO_FUNDS))
    with pytest.raises(WillNotWork) as failure:
        await chain.broadcast(PAYMENT.raw)
    assert failure.value.reason == '{"InstructionError":[0,{"Custom":1}]}'


async def test_one_nodes_no_is_not_everybodys(net: Network) -> None:
    chain, (first, second), (front, _) = await net.of(2)
    takes(first)
    await front.steer("script", {"drop": "after_effect"})
    refuses(second, preflight(NO_FUNDS))
    with pytest.raises(TryAgain):
        await chain.broadcast(PAYMENT.raw)


async def test_a_node_that_took_something_else_has_not_taken_it(net: Network) -> None:
    chain, (node,), _ = await net.of()
    node.instead["sendTransaction"] = lambda _: str(AUTHORITY.sign_message(b"other"))
    with pytest.raises(TryAgain):
        await chain.broadcast(PAYMENT.raw)


async def test_no_answer_to_a_broadcast_is_asked_again_since_the_bytes_are_the_same(
    net: Network,
) -> None:
    chain, (node,), (front,) = await net.of()
    takes(node)
    await front.steer("script", {"drop": "after_effect"})
    with pytest.raises(TryAgain):
        await chain.broadcast(PAYMENT.raw)
    await chain.broadcast(PAYMENT.raw)
    assert len(node.asked) == 2


@pytest.mark.parametrize(
    ("err", "expected"),
    [
        (None, ""),
        ("AlreadyProcessed", ""),
        ("AccountNotFound", '"AccountNotFound"'),
        (NO_FUNDS, '{"InstructionError":[0,{"Custom":1}]}'),
    ],
)
async def test_a_simulation_says_why_it_would_fail(net: Network, err: Any, expected: str) -> None:
    chain, (node,), _ = await net.of()
    told = {"context": {"slot": 1}, "value": {"err": err, "logs": []}}
    node.instead["simulateTransaction"] = lambda _: told
    assert await chain.simulate(PAYMENT.raw) == expected


async def test_a_simulation_on_a_node_that_lags_is_asked_of_the_next(net: Network) -> None:
    chain, both, _ = await net.of(2)
    value = {"err": "BlockhashNotFound", "logs": []}
    told = {"context": {"slot": 1}, "value": value}
    both[0].instead["simulateTransaction"] = lambda _: told
    assert await chain.simulate(PAYMENT.raw) == ""
    both[1].instead["simulateTransaction"] = lambda _: told
    with pytest.raises(TryAgain):
        await chain.simulate(PAYMENT.raw)
