"""POST /api/payment-tracking: a service says what it verified (seed 004, endpoint 1)."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from tests.api.geoplets import Buyer, buyer, refused
from tests.api.living import Caller, Living
from tracking_log import MARK

ROOT = "/api/payment-tracking"
NOTHING = {"status": None, "canResume": False}
TX = "0x" + "5e" * 32


@pytest.fixture
async def service(here: Living) -> Caller:
    return await here.caller("service")


def new_tx() -> str:
    return "0x" + secrets.token_hex(32)


async def track(service: Caller, payer: Buyer, header: str, **more: Any) -> httpx.Response:
    kind = more.pop("kind", "mint")
    body = {"fid": payer.fid, "paymentType": kind, "userAddress": payer.wallet}
    headers = {"Idempotency-Key": more.pop("key")} if "key" in more else {}
    said = {**body, "paymentHeader": header, **more}
    return await service.ask("POST", ROOT, json=said, headers=headers)


async def settled(payer: Buyer) -> str:
    header = payer.header()
    await payer.sign(header)
    await payer.hand_in(header)
    await payer.land(header)
    return header


async def test_a_service_tracks_a_payment(service: Caller, payer: Buyer) -> None:
    header = payer.header()
    answer = await track(service, payer, header)
    body = answer.json()
    assert (answer.status_code, body.keys()) == (200, {"status", "expiresAt"})
    assert body["status"] == "verified"
    expires = datetime.fromisoformat(body["expiresAt"]).timestamp()
    assert abs(expires - payer.now - 900) <= 5
    assert answer.headers["X-Ledger-Position"]
    assert (await payer.tracking())["paymentHeader"] == header


async def test_what_a_service_tracks_is_logged_once(service: Caller, payer: Buyer) -> None:
    header, key = payer.header(), secrets.token_hex(8)
    with capture_logs() as lines:
        for _ in range(2):
            await track(service, payer, header, key=key)
    told = [line for line in lines if line.get("tag") == MARK]
    assert [(line["event"], line["fid"]) for line in told] == [("payment_verified", payer.fid)]


async def test_with_its_voucher_it_is_shown_whole(service: Caller, payer: Buyer) -> None:
    deadline = payer.now + 900
    said = {"to": payer.wallet, "fid": str(payer.fid), "nonce": 7, "deadline": str(deadline)}
    await track(service, payer, payer.header(), voucher=said, signature="0x5161")
    body = await payer.tracking()
    shown = {"to": payer.account.address, "fid": str(payer.fid), "nonce": "7"}
    assert body["mintVoucher"] == {**shown, "deadline": str(deadline)}
    assert body["mintSignature"] == "0x5161"


async def test_once_it_is_paid_the_voucher_is_ours_whatever_a_service_said(
    service: Caller, payer: Buyer
) -> None:
    header, deadline = payer.header(), payer.now + 900
    said = {"to": payer.wallet, "fid": str(payer.fid), "nonce": "7", "deadline": str(deadline)}
    await track(service, payer, header, voucher=said, signature="0x5161")
    await payer.land(header)
    given = (await payer.sign()).json()
    assert given["voucher"]["nonce"] != "7"
    assert given["signature"] != "0x5161"
    assert (await payer.sign()).json() == given


async def test_a_new_signature_replaces_an_unpaid_one(service: Caller, payer: Buyer) -> None:
    first, second = payer.header(), payer.header()
    await track(service, payer, first)
    assert (await track(service, payer, second)).json()["status"] == "verified"
    assert (await payer.tracking())["paymentHeader"] == second
    assert refused(await track(service, payer, first)) == (409, "PAYMENT_REPLACED")


async def test_what_is_paid_is_told_and_never_overwritten(
    here: Living, service: Caller, payer: Buyer
) -> None:
    await settled(payer)
    before, shown = await here.position(), await payer.tracking()
    said = {"to": payer.wallet, "fid": payer.fid, "nonce": "7", "deadline": payer.now + 9_000}
    answer = await track(service, payer, payer.header(), voucher=said, signature="0x5161")
    assert (answer.status_code, answer.json()["status"]) == (200, "settled")
    assert await here.position() == before
    assert await payer.tracking() == shown


async def test_while_the_outcome_is_unknown_no_other_is_tracked(
    service: Caller, payer: Buyer
) -> None:
    header = payer.header()
    await track(service, payer, header)
    await payer.hand_in(header)
    assert refused(await track(service, payer, payer.header())) == (409, "PAYMENT_IN_FLIGHT")


async def test_the_same_fid_has_a_mint_and_a_regeneration(service: Caller, payer: Buyer) -> None:
    await track(service, payer, payer.header())
    await track(service, payer, payer.header("regenerate"), kind="regenerate")
    assert (await payer.tracking("mint"))["status"] == "verified"
    assert (await payer.tracking("regenerate"))["status"] == "verified"


async def test_a_settlement_that_a_service_names_is_a_claim(service: Caller, payer: Buyer) -> None:
    header, tx = payer.header("regenerate", valid_before=payer.now + 900), new_tx()
    answer = await track(service, payer, header, kind="regenerate", settlementTxHash=tx)
    assert (answer.json()["status"], answer.json()["verifying"]) == ("verified", True)
    assert (await payer.tracking("regenerate"))["settlementTxHash"] is None
    await payer.land(header, "regenerate", tx_hash=tx)
    body = await payer.tracking("regenerate")
    assert (body["status"], body["settlementTxHash"]) == ("settled", tx)


async def test_one_nonce_or_one_settlement_is_for_one_order(
    here: Living, service: Caller, payer: Buyer
) -> None:
    header, other = payer.header(), await buyer(here)
    await track(service, payer, header)
    stolen = await track(service, other, header, userAddress=payer.wallet)
    assert refused(stolen) == (409, "PAYMENT_ALREADY_USED")
    landed = await payer.land(header)
    claimed = await track(service, other, other.header(), settlementTxHash=landed.tx_hash)
    assert refused(claimed) == (409, "PAYMENT_ALREADY_USED")
    assert await other.tracking() == NOTHING


async def test_a_fid_that_nobody_linked_gets_a_pass_of_its_own(
    here: Living, service: Caller, payer: Buyer
) -> None:
    stranger = Buyer(here, here.known("pass:user:fid:77"), payer.account, 77)
    assert (await track(service, stranger, stranger.header())).status_code == 200
    assert (await stranger.tracking())["status"] == "verified"


async def test_what_is_no_good_payment_is_not_tracked(
    here: Living, service: Caller, payer: Buyer
) -> None:
    eve = await buyer(here)
    before = await here.position()
    for header in (
        payer.header(authorization={"value": 1}),
        payer.header(valid_before=payer.now - 1),
        payer.header("regenerate"),
        eve.header(),
    ):
        answer = await track(service, payer, header)
        assert refused(answer) == (402, "PAYMENT_VERIFICATION_FAILED")
    forged = payer.header(authorization={"payer": eve.wallet})
    said = {"userAddress": eve.wallet, "settlementTxHash": TX}
    assert refused(await track(service, payer, forged, **said))[0] == 402
    here.base.refuses = "insufficient_funds"
    assert refused(await track(service, payer, payer.header()))[0] == 402
    here.base.refuses, here.base.silent = "", True
    silent = await track(service, payer, payer.header())
    assert refused(silent) == (503, "FACILITATOR_UNAVAILABLE")
    assert await here.position() == before


async def test_only_a_service_tracks(here: Living, payer: Buyer) -> None:
    header = payer.header()
    for caller in (payer.caller, await here.caller("auditor"), await here.caller("admin")):
        assert refused(await track(caller, payer, header)) == (403, "FORBIDDEN")
    assert (await track(here.nobody(), payer, header)).status_code == 401


VOUCHER = {"to": "0x" + "1" * 40, "fid": "1", "nonce": "1", "deadline": "1"}
MALFORMED: dict[str, dict[str, Any]] = {
    "fid": {"fid": 0},
    "paymentType": {"paymentType": "upgrade"},
    "userAddress": {"userAddress": "0x1"},
    "paymentHeader": {"paymentHeader": "%%%"},
    "signature": {"signature": "5161"},
    "settlementTxHash": {"settlementTxHash": "0x1"},
    "voucher": {"voucher": {**VOUCHER, "fid": "1"}, "signature": "0x5161"},
    "voucher.nonce": {"voucher": {**VOUCHER, "nonce": -1}},
    "voucher.extra": {"voucher": {**VOUCHER, "extra": 1}},
    "expiresAt": {"expiresAt": "2030-01-01T00:00:00Z"},
}


@pytest.mark.parametrize("field", MALFORMED)
async def test_a_malformed_payment_is_400(service: Caller, payer: Buyer, field: str) -> None:
    answer = await track(service, payer, payer.header(), **MALFORMED[field])
    assert refused(answer) == (400, "INVALID_REQUEST")
    assert any(f"body.{field}" in named["field"] for named in answer.json()["fields"])
