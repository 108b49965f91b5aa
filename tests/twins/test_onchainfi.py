"""The OnchainFi twin: the aggregator's bodies in front, real settlements behind."""

from __future__ import annotations

import signal
from typing import Any

import httpx
import pytest

from embedded.deploy_plan import USDC
from embedded.twins.onchainfi import OnchainFi, atomic
from tests.contracts.authorizations import authorization, v1_header
from tests.twins.alone import alone
from tests.twins.conftest import Payments, TwinProcess
from tests.twins.control import HTTP, Control

KEY = {"X-API-Key": "onchain-key"}
ROUTE = {"sourceNetwork": "base", "destinationNetwork": "base", "priority": "balanced"}


def payment(at: Payments, **other: Any) -> dict[str, Any]:
    said = {"value": 1_000_000} | other
    return authorization(at.chain.wallet(), at.chain.contracts["pay_to"], **said)


def verification(said: dict[str, Any], **other: Any) -> dict[str, Any]:
    asked = {
        "paymentHeader": v1_header(said),
        "expectedAmount": "1.00",
        "expectedToken": "USDC",
        "recipientAddress": said["to"],
    }
    return ROUTE | asked | other


def ask(control: Control, verb: str, asked: object, headers: Any = KEY) -> httpx.Response:
    return HTTP.post(f"{control.url}/v1/{verb}", json=asked, headers=headers)


def verdict(at: Payments, asked: dict[str, Any]) -> dict[str, Any]:
    answer = ask(at.onchainfi, "verify", asked)
    assert (answer.status_code, answer.json()["status"]) == (200, "success")
    return answer.json()["data"]


def verified(at: Payments, said: dict[str, Any]) -> dict[str, Any]:
    """The order to settle a payment that was verified."""
    asked = verification(said)
    payment_id = verdict(at, asked)["paymentId"]
    return ROUTE | {"paymentHeader": asked["paymentHeader"], "paymentId": payment_id}


def settle(at: Payments, order: dict[str, Any]) -> dict[str, Any]:
    answer = ask(at.onchainfi, "settle", order)
    assert (answer.status_code, answer.json()["status"]) == (200, "success")
    return answer.json()["data"]


def moved(control: Control, said: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for item in control.get("ledger") if item["nonce"] == said["nonce"]]


def used(at: Payments, said: dict[str, Any]) -> bool:
    nonce = bytes.fromhex(said["nonce"][2:])
    seen = at.chain.view(USDC, "authorizationState(address,bytes32)", said["from"], nonce)
    return bool(int.from_bytes(seen))


def test_a_good_payment_is_verified_and_settled(payments: Payments) -> None:
    said = payment(payments)
    told = verdict(payments, verification(said))
    assert (told["valid"], told["from"]) == (True, said["from"])
    assert {"facilitator", "paymentId"} <= set(told)
    done = settle(payments, verified(payments, said))
    assert (done["success"], done["settled"]) == (True, True)
    assert payments.chain.receipt(done["txHash"])["status"] == "0x1"
    [item] = moved(payments.onchainfi, said)
    assert (item["kind"], item["amount"]) == ("payment_settled", "1000000")
    assert item["tx_hash"] == done["txHash"]
    assert [each["tx_hash"] for each in moved(payments.facilitator, said)] == [done["txHash"]]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"expectedAmount": "0.90"}, "invalid_exact_evm_payload_authorization_value_mismatch"),
        ({"recipientAddress": USDC}, "invalid_exact_evm_payload_recipient_mismatch"),
        ({"expectedToken": "EURC"}, "invalid_payment_requirements"),
        ({"sourceNetwork": "polygon"}, "invalid_network"),
        ({"paymentHeader": "e30="}, "invalid_payload"),
        ({"paymentHeader": "not base64"}, "invalid_payload"),
    ],
)
def test_a_bad_payment_is_not_valid(payments: Payments, wrong: dict[str, Any], reason: str) -> None:
    told = verdict(payments, verification(payment(payments), **wrong))
    assert told == {"valid": False, "reason": reason}


@pytest.mark.parametrize(
    ("text", "units"), [("1.00", 1_000_000), ("0.9", 900_000), ("2", 2_000_000), ("0.000001", 1)]
)
def test_amounts_are_decimal_text(text: str, units: int) -> None:
    assert atomic(text) == units


@pytest.mark.parametrize("verb", ["verify", "settle"])
def test_without_a_key_nothing_is_answered(payments: Payments, verb: str) -> None:
    answer = ask(payments.onchainfi, verb, {}, headers={})
    assert (answer.status_code, answer.json()["status"]) == (401, "error")


def test_the_old_body_and_a_settlement_without_an_id_are_400(payments: Payments) -> None:
    said = payment(payments)
    order = verified(payments, said)
    old = {"paymentHeader": order["paymentHeader"], "network": "base"}
    del order["paymentId"]
    for verb, asked in (("verify", old), ("settle", old), ("settle", order), ("settle", [])):
        answer = ask(payments.onchainfi, verb, asked)
        assert answer.status_code == 400
        assert answer.json() == {"status": "error", "message": "Invalid request body"}
    assert not used(payments, said)


