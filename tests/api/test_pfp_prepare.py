"""`POST /pfp/prepare-batch`: what is asked, what credits cover, and what is left to pay."""

from __future__ import annotations

import asyncio
import base64
import secrets
from datetime import timedelta
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.transaction import VersionedTransaction

from commands.passes import Identify
from tests.api.collectors import Collector, collector
from tests.api.fake_solana import AUTHORITY, PRICE, TREASURY
from tests.api.geoplets import refused
from tests.api.living import Living

SLOTS = {"allowed": 10, "used": 0, "reserved": 0}


async def test_a_batch_is_a_payment_that_we_signed_and_the_wallet_has_to(cleo: Collector) -> None:
    answer = await cleo.prepare(5)
    told = answer.json()
    assert told.keys() == {
        "batchId",
        "transactionBase64",
        "lamports",
        "creditsApplied",
        "expiresAt",
    }
    assert (answer.status_code, told["lamports"]) == (200, str(5 * PRICE))
    assert told["creditsApplied"] == 0
    assert int(answer.headers["X-Ledger-Position"]) == await cleo.here.position()
    prepared = VersionedTransaction.from_bytes(base64.b64decode(told["transactionBase64"]))
    keys = [str(key) for key in prepared.message.account_keys]
    assert keys[:2] == [str(AUTHORITY.pubkey()), cleo.wallet] and TREASURY in keys
    assert [any(bytes(each)) for each in prepared.signatures] == [True, False]
    assert (await cleo.status())["slots"] == {**SLOTS, "reserved": 5}


@pytest.mark.parametrize(
    "quantity", [0, 11, -1, 10**30, 1.5, 5.0, "5", True, None, [5], {}], ids=str
)
async def test_a_quantity_that_is_none_is_refused(cleo: Collector, quantity: Any) -> None:
    before = await cleo.here.position()
    assert refused(await cleo.prepare(quantity)) == (422, "INVALID_QUANTITY")
    assert await cleo.here.position() == before


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "quantity"),
        ({"quantity": 5, "price": 0}, "price"),
        ({"quantity": 5, "wallet": 7}, "wallet"),
        ({"quantity": 5, "wallet": ""}, "wallet"),
        ({"quantity": 5, "wallet": "0x" + "1" * 40}, "wallet"),
        ({"quantity": 5, "wallet": "1" * 45}, "wallet"),
    ],
    ids=str,
)
async def test_a_malformed_wish_is_named_by_its_place(
    cleo: Collector, body: dict[str, Any], place: str
) -> None:
    answer = await cleo.ask("prepare-batch", body)
    assert refused(answer) == (422, "INVALID_REQUEST")
    assert [one["field"] for one in answer.json()["fields"]] == [f"body.{place}"]


@pytest.mark.parametrize("allowed", [None, 0])
async def test_a_wallet_that_is_not_on_the_allowlist_is_refused(
    here: Living, cleo: Collector, allowed: int | None
) -> None:
    other = await collector(here, allowed)
    assert refused(await other.prepare(1)) == (403, "NOT_ELIGIBLE")
    assert (await other.status())["eligible"] is False


async def test_more_than_the_allowlist_leaves_is_refused(here: Living, cleo: Collector) -> None:
    await cleo.allow(6)
    await cleo.paid(5)
    other = await cleo.prepare(7)
    assert refused(other) == (409, "NO_SLOTS")
    told = await cleo.prepared(6)
    assert (told["lamports"], told["creditsApplied"]) == (str(PRICE), 5)


async def test_the_same_quantity_again_is_the_same_batch_and_another_replaces_it(
    cleo: Collector,
) -> None:
    first = await cleo.prepared(5)
    assert await cleo.prepared(5) == first
    second = await cleo.prepared(2)
    assert second["batchId"] != first["batchId"]
    status = await cleo.status()
    assert status["slots"] == {**SLOTS, "reserved": 2}
    shown = {batch["batchId"]: batch["status"] for batch in status["batches"]}
    assert shown == {first["batchId"]: "cancelled", second["batchId"]: "prepared"}


async def test_two_tabs_that_prepare_at_once_share_a_batch(cleo: Collector) -> None:
    answers = await asyncio.gather(*(cleo.prepare(5) for _ in range(8)))
    assert len({answer.json()["batchId"] for answer in answers}) == 1
    assert (await cleo.status())["slots"]["reserved"] == 5


async def test_many_that_want_different_numbers_never_exceed_the_allowlist(
    cleo: Collector,
) -> None:
    answers = await asyncio.gather(*(cleo.prepare(quantity) for quantity in range(1, 9)))
    codes = {answer.json().get("code") for answer in answers if answer.status_code != 200}
    assert codes <= {"PAYMENT_IN_FLIGHT", "TOO_BUSY"}
    status = await cleo.status()
    (left,) = [batch for batch in status["batches"] if batch["status"] == "prepared"]
    assert status["slots"]["reserved"] == left["quantity"]


