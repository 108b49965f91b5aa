"""Pictures, paid by x402: settled, then made, and made again for nothing until one is delivered
(contract.md §4, seed 004 scenario 4)."""

from __future__ import annotations

import asyncio
import base64
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from x402.http.utils import decode_payment_required_header, decode_payment_response_header

from api.payment_problems import GenerationFailed, ImageCreditExhausted
from api.regenerating import failure_of
from domain.circuit import OPEN_FOR
from tests.api.based import PICTURE
from tests.api.geoplets import Buyer, buyer, later, refused
from tests.api.living import Living
from tests.domain.x402_orders import asked_for, given, not_made, paid_picture

PATH = "/api/generate-image"
DAY = timedelta(hours=24)


async def drawn(payer: Buyer, header: str, **more: Any) -> httpx.Response:
    """Everybody outside does their work."""

    async def outside() -> None:
        await payer.submitted("regenerate")
        await payer.land(header, "regenerate")
        await payer.drawing()
        await payer.draw()

    answer, _ = await asyncio.gather(payer.image(header, **more), outside())
    return answer


async def failed(payer: Buyer, error_class: str, header: str) -> httpx.Response:
    async def outside() -> None:
        await payer.submitted("regenerate")
        await payer.land(header, "regenerate")
        await payer.drawing()
        await payer.fail(error_class)

    answer, _ = await asyncio.gather(payer.image(header), outside())
    return answer


async def retried(payer: Buyer, header: str | None = None, attempt: int = 2) -> httpx.Response:
    async def outside() -> None:
        await payer.drawing(attempt)
        await payer.draw(attempt)

    answer, _ = await asyncio.gather(payer.image(header), outside())
    return answer


async def test_who_brings_no_payment_is_asked_for_one_of_its_own_price(payer: Buyer) -> None:
    answer = await payer.image()
    assert (answer.status_code, answer.json()["code"]) == (402, "PAYMENT_REQUIRED")
    assert answer.json()["accepts"][0]["maxAmountRequired"] == "900000"
    required: Any = decode_payment_required_header(answer.headers["PAYMENT-REQUIRED"])
    assert required.accepts[0].amount == "900000"
    assert required.resource.url.endswith(PATH)


async def test_it_is_settled_then_made_and_handed_out(payer: Buyer) -> None:
    header = payer.header("regenerate")
    answer = await drawn(payer, header, body={"prompt": "a tiny planet"})
    order = await payer.order("regenerate")
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "success": True,
        "data": base64.b64encode(PICTURE).decode(),
        "settlementTxHash": order.paid.landing.tx_hash,  # type: ignore[union-attr]
    }
    receipt = decode_payment_response_header(answer.headers["PAYMENT-RESPONSE"])
    assert receipt.transaction == answer.json()["settlementTxHash"]
    assert (await payer.tracking("regenerate"))["status"] == "completed"


async def test_the_same_payment_again_is_the_same_picture(here: Living, payer: Buyer) -> None:
    header = payer.header("regenerate")
    first = await drawn(payer, header)
    before = await here.position()
    again = await payer.image(header)
    assert (again.status_code, again.json()) == (200, first.json())
    assert await here.position() == before


async def test_the_next_picture_is_paid_for_anew(payer: Buyer) -> None:
    header = payer.header("regenerate")
    await drawn(payer, header)
    assert (await payer.image()).json()["code"] == "PAYMENT_REQUIRED"
    second = await drawn(payer, payer.header("regenerate"))
    assert second.status_code == 200, second.text
    assert (await payer.order("regenerate")).terms.number == 2  # type: ignore[union-attr]


async def test_a_picture_that_nobody_was_handed_is_still_theirs(payer: Buyer) -> None:
    """The page was closed while it was being made."""
    header = payer.header("regenerate")
    closed = asyncio.create_task(payer.image(header))
    await payer.submitted("regenerate")
    await payer.land(header, "regenerate")
    await payer.drawing()
    closed.cancel()
    await asyncio.gather(closed, return_exceptions=True)
    await payer.draw()
    answer = await payer.image()
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert (await payer.image()).json()["code"] == "PAYMENT_REQUIRED"


@pytest.mark.parametrize(
    ("error_class", "expected"),
    [
        ("refused", (422, "CONTENT_REFUSED")),
        ("incomplete", (503, "GENERATION_FAILED")),
        ("unknown", (503, "GENERATION_FAILED")),
        ("quota", (503, "AI_CREDIT_EXHAUSTED")),
    ],
)
async def test_what_fails_after_settlement_is_made_again_for_nothing(
    here: Living, payer: Buyer, error_class: str, expected: tuple[int, str]
) -> None:
    answer = await failed(payer, error_class, payer.header("regenerate"))
    paid_at = (await payer.order("regenerate")).paid.settled_at  # type: ignore[union-attr]
    assert refused(answer) == expected
    assert answer.json()["charged"] is True
    retry = answer.json()["retry"]
    assert retry["free"] is True
    assert abs(datetime.fromisoformat(retry["until"]) - paid_at - DAY) < timedelta(seconds=1)
    assert (await payer.tracking("regenerate"))["recovery"]["action"] == "regenerate"
    again = await retried(payer)
    assert (again.status_code, again.json()["success"]) == (200, True)
    assert len((await payer.order("regenerate")).attempts.all) == 1


