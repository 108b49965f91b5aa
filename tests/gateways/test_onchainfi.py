"""OnchainFi's answers, told by a server of the test's own: `providers.md` §5a."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from consumers.gateways.onchainfi import OnchainFi, decimal_text
from consumers.gateways.ports import Failure, OutcomeUnknown, TryAgain
from consumers.gateways.x402_wire import v1_header
from domain.x402_header import read_payment
from tests.gateways.test_x402_facilitator import BROKEN, NO_VERDICT, TX
from tests.gateways.x402_side import NONCE, TERMS, Server, Told, pay, server

KEY = "onchain-secret-key"


@pytest.fixture
async def told() -> AsyncIterator[Server]:
    async with server() as made:
        yield made


@pytest.fixture
async def onchainfi(told: Server) -> AsyncIterator[OnchainFi]:
    async with httpx.AsyncClient() as client:
        yield OnchainFi(url=told.url, key=KEY, client=client, read_timeout_s=0.2)


def success(**data: Any) -> Told:
    return Told(body={"status": "success", "data": data})


async def verifying(onchainfi: OnchainFi) -> Failure:
    with pytest.raises(Failure) as raised:
        await onchainfi.verify(pay(), TERMS)
    assert KEY not in repr(raised.value)
    return raised.value


async def settling(onchainfi: OnchainFi) -> Failure:
    with pytest.raises(Failure) as raised:
        await onchainfi.settle(pay(), TERMS, payment_id="p-1")
    assert KEY not in repr(raised.value)
    return raised.value


@pytest.mark.parametrize("version", [1, 2])
async def test_it_takes_a_version_1_header_whatever_the_payer_used(
    told: Server, onchainfi: OnchainFi, version: int
) -> None:
    payment = pay(version=version)
    told.told = success(valid=True, facilitator="thirdweb", paymentId="p-1")
    verdict = await onchainfi.verify(payment, TERMS)
    assert (verdict.valid, verdict.facilitator, verdict.payment_id) == (True, "thirdweb", "p-1")
    told.told = success(success=True, settled=True, facilitator="thirdweb", txHash=TX)
    answer = await onchainfi.settle(payment, TERMS, payment_id="p-1")
    assert (answer.settled, answer.tx_hash, answer.facilitator) == (True, TX.lower(), "thirdweb")
    (verify, headers, asked), (settle, _, ordered) = told.asked
    assert (verify, settle) == ("/v1/verify", "/v1/settle")
    assert headers["x-api-key"] == KEY and "authorization" not in headers
    route = {"sourceNetwork": "base", "destinationNetwork": "base", "priority": "balanced"}
    header = asked.pop("paymentHeader")
    assert ordered == {"paymentId": "p-1", "paymentHeader": header, **route}
    assert asked == {
        "expectedAmount": "1.00",
        "expectedToken": "USDC",
        "recipientAddress": "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB",
        **route,
    }
    read = read_payment(header)
    assert read == replace(pay(version=1), header=header)
    assert json.loads(base64.b64decode(header))["x402Version"] == 1


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (1_000_000, "1.00"),
        (900_000, "0.90"),
        (1, "0.000001"),
        (1_234_500, "1.2345"),
        (0, "0.00"),
        (12_345_678_000_000, "12345678.00"),
    ],
)
def test_amounts_are_decimal_strings_of_integers(amount: int, text: str) -> None:
    assert decimal_text(amount) == text


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/"])
async def test_the_url_may_end_with_the_version(told: Server, end: str) -> None:
    told.told = success(valid=False, reason="x")
    async with httpx.AsyncClient() as client:
        await OnchainFi(url=told.url + end, key=KEY, client=client).verify(pay(), TERMS)
    assert told.asked[0][0] == "/v1/verify"


@pytest.mark.parametrize("status", [200, 400, 402])
async def test_a_no_has_its_reason(told: Server, onchainfi: OnchainFi, status: int) -> None:
    no = {"valid": False, "success": False, "settled": False, "reason": "insufficient_funds"}
    for word in ("success", "error"):
        told.told = Told(status, {"status": word, "data": no})
        verdict = await onchainfi.verify(pay(), TERMS)
        assert (verdict.valid, verdict.reason) == (False, "insufficient_funds")
        answer = await onchainfi.settle(pay(), TERMS, payment_id="p-1")
        assert (answer.settled, answer.pending) == (False, False)
        assert answer.reason == "insufficient_funds"


@pytest.mark.parametrize(
    "data",
    [
        {"success": True, "settled": False, "txHash": TX},
        {"success": False, "settled": False, "txHash": TX, "reason": "settlement_pending"},
        {"success": False, "settled": False, "txHash": TX, "reason": "transaction_failed"},
        {"success": False, "settled": False, "txHash": TX},
        {"settled": False, "txHash": TX},
    ],
)
async def test_neither_settled_nor_refused_is_pending(
    told: Server, onchainfi: OnchainFi, data: dict[str, Any]
) -> None:
    told.told = success(**data)
    answer = await onchainfi.settle(pay(), TERMS, payment_id="p-1")
    assert (answer.settled, answer.pending, answer.tx_hash) == (False, True, TX.lower())


async def test_a_yes_without_an_id_to_settle_by_is_no_verdict(
    told: Server, onchainfi: OnchainFi
) -> None:
    for payment_id in (None, "", 7):
        told.told = success(valid=True, facilitator="thirdweb", paymentId=payment_id)
        assert isinstance(await verifying(onchainfi), TryAgain)


@pytest.mark.parametrize(
    "answer",
    [
        Told(body={"status": "error", "data": {"success": True, "settled": True, "txHash": TX}}),
        Told(400, {"status": "success", "data": {"settled": True, "txHash": TX}}),
        success(success=False, settled=True, txHash=TX),
        success(success=True, settled=True),
        success(success=True, settled=True, txHash="0x12"),
        success(success=True),
        Told(body={"status": "error", "message": "internal"}),
    ],
)
async def test_a_yes_that_contradicts_itself_is_unknown(
    told: Server, onchainfi: OnchainFi, answer: Told
) -> None:
    told.told = answer
    failed = await settling(onchainfi)
    assert isinstance(failed, OutcomeUnknown) and failed.reference == NONCE


@pytest.mark.parametrize(("answer", "failed", "error_class"), NO_VERDICT)
async def test_who_is_turned_away_moved_nothing(
    told: Server, onchainfi: OnchainFi, answer: Told, failed: type[Failure], error_class: str
) -> None:
    told.told = answer
    for failure in (await verifying(onchainfi), await settling(onchainfi)):
        assert (type(failure), failure.error_class) == (failed, error_class)


@pytest.mark.parametrize("answer", BROKEN, ids=lambda told: told.fault or str(told.status))
async def test_a_broken_answer_leaves_a_settlement_unknown_and_a_question_unasked(
    told: Server, onchainfi: OnchainFi, answer: Told
) -> None:
    told.told = answer
    assert isinstance(await verifying(onchainfi), TryAgain)
    failed = await settling(onchainfi)
    assert isinstance(failed, OutcomeUnknown) and failed.reference == NONCE


async def test_a_header_that_is_repeated_stays_here(told: Server, onchainfi: OnchainFi) -> None:
    """Ours, which is not the payer's; all of it, or the larger part."""
    header = v1_header(pay(), TERMS)
    for words in (f"bad header {header}", f"bad header {header[7:-90]}..."):
        told.told = Told(400, {"status": "error", "message": words})
        for failure in (await verifying(onchainfi), await settling(onchainfi)):
            assert "bad header ***" in failure.reason
            assert header[100:200] not in repr(failure)


async def test_the_key_is_nowhere_but_in_its_header(told: Server, onchainfi: OnchainFi) -> None:
    told.told = Told(400, {"status": "error", "message": f"Invalid key {KEY} or {pay().signature}"})
    for failure in (await verifying(onchainfi), await settling(onchainfi)):
        assert "Invalid key ***" in failure.reason
        assert pay().signature not in repr(failure)
    assert KEY not in repr(onchainfi) + repr(vars(onchainfi))
    with pytest.raises(ValueError, match="onchainfi key") as refused:
        OnchainFi(url=told.url, key="bad\nkey", client=httpx.AsyncClient())
    assert "bad" not in str(refused.value)
