"""Level tokens are found among any number of other transactions, a bounded part at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from consumers.gateways import solana_level_reads as reads
from consumers.gateways import solana_tokens as tokens
from consumers.gateways.ports import TryAgain
from consumers.gateways.solana_levels import MINTS_AT_ONCE, SolanaLevels
from consumers.gateways.solana_search import LOOKS, PAGE, PAGES_AT_ONCE, Searches
from consumers.gateways.solana_wire import key
from tests.gateways.devnet_side import Devnet, development_network
from tests.gateways.solana_levels_side import OURS, Recorded, burning, minted_to, outcome, summary
from tests.gateways.solana_side import AUTHORITY, Network, network, status


@pytest.fixture(scope="module")
async def devnet() -> AsyncIterator[Devnet]:
    async with development_network() as made:
        yield made


@pytest.fixture(scope="module")
async def net() -> AsyncIterator[Network]:
    async with network() as made:
        yield made


def history_of(everything: list[dict[str, Any]]) -> Callable[[list[Any]], Any]:
    """`getSignaturesForAddress` over all of it, newest first."""
    places = {one["signature"]: at for at, one in enumerate(everything)}

    def page(params: list[Any]) -> Any:
        asked = params[1]
        begin = places[asked["before"]] + 1 if "before" in asked else 0
        end = places[asked["until"]] if "until" in asked else len(everything)
        assert asked["commitment"] == "finalized"
        return everything[begin:end][: asked["limit"]]

    return page


async def test_a_long_history_is_read_a_window_at_a_time_and_its_oldest_mints_come_first(
    net: Network,
) -> None:
    chain, (node,), _ = await net.of()
    everything = [summary(n, "[9] mega:level:1:b" if n % 25 == 0 else None) for n in range(22_000)]
    everything.reverse()
    mark = everything[-1]["signature"]
    node.instead["getSignaturesForAddress"] = history_of(everything)
    node.statuses = {one["signature"]: status() for one in everything}
    levels = SolanaLevels(chain=chain, authority=AUTHORITY)
    with pytest.raises(TryAgain, match="goes on"):
        await levels.mints_after(mark)
    assert node.methods().count("getSignaturesForAddress") <= PAGES_AT_ONCE + 2
    with pytest.raises(TryAgain):
        await levels.mints_after(mark)
    read_back = [params[0] for method, params in node.asked if method == "getTransaction"]
    assert read_back == [summary(25)["signature"]], "the oldest is read first, and is not told"
    for one in everything:
        node.transactions[one["signature"]] = another_transaction(one["signature"])
    node.asked.clear()
    for _ in range(100):
        questions = len(node.asked)
        _, cursor = await levels.mints_after(mark)
        assert node.methods()[questions:].count("getSignaturesForAddress") <= 2
        assert len(node.asked) - questions <= 4 + MINTS_AT_ONCE
        if cursor == mark:
            break
        mark = cursor
    assert mark == everything[0]["signature"]
    read_back = [params[0] for method, params in node.asked if method == "getTransaction"]
    assert read_back == [one["signature"] for one in everything[::-1] if one["memo"]][1:]


async def test_a_burn_is_found_whatever_others_write_about_its_mint(devnet: Devnet) -> None:
    levels, wallet = SolanaLevels(chain=devnet.chain, authority=AUTHORITY), await devnet.wallet()
    mint = await minted_to(devnet, levels, wallet)
    mine = tokens.burning(key(mint), wallet.pubkey())
    await devnet.sends(wallet, *mine)
    node, searches = Recorded(devnet.ask), Searches()
    burn = await reads.burning(node, mint, searches)
    assert burn is not None and burn.reference == ""
    history = await devnet.ask.ask("getSignaturesForAddress", [mint, {"limit": 10}])
    for memos in (["[11] mega:burn:x"], [None], ["[11] mega:burn:x", None]):
        later = [summary(10**6 - n, memos[n % len(memos)]) for n in range(150)]
        earlier = [
            summary(0, memos[n % len(memos)]) | {"signature": one["signature"]}
            for n, one in enumerate(summary(2 * 10**6 - n) for n in range(150))
        ]
        around = await found_within(20, later + history + earlier, node, mint)
        assert around == burn


async def found_within(
    tries: int, everything: list[dict[str, Any]], node: Recorded, mint: str
) -> Any:
    """Where each try reads no more than its share."""
    node.pages, searches = history_of(everything), Searches()
    for _ in range(tries):
        node.read = 0
        found = await outcome(reads.burning(node, mint, searches))
        assert node.read <= 4 * LOOKS
        if found != "failure":
            return found
    return None


async def test_a_mint_is_found_whatever_others_write_about_it(devnet: Devnet) -> None:
    levels, wallet = SolanaLevels(chain=devnet.chain, authority=AUTHORITY), await devnet.wallet()
    mint = await minted_to(devnet, levels, wallet)
    node, searches = Recorded(devnet.ask), Searches()
    truth = await reads.minting(node, mint, OURS, searches)
    history = await devnet.ask.ask("getSignaturesForAddress", [mint, {"limit": 10}])
    spam = [summary(10**6 - n, "[15] mega:level:9:x") for n in range(2_500)]
    node.pages = history_of([*spam, *history])
    assert await reads.minting(node, mint, OURS, searches) == truth, "it is the oldest"
    earlier = [one | {"slot": 0} for one in spam[:200]]
    node.pages = history_of([*spam[200:400], *history, *earlier])
    for _ in range(20):
        node.read = 0
        if (found := await outcome(reads.minting(node, mint, OURS, searches))) != "failure":
            break
        assert node.read <= 2 * LOOKS
    assert found == truth


async def test_one_transaction_that_cannot_be_read_hides_no_burn(devnet: Devnet) -> None:
    levels, wallet = SolanaLevels(chain=devnet.chain, authority=AUTHORITY), await devnet.wallet()
    mint = await minted_to(devnet, levels, wallet)
    await devnet.lands(await burning(devnet, levels, mint, wallet))
    node = Recorded(devnet.ask)
    burn = await reads.burning(node, mint, Searches())
    history = await devnet.ask.ask("getSignaturesForAddress", [mint, {"limit": 10}])
    odd = summary(10**6, "[11] mega:burn:x")
    node.pages, node.odd = history_of([odd, *history]), odd["signature"]
    assert await reads.burning(node, mint, Searches()) == burn is not None


def another_transaction(signature: str) -> dict[str, Any]:
    """Signed by us, with nothing minted in it."""
    message = {
        "header": {"numRequiredSignatures": 1},
        "accountKeys": [OURS],
        "instructions": [],
    }
    return {
        "slot": 1,
        "transaction": {"signatures": [signature], "message": message},
        "meta": {"err": None, "preTokenBalances": [], "postTokenBalances": []},
    }


async def test_a_history_that_begins_again_is_none(net: Network) -> None:
    chain, (node,), _ = await net.of()
    page = [summary(number) for number in range(PAGE, 0, -1)]
    node.instead["getSignaturesForAddress"] = lambda _: page
    with pytest.raises(TryAgain, match="newest first"):
        await SolanaLevels(chain=chain, authority=AUTHORITY).mints_after("")
    assert len(node.asked) == 2
