"""The development USDC behaves as Base's does, where x402 payments meet it."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi import decode
from eth_account import Account
from eth_utils import keccak

from embedded.deploy_plan import dev_wallets
from tests.contracts.chain import Chain, RpcError, encoded_call

MOVE = "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,{signature})"
BASE_SEPARATOR = "02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f"
KEYS = {wallet.address.lower(): wallet.private_key for wallet in dev_wallets()}


def authorization(chain: Chain, payer: str, nonce: str, value: int = 7) -> dict[str, Any]:
    return {
        "from": payer,
        "to": chain.contracts["pay_to"],
        "value": value,
        "validAfter": 0,
        "validBefore": 2**40,
        "nonce": keccak(text=nonce),
    }


def move(chain: Chain, said: dict[str, Any], *, name: str = "USD Coin") -> Any:
    """The receipt of a payment that the payer signed and a stranger sends."""
    usdc = chain.contracts["usdc"]
    domain = {"name": name, "version": "2", "chainId": 8453, "verifyingContract": usdc}
    types = {
        "TransferWithAuthorization": [
            {"name": "from", "type": "address"},
            {"name": "to", "type": "address"},
            {"name": "value", "type": "uint256"},
            {"name": "validAfter", "type": "uint256"},
            {"name": "validBefore", "type": "uint256"},
            {"name": "nonce", "type": "bytes32"},
        ]
    }
    signed = Account.sign_typed_data(KEYS[said["from"]], domain, types, said)
    r, s = (number.to_bytes(32) for number in (signed.r, signed.s))
    data = "0x" + encoded_call(
        MOVE.format(signature="uint8,bytes32,bytes32"), *said.values(), signed.v, r, s
    )
    return chain.receipt(chain.send(chain.wallet(), usdc, data))


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
    said = authorization(chain, payer, "once")
    first, second = move(chain, said), move(chain, said)
    assert (first["status"], second["status"]) == ("0x1", "0x0")
    assert (usdc_of(chain, payer), usdc_of(chain, payee)) == (before[0] - 7, before[1] + 7)
    topics = [log["topics"][0] for log in first["logs"]]
    used, moved = "AuthorizationUsed(address,bytes32)", "Transfer(address,address,uint256)"
    assert topics == ["0x" + keccak(text=each).hex() for each in (used, moved)]


def test_a_signature_under_another_name_moves_nothing(chain: Chain) -> None:
    said = authorization(chain, chain.wallet(), "misnamed")
    assert move(chain, said, name="USDC")["status"] == "0x0"


def test_an_expired_payment_moves_nothing(chain: Chain) -> None:
    said = authorization(chain, chain.wallet(), "late") | {"validBefore": 1}
    assert move(chain, said)["status"] == "0x0"


def test_a_contract_wallet_is_asked_for_its_signature(chain: Chain) -> None:
    """By the library, which must therefore be linked: without it there is no sentence."""
    said = authorization(chain, chain.contracts["role_mint"], "contract")
    with pytest.raises(RpcError, match="FiatTokenV2: invalid signature"):
        chain.view(
            chain.contracts["usdc"], MOVE.format(signature="bytes"), *said.values(), b"nothing"
        )
