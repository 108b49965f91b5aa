from __future__ import annotations

import pytest
from eth_abi import decode

from domain import calldata
from tests.contracts.chain import PRICE, Chain, RpcError, encoded_call, new_order_ref


def balance(chain: Chain, owner: str) -> int:
    return int.from_bytes(chain.view(chain.token, "balanceOf(address)", owner))


def owner_of(chain: Chain, token_id: int) -> str:
    return decode(["address"], chain.view(chain.role_mint, "ownerOf(uint256)", token_id))[0]


def mint_final(chain: Chain, order_ref: str, to: str, uri: str, *, sender: str = "") -> str:
    arguments = (bytes.fromhex(order_ref[2:]), to, uri)
    data = "0x" + encoded_call("mintFinal(bytes32,address,string)", *arguments)
    minter = chain.contracts["minter"]
    chain.call("anvil_impersonateAccount", minter)
    return chain.send(sender or minter, chain.role_mint, data)


def final_token_of(chain: Chain, order_ref: str) -> int:
    found = chain.view(chain.role_mint, "finalTokenOf(bytes32)", bytes.fromhex(order_ref[2:]))
    return int.from_bytes(found)


def test_a_mint_moves_the_amount_to_the_treasury_and_the_token_to_the_payer(chain: Chain) -> None:
    payer = chain.wallet()
    before = balance(chain, payer), balance(chain, chain.treasury)
    receipt = chain.receipt(chain.pay_and_mint(payer, new_order_ref()))
    after = balance(chain, payer), balance(chain, chain.treasury)
    assert after == (before[0] - PRICE, before[1] + PRICE)
    token_id = int(receipt["logs"][-1]["topics"][3], 16)
    assert owner_of(chain, token_id) == payer


def test_one_order_may_be_paid_twice_because_the_backend_owes_the_second_back(chain: Chain) -> None:
    payer, order_ref = chain.wallet(), new_order_ref()
    for _ in range(2):
        assert chain.receipt(chain.pay_and_mint(payer, order_ref))["status"] == "0x1"


def test_any_amount_is_taken_because_the_backend_knows_the_price(chain: Chain) -> None:
    receipt = chain.receipt(chain.pay_and_mint(chain.wallet(), new_order_ref(), 1))
    assert receipt["status"] == "0x1"


def test_without_an_allowance_nothing_is_minted(chain: Chain) -> None:
    data = calldata.mint(new_order_ref(), PRICE)
    receipt = chain.receipt(chain.send(chain.wallet(), chain.role_mint, data))
    assert (receipt["status"], receipt["logs"]) == ("0x0", [])


def test_a_payment_mints_nothing(chain: Chain) -> None:
    last = chain.view(chain.role_mint, "lastTokenId()")
    receipt = chain.receipt(chain.pay(chain.wallet(), new_order_ref()))
    assert receipt["status"] == "0x1"
    assert chain.view(chain.role_mint, "lastTokenId()") == last


def test_the_minter_mints_the_final_token_with_its_metadata(chain: Chain) -> None:
    order_ref, to = new_order_ref(), chain.wallet()
    assert final_token_of(chain, order_ref) == 0
    mint_final(chain, order_ref, to, "https://assets.example/1.json")
    token_id = final_token_of(chain, order_ref)
    assert owner_of(chain, token_id) == to
    uri = decode(["string"], chain.view(chain.role_mint, "tokenURI(uint256)", token_id))
    assert uri == ("https://assets.example/1.json",)


def test_a_second_final_mint_of_one_order_reverts(chain: Chain) -> None:
    order_ref, to = new_order_ref(), chain.wallet()
    mint_final(chain, order_ref, to, "first")
    token_id = final_token_of(chain, order_ref)
    assert chain.receipt(mint_final(chain, order_ref, to, "second"))["status"] == "0x0"
    assert final_token_of(chain, order_ref) == token_id


def test_nobody_but_the_minter_mints_a_final_token(chain: Chain) -> None:
    stranger, order_ref = chain.wallet(), new_order_ref()
    receipt = chain.receipt(mint_final(chain, order_ref, stranger, "mine", sender=stranger))
    assert receipt["status"] == "0x0"
    assert final_token_of(chain, order_ref) == 0


def test_only_the_owner_of_the_faucet_makes_payment_tokens(chain: Chain) -> None:
    stranger = chain.wallet()
    data = "0x" + encoded_call("mint(address,uint256)", stranger, PRICE)
    assert chain.receipt(chain.send(stranger, chain.token, data))["status"] == "0x0"


def test_a_token_that_does_not_exist_has_no_metadata(chain: Chain) -> None:
    with pytest.raises(RpcError, match="revert"):
        chain.view(chain.role_mint, "tokenURI(uint256)", 10**9)
