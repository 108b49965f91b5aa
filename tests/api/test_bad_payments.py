"""What is no payment, each with its code: nothing of it is recorded, least of all as paid
(contract.md §4, issue "Bad input")."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account

from tests.api.based import MINT
from tests.api.geoplets import Buyer, buyer, refused, silence
from tests.api.living import Living


async def no_payment(payer: Buyer, header: str, reason: str, **more: Any) -> None:
    """Refused with its reason, and nothing is recorded, least of all as paid."""
    before = await payer.here.position()
    answer = await payer.sign(header, **more)
    assert refused(answer) == (402, "PAYMENT_VERIFICATION_FAILED")
    assert reason in answer.json()["detail"]
    assert "PAYMENT-REQUIRED" not in answer.headers
    assert await payer.here.position() == before
    assert await payer.tracking() == {"status": None, "canResume": False}


VALUE = "invalid_exact_evm_payload_authorization_value"
RECIPIENT = "invalid_exact_evm_payload_recipient_mismatch"
SIGNATURE = "invalid_exact_evm_payload_signature"
BAD = {
    "too little": ({"authorization": {"value": 999_999}}, VALUE),
    "too much": ({"authorization": {"value": 1_000_001}}, VALUE),
    "another recipient": ({"authorization": {"pay_to": "0x" + "9" * 40}}, RECIPIENT),
    "another network": ({"network": "base-sepolia"}, "network_mismatch"),
    "another scheme": ({"scheme": "upto"}, "unsupported_scheme"),
    "another version": ({"x402Version": 3}, "invalid_x402_version"),
    "the price as a text": ({"x402Version": "1"}, "invalid_x402_version"),
    "the name of the token's symbol": ({"domain": replace(MINT, token_name="USDC")}, SIGNATURE),
    "another token": ({"domain": replace(MINT, token="0x" + "8" * 40)}, SIGNATURE),
    "another chain": ({"domain": replace(MINT, chain_id=1)}, SIGNATURE),
    "the token's other version": ({"domain": replace(MINT, token_version="1")}, SIGNATURE),
    "no payload": ({"payload": {}}, "invalid_payload"),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_does_not_say_the_terms_is_no_payment(payer: Buyer, name: str) -> None:
    said, reason = BAD[name]
    await no_payment(payer, payer.header(**said), reason)


V2_BAD = {
    "another amount": ({"amount": "1"}, "invalid_payment_requirements"),
    "another token": ({"asset": "0x" + "8" * 40}, "invalid_payment_requirements"),
    "another payee": ({"payTo": "0x" + "8" * 40}, "invalid_payment_requirements"),
    "another network": ({"network": "eip155:1"}, "network_mismatch"),
    "another scheme": ({"scheme": "upto"}, "unsupported_scheme"),
}


@pytest.mark.parametrize("name", V2_BAD)
async def test_version_2_has_to_accept_the_terms(payer: Buyer, name: str) -> None:
    change, reason = V2_BAD[name]
    message = json.loads(base64.b64decode(payer.header(version=2)))
    message["accepted"] |= change
    header = base64.b64encode(json.dumps(message).encode()).decode()
    await no_payment(payer, header, reason, named="PAYMENT-SIGNATURE")


async def test_neither_early_nor_late_is_in_time(payer: Buyer) -> None:
    when = "invalid_exact_evm_payload_authorization_valid_"
    await no_payment(payer, payer.header(valid_before=payer.now - 1), when + "before")
    await no_payment(payer, payer.header(valid_before=payer.now + 3), when + "before")
    await no_payment(payer, payer.header(valid_after=payer.now + 60), when + "after")


@pytest.mark.parametrize("header", ["%%%", "e30=", "bnVsbA==", "A" * 16_388, "=", "eyI="])
async def test_what_is_no_header_is_no_payment(payer: Buyer, header: str) -> None:
    await no_payment(payer, header, "invalid_")
    await no_payment(payer, header, "invalid_", named="PAYMENT-SIGNATURE")


async def test_another_ones_payment_is_not_mine(here: Living, payer: Buyer) -> None:
    eve = await buyer(here)
    await no_payment(eve, payer.header(), "authorization.from is not userAddress")
    forged = eve.header(authorization={"payer": payer.wallet})
    await no_payment(payer, forged, SIGNATURE)
    wallet: Any = Account.create()
    ours = {"authorization": {"payer": payer.wallet}}
    await no_payment(payer, Buyer(here, payer.caller, wallet, payer.fid).header(**ours), SIGNATURE)


async def test_a_signature_of_no_curve_is_refused_and_never_repeated(payer: Buyer) -> None:
    for signature in ("0x00", "0x" + "00" * 65, "0x" + "ff" * 65, "0x" + "11" * 64):
        message = json.loads(base64.b64decode(payer.header()))
        message["payload"]["signature"] = signature
        header = base64.b64encode(json.dumps(message).encode()).decode()
        await no_payment(payer, header, SIGNATURE)
        assert header not in (await payer.sign(header)).text


async def test_what_the_facilitator_refuses_is_told_by_its_reason(
    here: Living, payer: Buyer
) -> None:
    here.base.refuses = "insufficient_funds"
    await no_payment(payer, payer.header(), "insufficient_funds")
    here.base.refuses = "invalid_exact_evm_nonce_already_used"
    await no_payment(payer, payer.header(), "invalid_exact_evm_nonce_already_used")


async def test_while_the_facilitator_is_silent_nothing_is_recorded(
    here: Living, payer: Buyer
) -> None:
    here.base.silent, before = True, await here.position()
    header = payer.header()
    answer = await payer.sign(header)
    assert refused(answer) == (503, "FACILITATOR_UNAVAILABLE")
    assert answer.headers["Retry-After"]
    assert await here.position() == before
    here.base.silent = False
    assert (await payer.sign(header)).status_code == 200


async def test_while_the_chain_is_silent_no_voucher_is_made(here: Living, payer: Buyer) -> None:
    before = await here.position()
    await silence(here, True)
    try:
        answer = await payer.sign(payer.header())
    finally:
        await silence(here, False)
    assert refused(answer) == (503, "CHAIN_UNAVAILABLE")
    assert await here.position() == before
