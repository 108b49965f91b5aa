"""Vouchers, asked for over HTTP: who is asked to pay, what is no payment, and what a payment gets
(contract.md §4). The chain and the facilitator say what the test wants."""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime, timedelta
from typing import Any

import pytest
from eth_account import Account
from x402.http.utils import decode_payment_required_header
from x402.schemas.v1 import PaymentRequiredV1

from commands.passes import Identify
from consumers.gateways.eip712 import signer_of, voucher_digest
from domain.x402 import Voucher
from domain.x402_header import read_payment
from tests.api.based import GEOPLETS, PAY_TO, SIGNER_KEY, USDC
from tests.api.geoplets import Buyer, buyer, fids, later, refused
from tests.api.living import Living

LATE = timedelta(minutes=15, seconds=1)
PATH = "/api/get-mint-signature"


# Asking for payment.


async def test_who_brings_no_payment_is_asked_for_one_in_both_versions(payer: Buyer) -> None:
    answer = await payer.sign()
    body = answer.json()
    assert (answer.status_code, body["error"]) == (402, "Payment required")
    assert (body["status"], body["code"], body["success"]) == (402, "PAYMENT_REQUIRED", False)
    v1 = PaymentRequiredV1.model_validate(body)
    (terms,) = v1.accepts
    assert (v1.x402_version, terms.scheme, terms.network) == (1, "exact", "base")
    assert (terms.max_amount_required, terms.max_timeout_seconds) == ("1000000", 900)
    assert (terms.asset.lower(), terms.pay_to.lower()) == (USDC, PAY_TO)
    assert terms.extra == {"name": "USD Coin", "version": "2"}
    v2: Any = decode_payment_required_header(answer.headers["PAYMENT-REQUIRED"])
    (accepted,) = v2.accepts
    assert (v2.x402_version, accepted.network, accepted.amount) == (2, "eip155:8453", "1000000")
    assert (accepted.asset.lower(), accepted.pay_to.lower()) == (USDC, PAY_TO)
    assert v2.resource.url.endswith(PATH)


async def test_asking_records_nothing(here: Living, payer: Buyer) -> None:
    before = await here.position()
    await payer.sign()
    assert await here.position() == before
    assert await payer.tracking() == {"status": None, "canResume": False}


# The order of checks.


async def test_first_who_asks_then_the_body_then_whose_fid_it_is(
    here: Living, payer: Buyer
) -> None:
    body = {"fid": payer.fid, "userAddress": payer.wallet}
    nobody = await here.nobody().post(PATH, {"nonsense": 1})
    assert (nobody.status_code, nobody.json()["code"]) == (401, "UNAUTHENTICATED")
    service = await (await buyer(here, "service")).caller.post(PATH, body)
    assert refused(service) == (403, "FORBIDDEN")
    eve = await buyer(here)
    assert refused(await eve.sign(body={"fid": payer.fid})) == (403, "FID_MISMATCH")
    here.base.minted.add(payer.fid)
    assert refused(await eve.sign(body=body)) == (403, "FID_MISMATCH")
    assert refused(await payer.sign("no payment")) == (409, "FID_ALREADY_MINTED")
    assert refused(await payer.sign(payer.header())) == (409, "FID_ALREADY_MINTED")
    assert refused(await payer.sign()) == (409, "FID_ALREADY_MINTED")


async def test_a_wallet_that_is_not_linked_cannot_be_minted_to(here: Living, payer: Buyer) -> None:
    other = {"userAddress": "0x" + secrets.token_hex(20)}
    assert refused(await payer.sign(body=other)) == (402, "PAYMENT_VERIFICATION_FAILED")
    bad = await payer.sign(payer.header(), body=other)
    assert refused(bad) == (402, "PAYMENT_VERIFICATION_FAILED")


@pytest.mark.parametrize(
    "change",
    [
        {"fid": 0},
        {"fid": -1},
        {"fid": 2**63},
        {"fid": "1"},
        {"fid": 1.5},
        {"fid": None},
        {"userAddress": "0x1"},
        {"userAddress": "nobody"},
        {"userAddress": None},
        {"more": 1},
    ],
    ids=str,
)
async def test_a_malformed_body_is_400_and_names_its_fields(payer: Buyer, change: Any) -> None:
    answer = await payer.sign(payer.header(), body=change)
    assert refused(answer) == (400, "INVALID_REQUEST")
    assert [field["field"] for field in answer.json()["fields"]] == [f"body.{next(iter(change))}"]