def test_a_payment_under_anothers_id_moves_nothing(payments: Payments) -> None:
    said, other = payment(payments), payment(payments)
    order = verified(payments, said) | {"paymentId": verified(payments, other)["paymentId"]}
    assert settle(payments, order)["settled"] is False
    assert not used(payments, said)


def test_a_second_settle_answers_the_old_hash(payments: Payments) -> None:
    said = payment(payments)
    order = verified(payments, said)
    assert settle(payments, order) == settle(payments, order)
    assert len(moved(payments.onchainfi, said)) == 1
    assert len(moved(payments.facilitator, said)) == 1


def test_a_second_settle_may_answer_an_error(payments: Payments) -> None:
    payments.onchainfi.post("behaviour", {"repeat": "error"}).raise_for_status()
    said = payment(payments)
    order = verified(payments, said)
    first, second = settle(payments, order), settle(payments, order)
    assert (first["settled"], second["settled"], second["success"]) == (True, False, False)
    assert second["reason"]
    assert len(moved(payments.onchainfi, said)) == 1


def test_a_settlement_may_stay_pending_although_it_is_broadcast(payments: Payments) -> None:
    payments.onchainfi.post("behaviour", {"pending": 1}).raise_for_status()
    said = payment(payments)
    order = verified(payments, said)
    told = settle(payments, order)
    assert (told["success"], told["settled"]) == (True, False)
    assert told["reason"] == "settlement_pending"
    assert payments.chain.receipt(told["txHash"])["status"] == "0x1"
    assert len(moved(payments.onchainfi, said)) == 1
    again = settle(payments, order)
    assert (again["settled"], again["txHash"]) == (True, told["txHash"])
    assert settle(payments, verified(payments, payment(payments)))["settled"] is True


def test_a_reset_forgets_the_behaviour(payments: Payments) -> None:
    payments.onchainfi.post("behaviour", {"repeat": "error", "pending": 3}).raise_for_status()
    payments.onchainfi.reset()
    told = payments.onchainfi.post("behaviour", {}).json()
    assert told == {"repeat": "hash", "pending": 0}


@pytest.mark.parametrize("wrong", [{"repeat": "maybe"}, {"pending": -1}, {"mood": "bad"}])
def test_a_behaviour_it_does_not_have_is_refused(payments: Payments, wrong: dict[str, Any]) -> None:
    assert payments.onchainfi.post("behaviour", wrong).status_code == 422


def test_bursts_of_502_and_lost_answers_are_scripted(payments: Payments) -> None:
    said = payment(payments)
    order = verified(payments, said)
    payments.onchainfi.script(match={"path": "/v1/settle"}, times=2, response={"status": 502})
    assert [ask(payments.onchainfi, "settle", order).status_code for _ in "12"] == [502, 502]
    assert not used(payments, said)
    payments.onchainfi.script(match={"path": "/v1/settle"}, drop="after_effect")
    with pytest.raises(httpx.TransportError):
        ask(payments.onchainfi, "settle", order)
    assert used(payments, said)
    assert len(moved(payments.onchainfi, said)) == 1


def test_without_the_effect_nothing_moves(payments: Payments) -> None:
    said = payment(payments)
    order = verified(payments, said)
    payments.onchainfi.script(match={"path": "/settle"}, effect="none")
    told = settle(payments, order)
    assert told["settled"] is True
    assert payments.chain.receipt(told["txHash"]) is None
    assert not used(payments, said)
    assert moved(payments.onchainfi, said) == []


def test_a_facilitator_that_fails_or_says_nonsense_is_502(payments: Payments) -> None:
    asked = verification(payment(payments))
    for response in ({"status": 500}, {"status": 200, "body": "not JSON"}):
        payments.facilitator.script(match={"path": "/verify"}, response=response)
        answer = ask(payments.onchainfi, "verify", asked)
        assert (answer.status_code, answer.text) == (502, "Bad Gateway")


async def test_without_a_facilitator_it_is_502(payments: Payments) -> None:
    asked = verification(payment(payments))
    for nowhere in ("", "http://127.0.0.1:1"):
        async with alone(OnchainFi(nowhere)) as twin:
            answer = await twin.client.post("/v1/verify", json=asked, headers=KEY)
            assert answer.status_code == 502


def test_without_a_chain_behind_it_is_502(twin_process: TwinProcess, payments: Payments) -> None:
    asked = verification(payment(payments))
    assert ask(twin_process.control("onchainfi"), "verify", asked).status_code == 502


def test_payments_are_known_after_a_restart(payments: Payments) -> None:
    said = payment(payments)
    order = verified(payments, said)
    first = settle(payments, order)
    payments.twins.end(signal.SIGKILL)
    payments.twins.start()
    assert settle(payments, order) == first


@pytest.mark.parametrize("name", ["supported", "facilitators"])
def test_what_there_is_is_listed(payments: Payments, name: str) -> None:
    answer = HTTP.get(f"{payments.onchainfi.url}/v1/{name}", headers=KEY)
    assert (answer.status_code, answer.json()["status"]) == (200, "success")
