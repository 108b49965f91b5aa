"""The SDK's facilitator behind its twin: what it says, and what it moves on a real chain."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import time
from typing import Any

import httpx
import pytest

from embedded.deploy_plan import USDC
from tests.contracts.authorizations import authorization, exact_payload
from tests.twins.conftest import Payments, TwinProcess
from tests.twins.control import HTTP, Control
from tests.waiting import eventually

PRICE = 1_000_000
VERSIONS = pytest.mark.parametrize("version", [1, 2])


def body(said: dict[str, Any], version: int = 2, amount: int = PRICE) -> dict[str, Any]:
    network = "base" if version == 1 else "eip155:8453"
    terms = {
        "scheme": "exact",
        "network": network,
        "asset": USDC,
        "payTo": said["to"],
        "maxTimeoutSeconds": 900,
        "extra": {"name": "USD Coin", "version": "2"},
    }
    payment = {"x402Version": version, "payload": exact_payload(said)}
    if version == 1:
        about = {"resource": "https://m.example/", "description": "", "mimeType": ""}
        terms |= about | {"maxAmountRequired": str(amount)}
        payment |= {"scheme": "exact", "network": network}
    else:
        terms["amount"] = str(amount)
        payment["accepted"] = terms
    return {"x402Version": version, "paymentPayload": payment, "paymentRequirements": terms}


def payment(at: Payments, **other: Any) -> dict[str, Any]:
    said = {"value": PRICE} | other
    return authorization(at.chain.wallet(), at.chain.contracts["pay_to"], **said)


def ask(control: Control, verb: str, asked: object) -> httpx.Response:
    return HTTP.post(f"{control.url}/{verb}", json=asked)


def settled(at: Payments, said: dict[str, Any]) -> list[dict[str, Any]]:
    """What the ledger says was moved for this payment."""
    items = at.facilitator.get("ledger")
    return [item for item in items if item["nonce"] == said["nonce"]]


def used(at: Payments, said: dict[str, Any]) -> bool:
    nonce = bytes.fromhex(said["nonce"][2:])
    seen = at.chain.view(USDC, "authorizationState(address,bytes32)", said["from"], nonce)
    return bool(int.from_bytes(seen))


@VERSIONS
def test_a_good_payment_is_verified_and_settled_once(payments: Payments, version: int) -> None:
    said = payment(payments)
    asked = body(said, version)
    verdict = ask(payments.facilitator, "verify", asked)
    assert verdict.status_code == 200
    assert verdict.json()["isValid"] is True
    assert verdict.json()["payer"] == said["from"]
    assert not used(payments, said)
    told = ask(payments.facilitator, "settle", asked).json()
    assert told["success"] is True
    assert told["network"] == ("base" if version == 1 else "eip155:8453")
    assert payments.chain.receipt(told["transaction"])["status"] == "0x1"
    [item] = settled(payments, said)
    assert item["kind"] == "payment_settled"
    assert (item["payer"], item["amount"]) == (said["from"].lower(), str(PRICE))
    assert item["tx_hash"] == told["transaction"]


@VERSIONS
def test_a_used_payment_is_refused_and_moves_nothing(payments: Payments, version: int) -> None:
    said = payment(payments)
    asked = body(said, version)
    ask(payments.facilitator, "settle", asked)
    verdict = ask(payments.facilitator, "verify", asked).json()
    assert verdict["invalidReason"] == "invalid_exact_evm_nonce_already_used"
    assert ask(payments.facilitator, "settle", asked).json()["success"] is False
    assert len(settled(payments, said)) == 1


@VERSIONS
@pytest.mark.parametrize(
    ("wrong", "amount", "reason"),
    [
        ({"value": 5}, PRICE, "invalid_exact_evm_payload_authorization_value_mismatch"),
        ({"validBefore": 1}, PRICE, "invalid_exact_evm_payload_authorization_valid_before"),
        ({"validAfter": 2**39}, PRICE, "invalid_exact_evm_payload_authorization_valid_after"),
        ({"value": 10**10}, 10**10, "invalid_exact_evm_insufficient_balance"),
    ],
)
def test_a_bad_payment_is_refused_with_the_words_of_x402(
    payments: Payments, version: int, wrong: dict[str, Any], amount: int, reason: str
) -> None:
    asked = body(payment(payments, **wrong), version, amount)
    verdict = ask(payments.facilitator, "verify", asked)
    assert verdict.status_code == 200
    assert verdict.json()["isValid"] is False
    assert verdict.json()["invalidReason"] == reason


def test_a_payment_is_expired_by_the_twins_own_clock(payments: Payments) -> None:
    asked = body(payment(payments, validBefore=int(time()) + 3600))
    assert ask(payments.facilitator, "verify", asked).json()["isValid"] is True
    payments.facilitator.post("clock", {"advance_s": 3600}).raise_for_status()
    for verb, field in (("verify", "invalidReason"), ("settle", "errorReason")):
        told = ask(payments.facilitator, verb, asked).json()
        assert told[field] == "invalid_exact_evm_payload_authorization_valid_before"


def test_many_settlements_at_once_all_move(payments: Payments) -> None:
    several = [payment(payments) for _ in range(12)]
    with ThreadPoolExecutor(12) as threads:
        told = threads.map(lambda said: ask(payments.facilitator, "settle", body(said)), several)
        assert all(each.json()["success"] for each in told)
    assert all(len(settled(payments, said)) == 1 for said in several)


def test_a_settlement_that_a_reorganisation_took_back_does_not_stop_the_next(
    payments: Payments,
) -> None:
    said = payment(payments)
    ask(payments.facilitator, "settle", body(said))
    payments.chain.call("anvil_reorg", 1, [])
    assert not used(payments, said)
    assert ask(payments.facilitator, "settle", body(payment(payments))).json()["success"] is True


def test_what_is_not_mined_in_time_is_pending_and_told_to_the_ledger_when_it_is(
    payments: Payments,
) -> None:
    first, second = payment(payments), payment(payments)
    payments.chain.call("evm_setAutomine", False)
    try:
        with ThreadPoolExecutor(2) as threads:
            versions = (body(first, 1), body(second, 2))
            told = threads.map(lambda asked: ask(payments.facilitator, "settle", asked), versions)
            old, new = (each.json() for each in told)
        assert (old["errorReason"], old["transaction"]) == ("transaction_failed", "")
        assert new["errorReason"] == "settlement_pending"
        assert settled(payments, first) == settled(payments, second) == []
        payments.chain.mine()
        assert payments.chain.receipt(new["transaction"])["status"] == "0x1"
    finally:
        payments.chain.call("evm_setAutomine", True)
    for said in (first, second):
        assert len(eventually(lambda said=said: settled(payments, said))) == 1
    again = ask(payments.facilitator, "settle", body(second)).json()
    assert (again["success"], again["transaction"]) == (True, new["transaction"])
    assert len(settled(payments, second)) == 1


def test_without_the_effect_nothing_moves_and_the_answer_looks_good(payments: Payments) -> None:
    said = payment(payments)
    payments.facilitator.script(match={"path": "/settle"}, effect="none")
    told = ask(payments.facilitator, "settle", body(said)).json()
    assert told["success"] is True
    assert payments.chain.receipt(told["transaction"]) is None
    assert not used(payments, said)
    assert settled(payments, said) == []


def test_an_answer_lost_after_the_effect_leaves_the_money_moved(payments: Payments) -> None:
    said = payment(payments)
    payments.facilitator.script(match={"path": "/settle"}, drop="after_effect")
    with pytest.raises(httpx.TransportError):
        ask(payments.facilitator, "settle", body(said))
    assert used(payments, said)
    assert len(settled(payments, said)) == 1


def test_what_it_supports_is_said(payments: Payments) -> None:
    told = HTTP.get(f"{payments.facilitator.url}/supported").json()
    kinds = {(kind["x402Version"], kind["scheme"], kind["network"]) for kind in told["kinds"]}
    assert {(1, "exact", "base"), (2, "exact", "eip155:8453")} <= kinds
    assert told["signers"]["eip155:*"] == [payments.chain.contracts["facilitator"]]


@pytest.mark.parametrize("asked", [{}, [], {"paymentPayload": {"x402Version": 2}}])
def test_what_cannot_be_read_is_400(payments: Payments, asked: object) -> None:
    answer = ask(payments.facilitator, "verify", asked)
    assert (answer.status_code, answer.json()["invalidReason"]) == (400, "invalid_payload")
    answer = ask(payments.facilitator, "settle", asked)
    assert (answer.status_code, answer.json()["errorReason"]) == (400, "invalid_payload")


def test_another_network_is_refused(payments: Payments) -> None:
    asked = body(payment(payments))
    asked["paymentPayload"]["accepted"]["network"] = "solana:mainnet"
    told = ask(payments.facilitator, "verify", asked).json()
    assert (told["isValid"], told["invalidReason"]) == (False, "invalid_network")


@pytest.mark.parametrize(
    ("verb", "field"), [("verify", "invalidReason"), ("settle", "errorReason")]
)
def test_without_a_chain_it_says_so(twin_process: TwinProcess, verb: str, field: str) -> None:
    answer = ask(twin_process.control("x402_facilitator"), verb, {})
    assert (answer.status_code, answer.json()[field]) == (500, f"unexpected_{verb}_error")