async def test_what_is_no_json_is_400_too(payer: Buyer) -> None:
    for content in (b"{broken", b"[]", b"", b'{"fid":1e999}', b"\xff"):
        answer = await payer.caller.ask("POST", PATH, content=content)
        assert refused(answer) == (400, "INVALID_REQUEST")


# A good payment.


async def test_a_good_payment_gets_a_voucher_that_the_contract_takes(payer: Buyer) -> None:
    header = payer.header()
    answer = await payer.sign(header)
    body = answer.json()
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-Ledger-Position"]
    assert body.keys() == {"voucher", "signature", "paymentHeader", "expiresAt"}
    said = body["voucher"]
    assert (said["to"], said["fid"]) == (payer.account.address, str(payer.fid))
    assert abs(int(said["deadline"]) - payer.now - 900) <= 5
    voucher = Voucher(payer.wallet, payer.fid, int(said["nonce"]), int(said["deadline"]))
    digest = voucher_digest(voucher, chain_id=8453, contract=GEOPLETS)
    signer: Any = Account.from_key(SIGNER_KEY)
    assert signer_of(digest, bytes.fromhex(body["signature"][2:])) == signer.address.lower()
    assert body["paymentHeader"] == header


@pytest.mark.parametrize(
    ("version", "named"),
    [(1, "X-PAYMENT"), (2, "PAYMENT-SIGNATURE"), (2, "X-PAYMENT"), (1, "PAYMENT-SIGNATURE")],
)
async def test_both_versions_pay_by_either_header(payer: Buyer, version: int, named: str) -> None:
    answer = await payer.sign(payer.header(version=version), named=named)
    assert answer.status_code == 200, answer.text


async def test_it_is_good_until_the_first_of_both_deadlines(payer: Buyer) -> None:
    soon = payer.now + 300
    body = (await payer.sign(payer.header(valid_before=soon))).json()
    assert datetime.fromisoformat(body["expiresAt"]).timestamp() == soon
    late = (await payer.sign(payer.header(valid_before=payer.now + 9_000))).json()
    expires = datetime.fromisoformat(late["expiresAt"]).timestamp()
    assert str(int(expires)) == late["voucher"]["deadline"]


async def test_the_same_payment_again_is_the_same_voucher(here: Living, payer: Buyer) -> None:
    header = payer.header()
    first, before = await payer.sign(header), await here.position()
    again = await payer.sign(header)
    assert (again.status_code, again.json()) == (200, first.json())
    assert await here.position() == before


async def test_many_at_once_with_one_payment_get_one_voucher(here: Living, payer: Buyer) -> None:
    header = payer.header()
    answers = await asyncio.gather(*(payer.sign(header) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["signature"] for answer in answers}) == 1
    assert (await payer.order()).minting.vouchers == 1


async def test_a_new_payment_replaces_one_that_was_not_handed_in(payer: Buyer) -> None:
    first, second = payer.header(), payer.header()
    before = (await payer.sign(first)).json()
    after = (await payer.sign(second)).json()
    assert after["voucher"]["nonce"] != before["voucher"]["nonce"]
    assert (await payer.tracking())["paymentHeader"] == second
    assert refused(await payer.sign(first)) == (409, "PAYMENT_REPLACED")


async def test_a_payment_of_another_fid_is_used_already(here: Living, payer: Buyer) -> None:
    header = payer.header()
    await payer.sign(header)
    fid, linked = next(fids), Buyer(here, payer.caller, payer.account, payer.fid)
    other = {"identity": f"fid:{fid}", "new_pass_id": f"pass:user:fid:{fid}"}
    await here.do(Identify(**other, current=payer.caller.pass_id))
    linked.fid = fid
    assert refused(await linked.sign(header)) == (409, "PAYMENT_ALREADY_USED")
    assert refused(await linked.settle(header)) == (409, "PAYMENT_ALREADY_USED")
    assert await linked.tracking() == {"status": None, "canResume": False}


# Handed in, settled, minted.


async def test_while_its_outcome_is_unknown_nobody_is_asked_to_pay(
    here: Living, payer: Buyer
) -> None:
    header = payer.header()
    await payer.sign(header)
    await payer.hand_in(header)
    before = await here.position()
    for again in (None, header, payer.header()):
        answer = await payer.sign(again)
        assert refused(answer) == (409, "PAYMENT_IN_FLIGHT")
        assert int(answer.headers["Retry-After"]) >= 1
    assert await here.position() == before


