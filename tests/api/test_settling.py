"""Settling on demand: once, told when it is known, then from the ledger (contract.md §4)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from time import perf_counter
from typing import Any

import pytest
from x402.http.utils import decode_payment_response_header

from tests.api.geoplets import Buyer, buyer, later, refused
from tests.api.living import Living

LATE = timedelta(minutes=15, seconds=1)
PATH = "/api/settle-payment"


async def verified(payer: Buyer) -> str:
    header = payer.header()
    answer = await payer.sign(header)
    assert answer.status_code == 200, answer.text
    return header


async def test_a_payment_is_handed_in_and_answered_when_it_has_landed(payer: Buyer) -> None:
    header = await verified(payer)
    answer = await payer.settled(header)
    order = await payer.order()
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "success": True,
        "settled": True,
        "txHash": order.paid.landing.tx_hash,  # type: ignore[union-attr]
        "facilitator": "fake",
    }
    for name, network in (("PAYMENT-RESPONSE", "eip155:8453"), ("X-PAYMENT-RESPONSE", "base")):
        receipt = decode_payment_response_header(answer.headers[name])
        assert (receipt.success, receipt.network) == (True, network)
        assert receipt.transaction == answer.json()["txHash"]
        assert receipt.payer == payer.account.address
    assert (await payer.tracking())["status"] == "settled"


async def test_asked_again_the_ledger_answers_at_once(here: Living, payer: Buyer) -> None:
    header = await verified(payer)
    first = await payer.settled(header)
    before, asked = await here.position(), here.base.asked
    started = perf_counter()
    answers = [await payer.settle(header) for _ in range(20)]
    assert (perf_counter() - started) / 20 < 0.2
    assert {answer.content for answer in answers} == {first.content}
    assert (await here.position(), here.base.asked) == (before, asked)


async def test_many_at_once_hand_it_in_once(here: Living, payer: Buyer) -> None:
    header = await verified(payer)
    asked = [asyncio.create_task(payer.settle(header)) for _ in range(8)]
    await payer.submitted()
    await payer.land(header)
    answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


async def test_a_payment_that_was_never_shown_is_checked_and_settled(payer: Buyer) -> None:
    """Without a voucher asked for before: its voucher is given afterwards."""
    answer = await payer.settled(payer.header())
    assert answer.status_code == 200, answer.text
    assert (await payer.sign()).status_code == 200


async def test_a_bad_payment_that_was_never_shown_moves_nothing(here: Living, payer: Buyer) -> None:
    before = await here.position()
    for header in (payer.header(authorization={"value": 1}), "%%%", "e30="):
        assert refused(await payer.settle(header)) == (402, "PAYMENT_VERIFICATION_FAILED")
    other = payer.header("regenerate")
    assert refused(await payer.settle(other, "mint")) == (402, "PAYMENT_VERIFICATION_FAILED")
    eve = await buyer(here)
    before = await here.position()
    assert refused(await payer.settle(eve.header())) == (402, "PAYMENT_VERIFICATION_FAILED")
    here.base.refuses = "insufficient_funds"
    assert refused(await payer.settle(payer.header())) == (402, "PAYMENT_VERIFICATION_FAILED")
    here.base.refuses, here.base.silent = "", True
    assert refused(await payer.settle(payer.header())) == (503, "FACILITATOR_UNAVAILABLE")
    assert await here.position() == before
    assert await payer.tracking() == {"status": None, "canResume": False}


async def test_nobody_pays_for_a_fid_that_is_minted(here: Living, payer: Buyer) -> None:
    here.base.minted.add(payer.fid)
    before = await here.position()
    assert refused(await payer.settle(payer.header())) == (409, "FID_ALREADY_MINTED")
    assert await here.position() == before


@pytest.mark.parametrize(
    "body",
    [
        {"fid": None},
        {"fid": "1"},
        {"paymentType": "upgrade"},
        {"paymentType": None},
        {"paymentHeader": ""},
        {"paymentHeader": "A" * 16_385},
        {"paymentHeader": 1},
        {"unknown": 1},
    ],
    ids=lambda body: next(iter(body)),
)
async def test_a_malformed_body_is_400(payer: Buyer, body: Any) -> None:
    answer = await payer.settle(payer.header(), body=body)
    assert refused(answer) == (400, "INVALID_REQUEST")
    assert [field["field"] for field in answer.json()["fields"]] == [f"body.{next(iter(body))}"]


async def test_what_is_required_is_named(payer: Buyer) -> None:
    answer = await payer.caller.post(PATH, {})
    fields = [field["field"] for field in answer.json()["fields"]]
    assert refused(answer) == (400, "INVALID_REQUEST")
    assert fields == ["body.paymentHeader", "body.fid", "body.paymentType"]


async def test_first_who_asks_then_whose_fid_it_is(here: Living, payer: Buyer) -> None:
    header, eve = await verified(payer), await buyer(here)
    assert (await here.nobody().post(PATH, {})).status_code == 401
    assert refused(await eve.settle(header, body={"fid": payer.fid})) == (403, "FID_MISMATCH")
    assert refused(await eve.settle(header)) == (409, "PAYMENT_ALREADY_USED")
    assert not (await payer.order()).in_flight


async def test_a_payment_of_another_kind_is_used_already(payer: Buyer) -> None:
    header = await verified(payer)
    assert refused(await payer.settle(header, "regenerate")) == (409, "PAYMENT_ALREADY_USED")


async def test_past_its_deadline_it_has_expired_and_a_new_one_is_taken_at_once(
    here: Living, payer: Buyer
) -> None:
    header = await verified(payer)
    await later(here, timedelta(minutes=6))
    assert (await payer.tracking())["isExpired"] is False
    await later(here, LATE - timedelta(minutes=6))
    answer = await payer.settle(header)
    assert refused(answer) == (402, "SIGNATURE_EXPIRED")
    assert answer.json()["error"]["message"] == "Payment signature expired. Please pay again."
    assert await payer.tracking() == {"status": None, "canResume": False}
    assert refused(await payer.settle(header)) == (402, "SIGNATURE_EXPIRED")
    assert (await payer.settled(await verified(payer))).status_code == 200


async def test_what_the_facilitator_refused_is_told_to_who_waits(payer: Buyer) -> None:
    header = await verified(payer)
    asked = payer.settle(header)
    answer = await payer.meanwhile(asked, lambda: payer.refuse(header), "mint")
    assert refused(answer) == (402, "SETTLEMENT_FAILED")
    assert (await payer.tracking())["status"] == "failed"
    assert refused(await payer.settle(header)) == (402, "SETTLEMENT_FAILED")
    await payer.land(header)
    assert (await payer.settle(header)).json()["settled"] is True


async def test_a_replaced_payment_is_not_handed_in_but_counts_when_it_lands(payer: Buyer) -> None:
    old = await verified(payer)
    await verified(payer)
    assert refused(await payer.settle(old)) == (409, "PAYMENT_REPLACED")
    assert not (await payer.order()).in_flight
    await payer.land(old)
    assert (await payer.settle(old)).json()["settled"] is True
    assert (await payer.tracking())["status"] == "settled"


async def test_a_dismissed_payment_is_not_handed_in(payer: Buyer) -> None:
    header = await verified(payer)
    await payer.caller.ask("DELETE", f"/api/payment-tracking/{payer.fid}/mint")
    assert refused(await payer.settle(header)) == (409, "PAYMENT_REPLACED")


async def test_a_second_payment_is_not_even_checked_for_what_is_paid_or_may_be(
    here: Living, payer: Buyer
) -> None:
    header = await verified(payer)
    await payer.hand_in(header)
    asked = here.base.asked
    assert refused(await payer.settle(payer.header())) == (409, "PAYMENT_IN_FLIGHT")
    await payer.land(header)
    assert refused(await payer.settle(payer.header())) == (409, "PAYMENT_REPLACED")
    assert len((await payer.order()).attempts.all) == 1
    assert here.base.asked == asked


async def test_what_can_never_land_any_more_has_expired(payer: Buyer) -> None:
    header = await verified(payer)
    asked = payer.settle(header)
    answer = await payer.meanwhile(asked, lambda: payer.lapse(header), "mint")
    assert refused(answer) == (402, "SIGNATURE_EXPIRED")


async def test_what_takes_long_is_pending_and_nobody_is_asked_to_pay_again(here: Living) -> None:
    """Both routes that wait, at once: this one takes as long as their patience."""
    minter, drawer = await buyer(here), await buyer(here)
    header, picture, key = await verified(minter), drawer.header("regenerate"), "wait"
    before = perf_counter()
    pending, waiting = await asyncio.gather(minter.settle(header, key=key), drawer.image(picture))
    assert 5 < perf_counter() - before < 30
    assert (pending.status_code, pending.json()) == (
        202,
        {"success": True, "settled": False, "pending": True},
    )
    assert refused(waiting) == (409, "PAYMENT_IN_FLIGHT")
    assert waiting.headers["Retry-After"]
    await minter.land(header)
    replayed = await minter.settle(header, key=key)
    assert (replayed.status_code, replayed.headers["Idempotent-Replayed"]) == (202, "true")
    assert (await minter.settle(header)).json()["settled"] is True
