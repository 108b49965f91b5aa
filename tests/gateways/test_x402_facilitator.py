"""A standard facilitator's answers, told by a server of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from x402.schemas import PaymentPayload, PaymentRequirements
from x402.schemas.v1 import PaymentPayloadV1, PaymentRequirementsV1

from consumers.gateways.ports import Failure, OutcomeUnknown, TryAgain, WillNotWork
from consumers.gateways.x402_facilitator import X402Facilitator
from tests.gateways.x402_side import NONCE, PAYER_ADDRESS, TERMS, Server, Told, pay, server

TX = "0x" + "AB" * 32
NO_VERDICT = [
    (Told(400, {"error": "malformed"}), TryAgain, "invalid"),
    (Told(401, {"error": "who are you"}), TryAgain, "invalid"),
    (Told(403, b""), TryAgain, "invalid"),
    (Told(404, b"<html>"), TryAgain, "invalid"),
    (Told(402, {"error": "pay for your plan"}), WillNotWork, "quota"),
    (Told(429, b"", {"retry-after": "7"}), TryAgain, "throttled"),
]
BROKEN = [
    Told(500, {"error": "oops"}),
    Told(502, b"<html>bad gateway</html>"),
    Told(503, {"success": False, "isValid": False, "errorReason": "invalid_network"}),
    Told(200, b""),
    Told(200, b"{"),
    Told(200, []),
    Told(200, {"success": "yes", "isValid": "yes"}),
    Told(200, {"ok": True}),
    Told(301, b"", {"location": "http://127.0.0.1:9/"}),
    Told(409, {"error": "already being settled"}),
    Told(200, {"success": True, "isValid": True, "transaction": TX}, fault="cut"),
    Told(fault="drop"),
    Told(fault="hang"),
]


@pytest.fixture
async def told() -> AsyncIterator[Server]:
    async with server() as made:
        yield made


@pytest.fixture
async def facilitator(told: Server) -> AsyncIterator[X402Facilitator]:
    async with httpx.AsyncClient() as client:
        yield X402Facilitator(url=told.url + "/base/", client=client, read_timeout_s=0.2)


async def verifying(facilitator: X402Facilitator) -> Failure:
    with pytest.raises(Failure) as raised:
        await facilitator.verify(pay(), TERMS)
    return raised.value


async def settling(facilitator: X402Facilitator) -> Failure:
    with pytest.raises(Failure) as raised:
        await facilitator.settle(pay(), TERMS, payment_id="")
    return raised.value


@pytest.mark.parametrize("version", [1, 2])
async def test_it_is_asked_in_the_payers_version_and_in_the_sdks_words(
    told: Server, facilitator: X402Facilitator, version: int
) -> None:
    payment = pay(version=version)
    told.told = Told(body={"isValid": True, "payer": PAYER_ADDRESS})
    assert (await facilitator.verify(payment, TERMS)).valid
    told.told = Told(body={"success": True, "transaction": TX, "network": "base", "payer": "0x"})
    await facilitator.settle(payment, TERMS, payment_id="")
    assert [path for path, _, _ in told.asked] == ["/base/verify", "/base/settle"]
    (_, _, asked), (_, _, ordered) = told.asked
    assert asked == ordered
    payload, terms = asked["paymentPayload"], asked["paymentRequirements"]
    assert asked["x402Version"] == payload["x402Version"] == version
    sent: Any
    if version == 1:
        sent = PaymentPayloadV1.model_validate(payload)
        read = PaymentRequirementsV1.model_validate(terms)
        assert (sent.network, read.network, read.max_amount_required) == ("base", "base", "1000000")
    else:
        sent = PaymentPayload.model_validate(payload)
        wanted = PaymentRequirements.model_validate(terms)
        assert sent.accepted == wanted
        assert (wanted.network, wanted.amount) == ("eip155:8453", "1000000")
    assert terms["asset"] == "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"
    assert terms["extra"] == {"name": "USD Coin", "version": "2"}
    authorization = sent.payload["authorization"]
    assert authorization["from"].lower() == PAYER_ADDRESS
    assert (authorization["value"], authorization["nonce"]) == ("1000000", NONCE)
    assert sent.payload["signature"] == payment.signature


@pytest.mark.parametrize("status", [200, 400, 402])
async def test_a_no_has_its_reason(told: Server, facilitator: X402Facilitator, status: int) -> None:
    told.told = Told(status, {"isValid": False, "invalidReason": "insufficient_funds"})
    verdict = await facilitator.verify(pay(), TERMS)
    assert (verdict.valid, verdict.reason) == (False, "insufficient_funds")
    no = {"success": False, "errorReason": "insufficient_funds", "transaction": "", "network": "b"}
    told.told = Told(status, no)
    answer = await facilitator.settle(pay(), TERMS, payment_id="")
    assert (answer.settled, answer.pending, answer.reason) == (False, False, "insufficient_funds")


async def test_a_settlement_is_a_transactions_hash(
    told: Server, facilitator: X402Facilitator
) -> None:
    told.told = Told(body={"success": True, "transaction": TX, "network": "base"})
    answer = await facilitator.settle(pay(), TERMS, payment_id="")
    assert (answer.settled, answer.pending, answer.tx_hash) == (True, False, TX.lower())
    assert answer.facilitator == "x402"


@pytest.mark.parametrize(
    "reason",
    [
        "settlement_pending",
        "transaction_failed",  # in version 1 also one that was not mined in time
        "invalid_exact_evm_nonce_already_used",  # somebody else sent it
        "duplicate_settlement",
        "unexpected_settle_error",
        None,
    ],
)
async def test_a_no_after_something_was_sent_is_pending(
    told: Server, facilitator: X402Facilitator, reason: str | None
) -> None:
    told.told = Told(body={"success": False, "errorReason": reason, "transaction": TX})
    answer = await facilitator.settle(pay(), TERMS, payment_id="")
    assert (answer.settled, answer.pending, answer.tx_hash) == (False, True, TX.lower())
    assert answer.reason == (reason or "unexpected_settle_error")


@pytest.mark.parametrize("transaction", [None, "", "0x", "0x" + "zz" * 32, 7])
async def test_a_settlement_without_a_transaction_is_unknown(
    told: Server, facilitator: X402Facilitator, transaction: object
) -> None:
    for answer in (
        Told(body={"success": True, "transaction": transaction}),
        Told(400, {"success": True, "transaction": TX}),
    ):
        told.told = answer
        failed = await settling(facilitator)
        assert isinstance(failed, OutcomeUnknown) and failed.reference == NONCE


@pytest.mark.parametrize(("answer", "failed", "error_class"), NO_VERDICT)
async def test_who_is_turned_away_moved_nothing(
    told: Server,
    facilitator: X402Facilitator,
    answer: Told,
    failed: type[Failure],
    error_class: str,
) -> None:
    told.told = answer
    for failure in (await verifying(facilitator), await settling(facilitator)):
        assert type(failure) is failed
        assert failure.error_class == error_class
        if isinstance(failure, TryAgain) and answer.status == 429:
            assert failure.after_s == 7.0


@pytest.mark.parametrize("answer", BROKEN, ids=lambda told: told.fault or str(told.status))
async def test_a_broken_answer_leaves_a_settlement_unknown_and_a_question_unasked(
    told: Server, facilitator: X402Facilitator, answer: Told
) -> None:
    told.told = answer
    assert isinstance(await verifying(facilitator), TryAgain)
    failed = await settling(facilitator)
    assert isinstance(failed, OutcomeUnknown) and failed.reference == NONCE
    assert len(told.asked) == 2


async def test_who_was_not_reached_moved_nothing() -> None:
    async with httpx.AsyncClient() as client:
        nobody = X402Facilitator(url="http://127.0.0.1:9", client=client)
        assert isinstance(await verifying(nobody), TryAgain)
        assert isinstance(await settling(nobody), TryAgain)


async def test_what_moves_money_is_in_no_word_of_an_answer(
    told: Server, facilitator: X402Facilitator
) -> None:
    payment = pay()
    for secret in (payment.signature, payment.signature[2:], payment.header):
        told.told = Told(400, {"error": f"cannot read {secret} at all"})
        assert secret not in repr(await verifying(facilitator))
        assert secret not in repr(await settling(facilitator))
        told.told = Told(body={"isValid": False, "invalidReason": secret})
        assert secret not in repr(await facilitator.verify(payment, TERMS))
