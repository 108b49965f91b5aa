"""Receipts made by hand or spoiled at random: what the decoder believes of them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from consumers.gateways import evm_abi as abi
from consumers.gateways.evm_json import TRANSFER
from consumers.gateways.evm_json import receipt as read_receipt
from consumers.gateways.ports import MintSeen, TryAgain

TERMS = abi.Terms("0x" + "c0" * 20, "0x" + "e2" * 20, "0x" + "7e" * 20)
PAYER, OTHER = "0x" + "a1" * 20, "0x" + "b2" * 20
ORDER = "0x" + "5e" * 32
TX, BLOCK_HASH = "0x" + "aa" * 32, "0x" + "bb" * 32


def padded(address: str) -> str:
    return "0x" + "0" * 24 + address[2:]


def transfer(payer: str, amount: int, **changes: Any) -> dict[str, Any]:
    topics = [TRANSFER, padded(payer), padded(TERMS.treasury)]
    return {"address": TERMS.token, "topics": topics, "data": f"0x{amount:064x}"} | changes


def minted(payer: str, amount: int, token_id: int = 1, **changes: Any) -> dict[str, Any]:
    words = [TERMS.token, TERMS.treasury, amount]
    return {
        "address": TERMS.contract,
        "topics": [abi.ROLE_MINTED, ORDER, padded(payer), f"0x{token_id:064x}"],
        "data": "0x" + encode(["address", "address", "uint256"], words).hex(),
    } | changes


def receipt(*logs: dict[str, Any]) -> dict[str, Any]:
    place = {"transactionHash": TX, "blockHash": BLOCK_HASH, "blockNumber": "0x7"}
    numbered = [
        {"removed": False, "logIndex": hex(index)} | place | log for index, log in enumerate(logs)
    ]
    return place | {"status": "0x1", "logs": numbered}


def mints(*logs: dict[str, Any]) -> tuple[MintSeen, ...]:
    return abi.mints_in(read_receipt(receipt(*logs)), TERMS)


def amounts(*logs: dict[str, Any]) -> list[int]:
    return [mint.amount for mint in mints(*logs)]


def test_what_moved_less_than_was_said_counts() -> None:
    assert amounts(transfer(PAYER, 7), minted(PAYER, 10)) == [7]


def test_what_was_said_less_than_moved_counts() -> None:
    assert amounts(transfer(PAYER, 10), minted(PAYER, 7)) == [7]


def test_without_a_transfer_nothing_was_paid() -> None:
    assert amounts(minted(PAYER, 10)) == [0]


def test_one_transfer_pays_for_one_mint() -> None:
    assert amounts(transfer(PAYER, 10), minted(PAYER, 10), minted(PAYER, 10, 2)) == [10, 0]


def test_each_mint_is_paid_by_the_transfer_right_before_it() -> None:
    logs = (transfer(PAYER, 1), minted(PAYER, 1), transfer(PAYER, 9), minted(PAYER, 9, 2))
    assert amounts(*logs) == [1, 9]


def test_a_transfer_after_the_mint_does_not_pay_for_it() -> None:
    assert amounts(minted(PAYER, 10), transfer(PAYER, 10)) == [0]


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"address": "0x" + "0f" * 20},
        {"topics": [TRANSFER, padded(OTHER), padded(TERMS.treasury)]},
        {"topics": [TRANSFER, padded(PAYER), padded(OTHER)]},
        {"topics": [abi.ROLE_PAID, padded(PAYER), padded(TERMS.treasury)]},
        {"topics": [TRANSFER, padded(PAYER), padded(TERMS.treasury), ORDER], "data": "0x"},
    ],
)
def test_another_token_payer_recipient_or_event_pays_nothing(elsewhere: dict[str, Any]) -> None:
    assert amounts(transfer(PAYER, 10, **elsewhere), minted(PAYER, 10)) == [0]


def test_a_mint_for_another_token_is_told_as_it_is_and_unpaid() -> None:
    words = encode(["address", "address", "uint256"], [OTHER, TERMS.treasury, 10])
    (mint,) = mints(transfer(PAYER, 10), minted(PAYER, 10, data="0x" + words.hex()))
    assert (mint.token, mint.amount) == (OTHER, 0)


def test_the_same_event_of_another_contract_is_not_ours() -> None:
    assert mints(transfer(PAYER, 10), minted(PAYER, 10, address=OTHER)) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"removed": True},
        {"transactionHash": "0x" + "cc" * 32},
        {"blockHash": "0x" + "cc" * 32},
        {"blockNumber": "0x8"},
        {"logIndex": "0x0"},
        {"logIndex": 1},
        {"topics": [abi.ROLE_MINTED, ORDER, padded(PAYER)]},
        {"topics": [abi.ROLE_MINTED, ORDER, "0x" + "a1" * 32, ORDER]},
        {"topics": None},
        {"data": "0x"},
        {"data": "0x" + "ff" * 96},
        {"data": "0x0"},
        {"address": None},
    ],
)
def test_a_receipt_that_contradicts_itself_is_no_receipt(wrong: dict[str, Any]) -> None:
    with pytest.raises(TryAgain, match="malformed"):
        mints(transfer(PAYER, 10), minted(PAYER, 10, **wrong))


def test_a_reverted_transaction_has_no_logs() -> None:
    told = receipt(transfer(PAYER, 10)) | {"status": "0x0"}
    with pytest.raises(TryAgain, match="malformed"):
        read_receipt(told)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([ORDER, "0x", "0x1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
WHOLE = receipt(transfer(PAYER, 10), minted(PAYER, 10), transfer(PAYER, 5), minted(PAYER, 5, 2))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    return [path] + [found for key, each in inner for found in places(each, (*path, key))]


@given(path=st.sampled_from(places(WHOLE)), value=JSON)
def test_whatever_is_spoiled_no_more_is_believed_than_was_paid(
    path: tuple[Any, ...], value: Any
) -> None:
    spoiled: Any = {"receipt": deepcopy(WHOLE)}
    *way, last = ("receipt", *path)
    holder = spoiled
    for key in way:
        holder = holder[key]
    holder[last] = value
    try:
        seen = abi.mints_in(read_receipt(spoiled["receipt"]), TERMS)
    except TryAgain:
        return
    assert sum(mint.amount for mint in seen) <= 15


ORDERED = st.lists(
    st.tuples(st.booleans(), st.sampled_from([PAYER, OTHER]), st.integers(0, 50)), max_size=12
)


@given(ORDERED)
def test_no_money_is_counted_twice(told: list[tuple[bool, str, int]]) -> None:
    logs = [
        minted(payer, amount, index) if is_mint else transfer(payer, amount)
        for index, (is_mint, payer, amount) in enumerate(told)
    ]
    seen = mints(*logs)
    assert len(seen) == sum(is_mint for is_mint, _, _ in told)
    for payer in (PAYER, OTHER):
        paid = sum(amount for is_mint, who, amount in told if not is_mint and who == payer)
        assert sum(mint.amount for mint in seen if mint.payer == payer) <= paid
