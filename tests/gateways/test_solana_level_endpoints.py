"""Level tokens where endpoints lag, lie or are silent: none of them alone burns or mints one."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from solders.keypair import Keypair

from consumers.gateways.level_ports import Holding
from consumers.gateways.ports import TryAgain, WillNotWork
from consumers.gateways.solana_levels import SolanaLevels
from tests.gateways.devnet_side import Devnet, development_network
from tests.gateways.solana_levels_side import address, burning, completed, minted_to, wanted
from tests.gateways.solana_side import AUTHORITY


@pytest.fixture(scope="module")
async def network() -> AsyncIterator[Devnet]:
    async with development_network() as made:
        yield made


@pytest.fixture
async def devnet(network: Devnet) -> Devnet:
    network.liar.instead.clear()
    await network.other.steer("reset", None)
    return network


@pytest.fixture
def levels(devnet: Devnet) -> SolanaLevels:
    return SolanaLevels(chain=devnet.chain, authority=AUTHORITY)


@pytest.fixture
def both(devnet: Devnet) -> SolanaLevels:
    return SolanaLevels(chain=devnet.both, authority=AUTHORITY)


async def test_one_endpoint_alone_burns_nothing(
    devnet: Devnet, levels: SolanaLevels, both: SolanaLevels
) -> None:
    wallet, thief = await devnet.wallet(), await devnet.wallet()
    gone, kept = [await minted_to(devnet, levels, wallet) for _ in range(2)]
    await devnet.lands(await burning(devnet, levels, gone, wallet))
    burned_mint = (await accounts(devnet, gone))[0]
    honest = await levels.burned(gone)
    unborn = levels.mint_of(str(uuid4()))
    instead_of(devnet, burned_mint, kept)
    told = await both.holdings([(kept, address(wallet)), (unborn, address(wallet))])
    assert [one.state for one in told] == ["untold", "absent"], "it holds up no other"
    assert await both.burned(kept) is None, "the other endpoint knows that it is there"
    assert await both.never_burned(kept, 1) is None
    assert await both.burned(gone) == honest and honest is not None
    instead = devnet.liar.instead

    def robbed(_: list[Any], truth: Any) -> Any:
        for one in truth["meta"]["preTokenBalances"]:
            one["owner"] = address(thief)
        return truth

    instead["getTransaction"] = robbed
    with pytest.raises(TryAgain):
        await both.burned(gone)


def instead_of(devnet: Devnet, account: Any, mint: str) -> None:
    """The liar tells that account for the mint."""
    devnet.liar.instead["getMultipleAccounts"] = lambda params, truth: (
        truth
        | {
            "value": [
                account if at == mint else one
                for at, one in zip(params[0], truth["value"], strict=True)
            ]
        }
    )


async def accounts(devnet: Devnet, *addresses: str) -> list[Any]:
    told = await devnet.ask.ask("getMultipleAccounts", [list(addresses), {"encoding": "base64"}])
    return list(told["value"])


async def test_an_endpoint_that_lags_makes_all_wait(
    devnet: Devnet, levels: SolanaLevels, both: SolanaLevels
) -> None:
    wallet = await devnet.wallet()
    token = wanted(wallet)
    mint = levels.mint_of(token.reference)
    then = {"context": {"slot": 10**9}, "value": [None]}
    await devnet.lands(levels.sign_mint(token, await devnet.chain.blockhash()).raw)
    devnet.liar.instead["getMultipleAccounts"] = lambda *_: then
    assert await both.minted(token) is None
    assert await both.never_minted(mint, 1) is None, "one says that it is there"
    then = then | {"value": await accounts(devnet, mint)}
    assert await both.minted(token) == await levels.minted(token)
    await devnet.lands(await burning(devnet, levels, mint, wallet))
    assert await both.burned(mint) is None
    then = then | {"context": {"slot": 5}, "value": [None]}
    unborn = levels.mint_of(str(uuid4()))
    assert await levels.never_minted(unborn, 1) is not None
    with pytest.raises(TryAgain):
        await both.never_minted(unborn, 1)
    with pytest.raises(TryAgain):
        await both.holdings([(mint, address(wallet))])


async def test_an_endpoint_that_is_silent_is_asked_again(
    devnet: Devnet, levels: SolanaLevels, both: SolanaLevels
) -> None:
    wallet = await devnet.wallet()
    token = wanted(wallet)
    await devnet.lands(levels.sign_mint(token, await devnet.chain.blockhash()).raw)
    mint = levels.mint_of(token.reference)
    unborn = levels.mint_of(str(uuid4()))
    await devnet.other.steer("script", {"times": 5, "drop": "before"})
    for asked in (
        both.minted(token),
        both.never_minted(unborn, 1),
        both.never_burned(mint, 1),
        both.holdings([(mint, address(wallet))]),
        both.mints_after(""),
    ):
        with pytest.raises(TryAgain):
            await asked
    assert await both.minted(token) == await levels.minted(token)


async def test_another_word_about_a_mint_is_no_word(devnet: Devnet, both: SolanaLevels) -> None:
    token = wanted(await devnet.wallet())
    await devnet.lands(both.sign_mint(token, await devnet.chain.blockhash()).raw)
    stranger = address(Keypair())

    def to_a_stranger(_: list[Any], truth: Any) -> Any:
        truth["meta"]["postTokenBalances"][0]["owner"] = stranger
        return truth

    devnet.liar.instead["getTransaction"] = to_a_stranger
    for each in (token, replace(token, owner=stranger)):
        with pytest.raises(TryAgain):
            await both.minted(each)
    devnet.liar.instead = {"getSignaturesForAddress": lambda *_: []}
    with pytest.raises(TryAgain):
        await both.minted(token)


async def test_mints_are_told_as_far_as_all_endpoints_have_come(
    devnet: Devnet, levels: SolanaLevels, both: SolanaLevels
) -> None:
    _, start = await levels.mints_after("")
    wallet = await devnet.wallet()
    for level in (1, 2, 3):
        await minted_to(devnet, levels, wallet, level)
    seen, newest = await levels.mints_after(start)
    instead = devnet.liar.instead
    instead["getSignaturesForAddress"] = lambda _, truth: truth[1:]
    assert await both.mints_after(start) == (seen[:2], seen[1].signature)
    instead["getSignaturesForAddress"] = lambda _, truth: truth[:1] + truth[2:]
    with pytest.raises(TryAgain):
        await both.mints_after(start)
    instead["getSignaturesForAddress"] = lambda *_: []
    assert await both.mints_after(start) == ([], start)
    instead["getSignaturesForAddress"] = lambda _, truth: [one | {"memo": None} for one in truth]
    assert await both.mints_after(start) == (seen, newest), "one that tells memos is enough"


async def test_a_holding_names_the_lowest_slot_that_all_know(
    devnet: Devnet, levels: SolanaLevels, both: SolanaLevels
) -> None:
    wallet = await devnet.wallet()
    mint = await minted_to(devnet, levels, wallet)
    devnet.liar.instead["getMultipleAccounts"] = lambda _, truth: truth | {"context": {"slot": 7}}
    expected = Holding(mint, "held", address(wallet), 7)
    assert await both.holdings([(mint, address(wallet))]) == [expected]


async def test_the_mint_itself_has_to_be_told(devnet: Devnet, levels: SolanaLevels) -> None:
    """The history of a token that was exchanged ends with the mint of another."""
    wallet = await devnet.wallet()
    old, new = wanted(wallet), wanted(wallet, 2)
    await devnet.lands(levels.sign_mint(old, await devnet.chain.blockhash()).raw)
    mint = levels.mint_of(old.reference)
    exchange = levels.prepare_exchange(new, mint, await devnet.chain.blockhash())
    await devnet.lands(completed(levels, exchange, wallet))
    doubtful = SolanaLevels(chain=devnet.doubtful, authority=AUTHORITY)
    assert await doubtful.minted(old) is not None
    devnet.liar.instead["getSignaturesForAddress"] = lambda _, truth: truth[:1]
    with pytest.raises(TryAgain):
        await doubtful.minted(old)


async def test_a_mint_that_is_not_final_will_not_work(devnet: Devnet, levels: SolanaLevels) -> None:
    token = wanted(await devnet.wallet())
    await devnet.lands(levels.sign_mint(token, await devnet.chain.blockhash()).raw)

    def with_authority(_: list[Any], truth: Any) -> Any:
        mint = b"\1" + base64.b64decode(truth["value"][0]["data"][0])[1:]
        truth["value"][0]["data"][0] = base64.b64encode(mint).decode()
        return truth

    devnet.liar.instead["getMultipleAccounts"] = with_authority
    with pytest.raises(WillNotWork):
        await SolanaLevels(chain=devnet.doubtful, authority=AUTHORITY).minted(token)