async def test_out_of_credit_nobody_new_is_asked_to_pay_or_charged(
    here: Living, payer: Buyer
) -> None:
    first, other = payer.header("regenerate"), await buyer(here)
    await failed(payer, "quota", first)
    before = await here.position()
    for asked in (
        other.image(),
        other.image(other.header("regenerate")),
        other.settle(other.header("regenerate"), "regenerate"),
    ):
        answer = await asked
        assert refused(answer) == (503, "AI_CREDIT_EXHAUSTED")
        assert (answer.json()["charged"], answer.json()["retry"]) == (False, None)
        assert answer.headers["Retry-After"]
    assert await here.position() == before
    assert (await retried(payer)).status_code == 200
    assert (await other.image()).json()["code"] == "PAYMENT_REQUIRED"


async def test_the_circuit_closes_by_time_too(here: Living, payer: Buyer) -> None:
    await failed(payer, "quota", payer.header("regenerate"))
    other = await buyer(here)
    assert refused(await other.image()) == (503, "AI_CREDIT_EXHAUSTED")
    await later(here, OPEN_FOR)
    assert (await other.image()).json()["code"] == "PAYMENT_REQUIRED"


async def test_after_a_day_it_is_not_free_any_more(here: Living, payer: Buyer) -> None:
    await failed(payer, "refused", payer.header("regenerate"))
    await later(here, DAY)
    assert refused(await payer.image()) == (409, "NOT_OFFERED")


async def test_while_its_outcome_is_unknown_nobody_is_asked_to_pay(
    here: Living, payer: Buyer
) -> None:
    header = payer.header("regenerate")
    waiting = asyncio.create_task(payer.image(header))
    await payer.submitted("regenerate")
    before = await here.position()
    for again in (None, payer.header("regenerate")):
        answer = await payer.image(again)
        assert refused(answer) == (409, "PAYMENT_IN_FLIGHT")
        assert answer.headers["Retry-After"]
    assert await here.position() == before
    await payer.refuse(header, "regenerate")
    assert refused(await waiting) == (402, "SETTLEMENT_FAILED")
    assert (await payer.image()).json()["code"] == "PAYMENT_REQUIRED"


async def test_a_bad_payment_draws_nothing(here: Living, payer: Buyer) -> None:
    before = await here.position()
    for header in (payer.header("mint"), payer.header("regenerate", valid_before=1), "%%%"):
        assert refused(await payer.image(header)) == (402, "PAYMENT_VERIFICATION_FAILED")
    assert await here.position() == before


async def test_a_payment_for_a_mint_is_used_already(payer: Buyer) -> None:
    header = payer.header("mint")
    await payer.sign(header)
    assert refused(await payer.image(header)) == (409, "PAYMENT_ALREADY_USED")


async def test_a_mint_and_a_picture_may_be_under_way_at_once(payer: Buyer) -> None:
    mint, picture = payer.header("mint"), payer.header("regenerate")
    await payer.sign(mint)
    await payer.hand_in(mint)
    assert (await drawn(payer, picture)).status_code == 200
    assert (await payer.tracking("mint"))["status"] == "settling"
    assert (await payer.tracking("regenerate"))["status"] == "completed"


@pytest.mark.parametrize(
    "body", [{"prompt": ""}, {"prompt": "x" * 4001}, {"prompt": 1}, {"fid": 0}, {"size": "1"}]
)
async def test_a_malformed_body_is_400(payer: Buyer, body: Any) -> None:
    assert refused(await payer.image(body=body)) == (400, "INVALID_REQUEST")


async def test_whose_fid_and_wallet_it_is_comes_first(here: Living, payer: Buyer) -> None:
    eve = await buyer(here)
    assert refused(await eve.image(body={"fid": payer.fid})) == (403, "FID_MISMATCH")
    wallet = {"userAddress": payer.wallet}
    assert refused(await eve.image(body=wallet)) == (402, "PAYMENT_VERIFICATION_FAILED")


async def test_a_header_that_is_no_payment_does_not_stand_before_what_is_owed(
    payer: Buyer,
) -> None:
    await failed(payer, "refused", payer.header("regenerate"))
    answer = await retried(payer, "%%%")
    assert (answer.status_code, answer.json()["success"]) == (200, True)


def test_a_try_that_is_still_under_way_has_not_failed_like_the_one_before() -> None:
    before = [*paid_picture, asked_for(), not_made("quota", gave_up=True)]
    assert type(failure_of(given(*before).is_now())) is ImageCreditExhausted
    assert type(failure_of(given(*before, asked_for(2)).is_now())) is GenerationFailed