async def test_a_settled_mint_gives_its_voucher_without_a_payment(
    here: Living, payer: Buyer
) -> None:
    header = payer.header()
    first = (await payer.sign(header)).json()
    await payer.hand_in(header)
    await payer.land(header)
    before = await here.position()
    for again in (None, header, payer.header()):
        answer = await payer.sign(again)
        assert (answer.status_code, answer.json()["voucher"]) == (200, first["voucher"])
    assert await here.position() == before
    assert (await payer.order()).attempts.by_nonce.keys() == {nonce_of(header)}


async def test_a_settled_mint_is_for_a_wallet_of_its_pass(payer: Buyer) -> None:
    header = payer.header()
    await payer.sign(header)
    await payer.hand_in(header)
    await payer.land(header)
    other = {"userAddress": "0x" + secrets.token_hex(20)}
    assert refused(await payer.sign(body=other)) == (403, "WALLET_NOT_LINKED")


async def test_after_its_deadline_a_settled_mint_gets_a_new_voucher(
    here: Living, payer: Buyer
) -> None:
    header = payer.header()
    first = (await payer.sign(header)).json()
    await payer.hand_in(header)
    await payer.land(header)
    await later(here, LATE)
    second, third = (await payer.sign()).json(), (await payer.sign()).json()
    assert second["voucher"]["nonce"] != first["voucher"]["nonce"]
    assert int(second["voucher"]["deadline"]) >= int(first["voucher"]["deadline"]) + 900
    assert third == second
    await later(here, LATE)
    here.base.minted.add(payer.fid)
    assert refused(await payer.sign()) == (409, "FID_ALREADY_MINTED")


@pytest.mark.parametrize("deep", [True, False])
async def test_what_is_minted_is_not_sold_again(here: Living, payer: Buyer, deep: bool) -> None:
    header = payer.header()
    await payer.sign(header)
    await payer.hand_in(header)
    await payer.land(header)
    await payer.mint(deep=deep)
    before = await here.position()
    for again in (None, header, payer.header()):
        assert refused(await payer.sign(again)) == (409, "FID_ALREADY_MINTED")
    assert await here.position() == before


async def test_past_its_deadline_an_unpaid_payment_has_expired(here: Living, payer: Buyer) -> None:
    header = payer.header()
    await payer.sign(header)
    await later(here, LATE)
    assert refused(await payer.sign(header)) == (402, "SIGNATURE_EXPIRED")
    assert (await payer.sign()).json()["code"] == "PAYMENT_REQUIRED"
    assert (await payer.sign(payer.header())).status_code == 200


async def test_a_refused_payment_makes_way_for_a_new_one(payer: Buyer) -> None:
    header = payer.header()
    await payer.sign(header)
    await payer.hand_in(header)
    await payer.refuse(header)
    assert refused(await payer.sign(header)) == (402, "SETTLEMENT_FAILED")
    assert (await payer.sign()).json()["code"] == "PAYMENT_REQUIRED"
    assert (await payer.sign(payer.header())).status_code == 200


async def test_a_reorg_that_takes_the_payment_away_asks_for_no_other(payer: Buyer) -> None:
    header = payer.header()
    await payer.sign(header)
    await payer.hand_in(header)
    landed = await payer.land(header)
    await payer.retract(landed.block_hash)
    assert refused(await payer.sign()) == (409, "PAYMENT_IN_FLIGHT")
    await payer.lapse(header)
    assert (await payer.sign()).json()["code"] == "PAYMENT_REQUIRED"


async def test_minted_and_not_paid_the_payment_is_handed_in_at_once(payer: Buyer) -> None:
    header = payer.header()
    await payer.sign(header)
    await payer.mint()
    assert (await payer.order()).in_flight
    assert refused(await payer.sign()) == (409, "FID_ALREADY_MINTED")
    assert (await payer.tracking())["recovery"]["action"] == "wait"
    await payer.lapse(header)
    body = await payer.tracking()
    assert (body["status"], body["recovery"]["reason"]) == ("failed", "MINTED_UNPAID")


def nonce_of(header: str) -> str:
    return read_payment(header).authorization.nonce