async def test_credits_pay_for_all_of_it_without_the_wallet(cleo: Collector) -> None:
    first = await cleo.paid(5)
    told = await cleo.prepared(3)
    assert (told["transactionBase64"], told["lamports"], told["expiresAt"]) == (None, "0", None)
    assert told["creditsApplied"] == 3
    status = await cleo.status()
    shown = {batch["batchId"]: batch for batch in status["batches"]}
    assert (shown[told["batchId"]]["status"], shown[first]["remaining"]) == ("paid", 2)
    assert (status["pfp_credits"], status["slots"]) == (5, {**SLOTS, "used": 5})


async def test_credits_need_no_node_of_solana_but_a_payment_does(cleo: Collector) -> None:
    await cleo.paid(2)
    cleo.here.solana.silent = True
    before = await cleo.here.position()
    answer = await cleo.prepare(3)
    assert refused(answer) == (503, "SOLANA_UNAVAILABLE")
    assert answer.headers["Retry-After"] and await cleo.here.position() == before
    assert (await cleo.prepared(2))["lamports"] == "0"


async def test_while_a_payment_may_land_nothing_else_is_prepared(cleo: Collector) -> None:
    id_ = await cleo.submitted(5)
    assert refused(await cleo.prepare(5)) == (409, "PAYMENT_IN_FLIGHT")
    assert refused(await cleo.prepare(2)) == (409, "PAYMENT_IN_FLIGHT")
    await cleo.lapse(id_)
    assert (await cleo.prepared(2))["lamports"] == str(2 * PRICE)


async def test_a_payment_whose_time_is_over_still_holds_its_slots_until_the_proof(
    cleo: Collector,
) -> None:
    id_ = (await cleo.prepared(5))["batchId"]
    await cleo.here.parts.clock.advance(timedelta(seconds=61))
    assert refused(await cleo.prepare(5)) == (409, "PAYMENT_IN_FLIGHT")
    await cleo.lapse(id_)
    assert (await cleo.prepared(5))["batchId"] != id_


async def test_a_key_gives_the_first_batch_again(cleo: Collector) -> None:
    key = secrets.token_hex(8)
    first = await cleo.prepare(5, key=key)
    await cleo.cancel(first.json()["batchId"])
    cleo.here.solana.silent = True
    again = await cleo.prepare(5, key=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    assert again.headers["X-Ledger-Position"] == first.headers["X-Ledger-Position"]
    assert refused(await cleo.prepare(4, key=key)) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert refused(await cleo.prepare(0, key=key)) == (422, "INVALID_QUANTITY")


async def test_a_pass_without_a_wallet_of_solana_is_told_to_link_one(here: Living) -> None:
    guest = Collector(here, await here.caller(), Keypair())
    assert refused(await guest.prepare(1)) == (409, "WALLET_REQUIRED")
    status = await guest.status()
    assert (status["wallet"], status["eligible"], status["batches"]) == (None, False, [])


async def test_a_wallet_of_another_pass_is_refused(here: Living, cleo: Collector) -> None:
    other = await collector(here)
    assert refused(await cleo.prepare(1, wallet=other.wallet)) == (403, "WALLET_NOT_LINKED")
    asked = await cleo.caller.get("/pfp/status", wallet=other.wallet)
    assert refused(asked) == (403, "WALLET_NOT_LINKED")
    odd = await cleo.caller.get("/pfp/status", wallet="nobody's")
    assert refused(odd) == (403, "WALLET_NOT_LINKED")


async def test_of_several_wallets_the_one_that_is_meant_is_named(
    here: Living, cleo: Collector
) -> None:
    second = Keypair()
    linking = {"new_pass_id": cleo.caller.pass_id, "current": cleo.caller.pass_id}
    await here.do(Identify(identity=f"solana:{second.pubkey()}", **linking))
    other = Collector(here, cleo.caller, second)
    await other.allow(2)
    assert refused(await cleo.prepare(1)) == (409, "WALLET_REQUIRED")
    assert refused(await cleo.caller.get("/pfp/status")) == (409, "WALLET_REQUIRED")
    mine = (await cleo.prepare(5, wallet=cleo.wallet)).json()["batchId"]
    theirs = (await cleo.prepare(2, wallet=other.wallet)).json()["batchId"]
    for wallet, id_, allowed in ((cleo.wallet, mine, 10), (other.wallet, theirs, 2)):
        status = await cleo.status(wallet=wallet)
        assert [batch["batchId"] for batch in status["batches"]] == [id_]
        assert (status["wallet"], status["slots"]["allowed"]) == (wallet, allowed)
