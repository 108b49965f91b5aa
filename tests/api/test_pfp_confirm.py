"""`POST /pfp/confirm-batch`: nothing but the prepared transaction, with the wallet's signature."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import pytest

from tests.api.collectors import Collector, collector
from tests.api.geoplets import refused
from tests.api.living import Living

NO_MONEY = '{"InstructionError":[0,{"Custom":1}]}'


async def test_what_the_wallet_signed_is_recorded_before_the_chain_has_it(
    cleo: Collector,
) -> None:
    prepared = await cleo.prepared(5)
    id_, whole = prepared["batchId"], cleo.sign(prepared)
    answer = await cleo.confirm(id_, whole)
    assert (answer.status_code, answer.json()) == (200, {"batchId": id_, "status": "confirming"})
    assert int(answer.headers["X-Ledger-Position"]) <= await cleo.here.position()
    batch = await cleo.batch(id_)
    assert batch.submitted and batch.submitted.raw == whole
    assert cleo.here.solana.simulated == [whole]
    assert (await cleo.status())["slots"] == {"allowed": 10, "used": 0, "reserved": 5}


async def test_confirming_again_tells_what_came_of_it_and_records_nothing(
    cleo: Collector,
) -> None:
    prepared = await cleo.prepared(5)
    id_, whole = prepared["batchId"], cleo.sign(prepared)
    first = await cleo.confirm(id_, whole)
    again = await cleo.confirm(id_, whole)
    assert (again.json(), first.json()["status"]) == (first.json(), "confirming")
    assert again.headers["X-Ledger-Position"] == first.headers["X-Ledger-Position"]
    await cleo.land(id_)
    before = await cleo.here.position()
    for _ in range(2):
        assert (await cleo.confirm(id_, whole)).json() == {"batchId": id_, "status": "paid"}
    assert await cleo.here.position() == before
    assert (await cleo.status())["pfp_credits"] == 5


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"signedTransactionBase64": 7}, "signedTransactionBase64"),
        ({"signedTransactionBase64": "A" * 4_097}, "signedTransactionBase64"),
        ({"autoMint": "yes"}, "autoMint"),
        ({"autoMint": 1}, "autoMint"),
        ({"signed_transaction_base64": ""}, "signed_transaction_base64"),
    ],
    ids=str,
)
async def test_a_malformed_confirmation_is_named_by_its_place(
    cleo: Collector, more: dict[str, Any], place: str
) -> None:
    id_ = (await cleo.prepared(1))["batchId"]
    answer = await cleo.ask("confirm-batch", {"batchId": id_, **more})
    assert refused(answer) == (422, "INVALID_REQUEST")
    assert [one["field"] for one in answer.json()["fields"]] == [f"body.{place}"]


async def test_a_payment_of_somebody_else_pays_for_nobody(here: Living, cleo: Collector) -> None:
    other = await collector(here)
    mine, theirs = await cleo.prepared(5), await other.prepared(5)
    answer = await cleo.confirm(mine["batchId"], other.sign(theirs))
    assert refused(answer) == (422, "TRANSACTION_MISMATCH")


async def test_a_transaction_pays_for_one_batch_only(cleo: Collector) -> None:
    first = await cleo.prepared(2)
    used = cleo.sign(first)
    await cleo.confirm(first["batchId"], used)
    await cleo.land(first["batchId"])
    second = await cleo.prepared(5)
    answer = await cleo.confirm(second["batchId"], used)
    assert refused(answer) == (422, "TRANSACTION_MISMATCH")
    assert (await cleo.status())["pfp_credits"] == 2


async def test_a_wallet_without_the_money_is_told_so_and_may_sign_again(cleo: Collector) -> None:
    prepared = await cleo.prepared(5)
    id_, whole = prepared["batchId"], cleo.sign(prepared)
    cleo.here.solana.failing = NO_MONEY
    assert refused(await cleo.confirm(id_, whole)) == (409, "INSUFFICIENT_FUNDS")
    assert (await cleo.batch(id_)).status == "prepared"
    cleo.here.solana.failing = ""
    assert (await cleo.confirm(id_, whole)).json()["status"] == "confirming"


async def test_what_the_chain_knows_already_is_not_tried_out(cleo: Collector) -> None:
    """The wallet broadcast it itself, and the money has left it."""
    prepared = await cleo.prepared(5)
    id_ = prepared["batchId"]
    cleo.here.solana.known.add(await cleo.signature(id_))
    cleo.here.solana.failing = NO_MONEY
    assert (await cleo.confirm(id_, cleo.sign(prepared))).json()["status"] == "confirming"


async def test_while_no_node_answers_nothing_is_recorded(cleo: Collector) -> None:
    prepared = await cleo.prepared(5)
    cleo.here.solana.silent = True
    answer = await cleo.confirm(prepared["batchId"], cleo.sign(prepared))
    assert refused(answer) == (503, "SOLANA_UNAVAILABLE")
    assert (await cleo.batch(prepared["batchId"])).status == "prepared"


async def test_a_payment_whose_time_is_over_is_taken_until_its_last_block(
    cleo: Collector,
) -> None:
    late = await cleo.prepared(2)
    await cleo.here.parts.clock.advance(timedelta(seconds=61))
    assert (await cleo.confirm(late["batchId"], cleo.sign(late))).json()["status"] == "confirming"
    await cleo.lapse(late["batchId"])

    later = await cleo.prepared(5)
    await cleo.here.parts.clock.advance(timedelta(seconds=61))
    cleo.here.solana.now += 151
    answer = await cleo.confirm(later["batchId"], cleo.sign(later))
    assert refused(answer) == (410, "BATCH_EXPIRED")


async def test_after_a_proof_that_it_cannot_land_the_batch_is_over(cleo: Collector) -> None:
    prepared = await cleo.prepared(5)
    await cleo.lapse(prepared["batchId"])
    for said in (cleo.sign(prepared), None):
        assert refused(await cleo.confirm(prepared["batchId"], said)) == (410, "BATCH_EXPIRED")
    status = await cleo.status()
    assert status["slots"] == {"allowed": 10, "used": 0, "reserved": 0}
    assert status["batches"][0]["status"] == "expired"


async def test_after_a_payment_that_failed_the_reason_is_told(cleo: Collector) -> None:
    id_ = await cleo.submitted(5)
    await cleo.fail_payment(id_, "broke")
    answer = await cleo.confirm(id_, "AAAA")
    assert refused(answer) == (410, "BATCH_EXPIRED") and "broke" in answer.json()["detail"]
    assert (await cleo.status())["batches"][0]["status"] == "failed"


async def test_after_a_cancellation_nothing_is_taken(cleo: Collector) -> None:
    prepared = await cleo.prepared(5)
    await cleo.cancel(prepared["batchId"])
    answer = await cleo.confirm(prepared["batchId"], cleo.sign(prepared))
    assert refused(answer) == (409, "BATCH_CANCELLED")
    await cleo.land(prepared["batchId"])  # the wallet broadcast it all the same
    answer = await cleo.confirm(prepared["batchId"], cleo.sign(prepared))
    assert answer.json()["status"] == "paid"
    assert (await cleo.status())["pfp_credits"] == 5


async def test_who_closes_the_browser_may_ask_for_the_rest_without_a_transaction(
    cleo: Collector,
) -> None:
    id_ = await cleo.paid(3)
    answer = await cleo.confirm(id_, autoMint=True)
    assert answer.json() == {"batchId": id_, "status": "paid"}
    assert (await cleo.batch(id_)).auto_mint
    before = await cleo.here.position()
    await cleo.confirm(id_, autoMint=True)
    assert await cleo.here.position() == before


async def test_the_wish_for_the_rest_comes_with_the_payment_too(cleo: Collector) -> None:
    prepared = await cleo.prepared(3)
    id_, whole = prepared["batchId"], cleo.sign(prepared)
    await cleo.confirm(id_, whole)
    assert not (await cleo.batch(id_)).auto_mint
    await cleo.confirm(id_, whole, autoMint=True)
    assert (await cleo.batch(id_)).auto_mint


async def test_a_batch_that_credits_paid_is_confirmed_without_a_wallet(cleo: Collector) -> None:
    await cleo.paid(3)
    id_ = (await cleo.prepared(3))["batchId"]
    assert (await cleo.confirm(id_)).json() == {"batchId": id_, "status": "paid"}


async def test_a_key_gives_the_first_answer_again(cleo: Collector) -> None:
    prepared, key = await cleo.prepared(5), secrets.token_hex(8)
    id_, whole = prepared["batchId"], cleo.sign(prepared)
    first = await cleo.confirm(id_, whole, key=key)
    await cleo.land(id_)
    again = await cleo.confirm(id_, whole, key=key)
    assert (again.json()["status"], again.headers["Idempotent-Replayed"]) == ("confirming", "true")
    assert again.headers["X-Ledger-Position"] == first.headers["X-Ledger-Position"]
    reused = await cleo.confirm(id_, whole, key=key, autoMint=True)
    assert refused(reused) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_a_refusal_is_not_kept_under_its_key(cleo: Collector) -> None:
    prepared, key = await cleo.prepared(5), secrets.token_hex(8)
    id_, whole = prepared["batchId"], cleo.sign(prepared)
    cleo.here.solana.failing = NO_MONEY
    assert refused(await cleo.confirm(id_, whole, key=key))[1] == "INSUFFICIENT_FUNDS"
    cleo.here.solana.failing = ""
    assert (await cleo.confirm(id_, whole, key=key)).status_code == 200
