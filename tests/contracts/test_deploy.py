from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from embedded.deploy import DeployFailed, deploy
from tests.contracts.chain import Chain, fresh_node


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Chain]:
    with fresh_node(tmp_path) as url:
        yield Chain(url)


def tokens_of(chain: Chain, contracts: dict[str, Any], wallet: str) -> int:
    return int.from_bytes(chain.view(contracts["payment_token"], "balanceOf(address)", wallet))


def nonce_of_deployer(chain: Chain) -> int:
    creation = chain.call("eth_getBlockByNumber", "0x1", True)["transactions"][0]
    return int(chain.call("eth_getTransactionCount", creation["from"], "latest"), 16)


def test_ten_wallets_get_payment_tokens_and_ether(empty: Chain, tmp_path: Path) -> None:
    contracts = deploy(empty.url, tmp_path)
    for wallet in empty.wallets:
        assert tokens_of(empty, contracts, wallet) == 10_000 * 10 ** contracts["decimals"]
        assert int(empty.call("eth_getBalance", wallet, "latest"), 16) == 100 * 10**18
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


def test_a_run_that_was_cut_short_is_continued(empty: Chain, tmp_path: Path) -> None:
    whole = deploy(empty.url, tmp_path)
    empty.call("anvil_rollback", 8)
    assert nonce_of_deployer(empty) == 5
    assert deploy(empty.url, tmp_path) == whole
    assert nonce_of_deployer(empty) == 12
    assert [tokens_of(empty, whole, wallet) for wallet in empty.wallets] == [10_000 * 10**6] * 10


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
    with pytest.raises(DeployFailed, match="eth_getTransactionCount"):
        deploy(url, tmp_path)
