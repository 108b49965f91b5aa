"""The development USDC behaves as Base's does, where x402 payments meet it."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi import decode
from eth_utils import keccak

from embedded.deploy_plan import USDC
from tests.contracts.authorizations import authorization, signature
from tests.contracts.chain import Chain, RpcError, encoded_call

MOVE = "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,{signature})"
BASE_SEPARATOR = "02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f"


def words(said: dict[str, Any]) -> list[Any]:
    *numbers, nonce = said.values()
    return [*numbers, bytes.fromhex(nonce[2:])]


def move(chain: Chain, said: dict[str, Any], *, name: str = "USD Coin") -> Any:
    """The receipt of a payment that the payer signed and a stranger sends."""
    signed = signature(said, name=name)
    data = "0x" + encoded_call(
        MOVE.format(signature="uint8,bytes32,bytes32"),
        *words(said),
        signed[64],
        signed[:32],
        signed[32:64],
    )
    return chain.receipt(chain.send(chain.wallet(), USDC, data))


def usdc_of(chain: Chain, owner: str) -> int:
    return int.from_bytes(chain.view(chain.contracts["usdc"], "balanceOf(address)", owner))


def test_it_is_named_as_on_base(chain: Chain) -> None:
    usdc = chain.contracts["usdc"]
    assert usdc == "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"
    told = [decode(["string"], chain.view(usdc, f"{each}()"))[0] for each in ("name", "symbol")]
    version = decode(["string"], chain.view(usdc, "version()"))[0]
    assert [*told, version] == ["USD Coin", "USDC", "2"]
    assert int.from_bytes(chain.view(usdc, "decimals()")) == 6
    assert chain.view(usdc, "DOMAIN_SEPARATOR()").hex() == BASE_SEPARATOR


def test_a_signed_payment_moves_once(chain: Chain) -> None:
    payer, payee = chain.wallet(), chain.contracts["pay_to"]
    before = usdc_of(chain, payer), usdc_of(chain, payee)
    said = authorization(payer, payee)
    first, second = move(chain, said), move(chain, said)
    assert (first["status"], second["status"]) == ("0x1", "0x0")
    assert (usdc_of(chain, payer), usdc_of(chain, payee)) == (before[0] - 7, before[1] + 7)
    topics = [log["topics"][0] for log in first["logs"]]
    used, moved = "AuthorizationUsed(address,bytes32)", "Transfer(address,address,uint256)"
    assert topics == ["0x" + keccak(text=each).hex() for each in (used, moved)]


def test_a_signature_under_another_name_moves_nothing(chain: Chain) -> None:
    said = authorization(chain.wallet(), chain.contracts["pay_to"])
    assert move(chain, said, name="USDC")["status"] == "0x0"


def test_an_expired_payment_moves_nothing(chain: Chain) -> None:
    said = authorization(chain.wallet(), chain.contracts["pay_to"], validBefore=1)
    assert move(chain, said)["status"] == "0x0"


def test_a_contract_wallet_is_asked_for_its_signature(chain: Chain) -> None:
    """By the library, which must therefore be linked: without it there is no sentence."""
    said = authorization(chain.role_mint, chain.contracts["pay_to"])
    with pytest.raises(RpcError, match="FiatTokenV2: invalid signature"):
        chain.view(USDC, MOVE.format(signature="bytes"), *words(said), b"nothing")
