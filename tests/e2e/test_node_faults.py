"""Two nodes stand between the application and the chain; both or one of them misbehave.

An order waits as long as it lasts and goes on by itself, to the same end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.chain import Chain
from tests.contracts.twisted_node import (
    Cut,
    Dropped,
    Question,
    Raw,
    Silence,
    Twist,
    TwistedNode,
    error,
    failing,
    on,
    twisted_node,
)
from tests.e2e.buyer import Buyer, Json
from tests.e2e.fork import Fork
from tests.e2e.stage import CONFIRMATIONS, Stage, open_stage, own_chain
from tests.waiting import eventually
from tests.world import TestWorld

ENOUGH_QUESTIONS = 8


class Nodes:
    """Both nodes of a stage."""

    def __init__(self, *nodes: TwistedNode) -> None:
        self.each = nodes
        self.first = nodes[0]

    def all(self, twist: Twist) -> None:
        for node in self.each:
            node.twist = twist
            node.asked.clear()

    def one(self, twist: Twist) -> None:
        self.first.twist = twist
        self.first.asked.clear()

    def heal(self) -> None:
        self.all(lambda _, result: result)

    def wait_until_asked(self, times: int = ENOUGH_QUESTIONS) -> None:
        """The application had its chances to believe what it was told."""
        eventually(lambda: len(self.first.asked) >= times)


@pytest.fixture(scope="module")
def built(world: TestWorld, tmp_path_factory: Any) -> Iterator[tuple[Stage, Nodes]]:
    folder: Path = tmp_path_factory.mktemp("nodes")
    with ExitStack() as stack:
        chain = own_chain(world, stack)
        nodes = Nodes(*(opened(world, stack, chain) for _ in range(2)))
        urls = [node.url for node in nodes.each]
        with open_stage(world, folder, chain=chain, rpc_urls=urls) as stage:
            yield stage, nodes
            stage.facts.check_ledger()
            stage.facts.check_topics()


def opened(world: TestWorld, stack: ExitStack, chain: Chain) -> TwistedNode:
    served = twisted_node(chain.url)
    node = world.run(served.__aenter__())
    stack.callback(lambda: world.run(served.__aexit__(None, None, None)))
    return node


@pytest.fixture
def nodes(built: tuple[Stage, Nodes]) -> Iterator[Nodes]:
    yield built[1]
    built[1].heal()


@pytest.fixture
def stage(built: tuple[Stage, Nodes], nodes: Nodes) -> Iterator[Stage]:
    """Instead of the stage of all: blocks are mined by themselves, the nodes are honest."""
    built[0].twin.reset()
    built[0].miner.run()
    yield built[0]
    built[0].miner.rest()


def behind(chain: Chain) -> Twist:
    """Knows no block after the newest of now."""
    last = chain.call("eth_getBlockByNumber", "latest", False)
    limit = int(last["number"], 16)

    def late(told: Any) -> bool:
        number = told.get("number") or told.get("blockNumber") if isinstance(told, dict) else None
        return number is not None and int(number, 16) > limit

    def twist(question: Question, result: Any) -> Any:
        if question["method"] == "eth_blockNumber":
            return last["number"]
        if question["method"] == "eth_getBlockByNumber" and question["params"][0] == "latest":
            return last
        if question["method"] == "eth_getLogs":
            return [log for log in result if not late(log)]
        return None if late(result) else result

    return twist


PRUNED = "missing trie node 5f01 (path ) state is not available"
FAULTS: dict[str, Twist] = {
    "away": failing(Dropped()),
    "cut off": failing(Cut()),
    "too busy (429)": failing(Raw(b"slow down", 429, {"retry-after": "1"})),
    "broken (500)": failing(Raw(b"<html>oops</html>", 500)),
    "not JSON": failing(Raw(b"<html>welcome</html>")),
    "pruned": failing(
        error(-32000, PRUNED), "eth_getLogs", "eth_getBlockByNumber", "eth_getTransactionCount"
    ),
    "without receipts": on("eth_getTransactionReceipt", lambda _: None),
}


def paid(buyer: Buyer) -> tuple[Json, Json]:
    """Opened, paid and claimed, and shown as being verified."""
    card, order = buyer.buys()
    buyer.claim(order, buyer.pay(order))
    buyer.until(card, mint_ui_state="minting")
    return card, order


def check_waits(buyer: Buyer, card: Json) -> None:
    shown = buyer.card(card)
    assert (shown["mint_ui_state"], shown["next_action"]) == ("minting", "wait")
    assert shown["mint_order_status"] == "verifying" and not shown["will_charge"]
    assert not shown["mint_paid"] and buyer.statement() == {}


def check_still_waits(buyer: Buyer, nodes: Nodes, card: Json) -> None:
    """It is deep enough by now, and the nodes were asked since."""
    chain = buyer.stage.chain
    deep = chain.head() + 2 * CONFIRMATIONS
    eventually(lambda: chain.head() >= deep)
    nodes.first.asked.clear()
    nodes.wait_until_asked()
    check_waits(buyer, card)


@pytest.mark.parametrize("name", FAULTS)
def test_an_order_waits_for_its_nodes_and_goes_on_by_itself(
    buyer: Buyer, nodes: Nodes, name: str
) -> None:
    nodes.all(FAULTS[name])
    card, _ = paid(buyer)
    check_still_waits(buyer, nodes, card)
    nodes.heal()
    buyer.gets(card)


def test_an_order_waits_for_nodes_that_lag_behind(buyer: Buyer, nodes: Nodes) -> None:
    nodes.all(behind(buyer.stage.chain))
    card, _ = paid(buyer)
    check_still_waits(buyer, nodes, card)
    nodes.heal()
    buyer.gets(card)


def test_an_order_survives_nodes_that_never_answer(buyer: Buyer, nodes: Nodes) -> None:
    nodes.all(failing(Silence()))
    card, order = paid(buyer)
    nodes.wait_until_asked(3)
    assert buyer.open(card)["order_id"] == order["order_id"]
    check_waits(buyer, card)
    nodes.heal()
    buyer.gets(card)


@pytest.mark.parametrize("name", ["away", "without receipts", "not JSON"])
def test_one_node_alone_is_not_believed_about_money(buyer: Buyer, nodes: Nodes, name: str) -> None:
    nodes.one(FAULTS[name])
    card, _ = paid(buyer)
    check_still_waits(buyer, nodes, card)
    nodes.heal()
    buyer.gets(card)


def test_a_node_that_boasts_of_its_height_makes_nothing_deep(
    buyer: Buyer, nodes: Nodes, fork: Fork
) -> None:
    def higher(block: Any) -> Any:
        return block and block | {"number": hex(int(block["number"], 16) + 100)}

    def twist(question: Question, result: Any) -> Any:
        newest = question["params"][:1] == ["latest"]
        return higher(result) if newest and question["method"] == "eth_getBlockByNumber" else result

    card, order = buyer.buys()
    buyer.claim(order, buyer.pay(order))
    fork.mine()
    eventually(lambda: buyer.stage.facts.count(card["id"], "payment_seen"))
    nodes.one(twist)
    nodes.wait_until_asked()
    check_waits(buyer, card)
    nodes.heal()
    fork.go_on()
    buyer.gets(card)


def test_a_node_that_invents_a_reorg_takes_nothing_back(
    buyer: Buyer, nodes: Nodes, fork: Fork
) -> None:
    card, order = buyer.buys()
    buyer.claim(order, buyer.pay(order))
    fork.confirm()
    done = buyer.until_done(card)
    other = {"hash": "0x" + "1" * 64}
    nodes.one(on("eth_getBlockByNumber", lambda block: block and block | other))
    nodes.wait_until_asked()
    assert buyer.card(card) == done
    nodes.heal()
    fork.go_on()
    eventually(lambda: buyer.stage.facts.count(card["id"], "payment_finalized"))
    assert buyer.stage.facts.count(card["id"], "payment_retracted") == 0
    buyer.gets(card)
