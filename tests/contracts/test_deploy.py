from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from embedded.deploy import DeployFailed, deploy
from embedded.deploy_plan import fixed_code
from tests.contracts.chain import Chain, fresh_node


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Chain]:
    with fresh_node(tmp_path) as url:
        yield Chain(url)


def tokens_of(chain: Chain, token: str, wallet: str) -> int:
    return int.from_bytes(chain.view(token, "balanceOf(address)", wallet))


def nonce_of_deployer(chain: Chain) -> int:
    creation = chain.call("eth_getBlockByNumber", "0x1", True)["transactions"][0]
    return int(chain.call("eth_getTransactionCount", creation["from"], "latest"), 16)


def assert_everything_is_there(chain: Chain, contracts: dict[str, Any]) -> None:
    for wallet in chain.wallets:
        assert tokens_of(chain, contracts["payment_token"], wallet) == 10_000 * 10**6
        assert tokens_of(chain, contracts["usdc"], wallet) == 1_000 * 10**6
    for name in ("role_mint", "geoplets"):
        assert chain.call("eth_getCode", contracts[name], "latest") != "0x"


def test_ten_wallets_get_tokens_usdc_and_ether(empty: Chain, tmp_path: Path) -> None:
    contracts = deploy(empty.url, tmp_path)
    assert_everything_is_there(empty, contracts)
    for account in (*empty.wallets, contracts["facilitator"]):
        assert int(empty.call("eth_getBalance", account, "latest"), 16) == 100 * 10**18
    assert json.loads((tmp_path / "contracts.json").read_text()) == contracts


def test_it_does_not_wait_for_blocks(empty: Chain, tmp_path: Path) -> None:
    empty.call("evm_setIntervalMining", 60)
    start = monotonic()
    deploy(empty.url, tmp_path)
    assert monotonic() - start < 2


def test_a_second_run_sends_nothing(empty: Chain, tmp_path: Path) -> None:
    first = deploy(empty.url, tmp_path)
    head = empty.head()
    assert deploy(empty.url, tmp_path) == first
    assert empty.head() == head


@pytest.mark.parametrize("done", [1, 5, 16, 27])
def test_a_run_that_was_cut_short_is_continued(empty: Chain, tmp_path: Path, done: int) -> None:
    whole = deploy(empty.url, tmp_path)
    steps = nonce_of_deployer(empty)
    empty.call("anvil_rollback", empty.head() - done)  # a block for each transaction
    assert nonce_of_deployer(empty) == done
    assert deploy(empty.url, tmp_path) == whole
    assert nonce_of_deployer(empty) == steps
    assert_everything_is_there(empty, whole)


def test_a_chain_of_the_version_before_usdc_gets_what_is_new(empty: Chain, tmp_path: Path) -> None:
    whole = deploy(empty.url, tmp_path)
    empty.call("anvil_rollback", empty.head() - 12)
    for address in fixed_code():
        empty.call("anvil_setCode", address, "0x")
    assert deploy(empty.url, tmp_path) == whole
    assert_everything_is_there(empty, whole)


def test_a_fresh_chain_gets_the_contracts_again_at_the_same_place(tmp_path: Path) -> None:
    found = []
    for life in ("first", "second"):
        with fresh_node(tmp_path / life) as url:
            found.append(deploy(url, tmp_path))
            assert Chain(url).call("eth_getCode", found[-1]["role_mint"], "latest") != "0x"
    assert found[0] == found[1]


def test_a_node_that_is_not_there_is_named(tmp_path: Path) -> None:
    with fresh_node(tmp_path) as url:
        pass
    with pytest.raises(DeployFailed, match="eth_getCode"):
        deploy(url, tmp_path)
