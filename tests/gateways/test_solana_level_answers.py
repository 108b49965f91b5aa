"""What nodes tell of level tokens is read strictly, and to the end."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest
from solders.keypair import Keypair

from consumers.gateways import solana_level_reads as reads
from consumers.gateways import solana_tokens as tokens
from consumers.gateways.json_rpc import Endpoint
from consumers.gateways.solana_levels import SolanaLevels
from consumers.gateways.solana_node import transaction
from consumers.gateways.solana_search import LOOKS, Searches
from consumers.gateways.solana_tokens import held_at
from consumers.gateways.solana_wire import key
from tests.gateways.devnet_side import Devnet, development_network
from tests.gateways.solana_levels_side import (
    OURS,
    Recorded,
    address,
    burning,
    minted_to,
    outcome,
    summary,
)
from tests.gateways.solana_side import AUTHORITY

NONSENSE = (None, True, -7, 2**64 - 1, "text", [None], {})
LIES = {"err", "memo", "data", "amount", 0, 1}
"""Where another text, or no account, is not nonsense but a lie, which takes all endpoints."""


@pytest.fixture(scope="module")
async def devnet() -> AsyncIterator[Devnet]:
    async with development_network() as made:
        yield made


def spoiled(told: Any) -> Iterator[Any]:
    """The answer with nonsense in place of it, and of every part of it."""
    yield from NONSENSE
    for where in paths(told):
        for nonsense in NONSENSE:
            if where[-1] in LIES and isinstance(nonsense, str | None):
                continue
            broken = copy.deepcopy(told)
            part = broken
            for step in where[:-1]:
                part = part[step]
            part[where[-1]] = nonsense
            yield broken


def paths(told: Any) -> Iterator[tuple[Any, ...]]:
    steps = told.items() if isinstance(told, dict) else enumerate(told)
    for step, part in steps:
        yield (step,)
        if isinstance(part, dict | list):
            yield from ((step, *rest) for rest in paths(part))


def untold(found: Any) -> bool:
    return isinstance(found, list) and [one.state for one in found] == ["untold"]


METHODS = {
    "getMultipleAccounts": 0,
    "getEpochInfo": 0,
    "getSignaturesForAddress": 0,
    "getTransaction": 0,
    "getTokenLargestAccounts": 0,
}


@pytest.mark.parametrize("method", METHODS)
async def test_nonsense_in_an_answer_is_never_a_fact_or_a_crash(
    devnet: Devnet, method: str
) -> None:
    levels, wallet = SolanaLevels(chain=devnet.chain, authority=AUTHORITY), await devnet.wallet()
    kept, gone = [await minted_to(devnet, levels, wallet) for _ in range(2)]
    await devnet.lands(await burning(devnet, levels, gone, wallet))
    stranger = str(AUTHORITY.pubkey())
    asks: list[Callable[[Endpoint], Awaitable[Any]]] = [
        partial(reads.minting, mint=kept, authority=OURS, searches=Searches()),
        partial(reads.burning, mint=gone, searches=Searches()),
        partial(reads.never_burned, mint=kept, last_valid_height=1),
        partial(reads.holdings, expected=[(kept, address(wallet))]),
        partial(reads.holdings, expected=[(kept, stranger)]),
    ]
    for ask in asks:
        node = Recorded(devnet.ask)
        truth = await ask(node)
        assert truth is not None
        for told in [said for asked, said in node.said.items() if asked.startswith(method + " ")]:
            for nonsense in spoiled(told):
                node.instead[method] = nonsense
                found = await outcome(ask(node))
                assert found in ("failure", None, truth) or untold(found), nonsense


async def test_what_failed_minted_and_burned_nothing(devnet: Devnet) -> None:
    levels, wallet = SolanaLevels(chain=devnet.chain, authority=AUTHORITY), await devnet.wallet()
    mint = await minted_to(devnet, levels, wallet)
    node = Recorded(devnet.ask)
    minted, _ = await reads.minting(node, mint, OURS, Searches()) or (None, None)
    await devnet.lands(await burning(devnet, levels, mint, wallet))
    node = Recorded(devnet.ask)
    burn = await reads.burning(node, mint, Searches())
    assert minted is not None and burn is not None
    for signature in (minted.signature, burn.signature):
        told = await transaction(node, signature)
        assert told is not None
        node.instead["getTransaction"] = told | {"meta": told["meta"] | {"err": "AnyError"}}
        assert await reads.level_mints(node, signature, OURS) == ()
        assert await outcome(reads.burning(node, mint, Searches())) == "failure"
        node.instead.clear()


async def test_our_burn_is_found_among_any_number_of_others(devnet: Devnet) -> None:
    levels, wallet = SolanaLevels(chain=devnet.chain, authority=AUTHORITY), await devnet.wallet()
    mint = await minted_to(devnet, levels, wallet)
    await devnet.lands(await burning(devnet, levels, mint, wallet))
    node = Recorded(devnet.ask)
    burn = await reads.burning(node, mint, Searches())
    history = next(said for asked, said in node.said.items() if "Signatures" in asked)
    others = [summary(10**6 - number) for number in range(8 * LOOKS)]
    node.instead["getSignaturesForAddress"] = others + history
    assert await reads.burning(node, mint, Searches()) == burn is not None


async def test_who_has_a_token_is_read_from_an_account_of_it(devnet: Devnet) -> None:
    levels, wallet = SolanaLevels(chain=devnet.chain, authority=AUTHORITY), await devnet.wallet()
    mint, other = [await minted_to(devnet, levels, wallet) for _ in range(2)]
    right, wrong = [str(held_at(wallet.pubkey(), key(each))) for each in (mint, other)]
    node, elsewhere = Recorded(devnet.ask), [(mint, OURS)]

    now = await devnet.ask.ask("getSlot", [{"commitment": "finalized"}])
    for found, owner in (
        ([(wrong, 0), (right, 1)], address(wallet)),
        ([(wrong, 1)], None),
        ([(right, 0)], None),
    ):
        value = [{"address": at, "amount": str(amount)} for at, amount in found]
        told = {"context": {"slot": now}, "value": value}
        node.instead["getTokenLargestAccounts"] = told
        seen = await outcome(reads.holdings(node, elsewhere))
        assert untold(seen) if owner is None else [one.owner for one in seen] == [owner]


def balances(before: list[tuple[str, str, str]], after: list[tuple[str, str, str]]) -> Any:
    def told(held: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
        return [
            {"mint": mint, "owner": owner, "uiTokenAmount": {"amount": amount, "decimals": 0}}
            for mint, owner, amount in held
        ]

    return {"meta": {"preTokenBalances": told(before), "postTokenBalances": told(after)}}


ONE, TWO, MINT = (str(Keypair().pubkey()) for _ in range(3))
MOVES: dict[str, tuple[list[tuple[str, str, str]], list[tuple[str, str, str]], str, str]] = {
    "minted": ([], [(MINT, ONE, "1")], ONE, ""),
    "burned": ([(MINT, ONE, "1")], [(MINT, ONE, "0")], "", ONE),
    "burned and its account closed": ([(MINT, ONE, "1")], [], "", ONE),
    "moved": ([(MINT, ONE, "1")], [(MINT, ONE, "0"), (MINT, TWO, "1")], "", ""),
    "between accounts of one": (
        [(MINT, ONE, "1"), (MINT, ONE, "0")],
        [(MINT, ONE, "0"), (MINT, ONE, "1")],
        "",
        "",
    ),
    "not touched": ([(MINT, ONE, "1")], [(MINT, ONE, "1")], "", ""),
    "one of several": ([], [(MINT, ONE, "2")], "", ""),
}


@pytest.mark.parametrize("name", MOVES)
def test_balances_tell_what_was_minted_and_burned(name: str) -> None:
    before, after, minted, burned = MOVES[name]
    told = balances(before, after)
    assert tokens.minted_by(told) == ({MINT: minted} if minted else {})
    assert tokens.burned_by(told) == ({MINT: burned} if burned else {})
