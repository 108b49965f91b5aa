"""Minting from a paid batch, giving an unpaid one up, and what is shown of both."""

from __future__ import annotations

import asyncio
import secrets
from hashlib import sha256
from typing import Any

import pytest

from commands.mint_wishes import WishForToken
from commands.passes import Identify
from tests.api.collectors import Collector, collector
from tests.api.fake_solana import PRICE
from tests.api.geoplets import refused
from tests.api.living import Living

NOBODYS = "7d0f8a52-4a0c-4b6e-9d53-1f2f0a6c3b11"
BODIES: list[tuple[str, dict[str, Any]]] = [
    ("confirm-batch", {"signedTransactionBase64": "AAAA"}),
    ("mint-from-batch", {}),
    ("cancel-batch", {}),
]


async def test_each_wish_mints_one_until_none_is_left(cleo: Collector) -> None:
    id_ = await cleo.paid(2)
    for left in (1, 0):
        assert (await cleo.mint(id_)).json() == {
            "success": False,
            "reason": "MINT_IN_PROGRESS",
            "remaining": left + 1,
            "pfp_credits": left + 1,
        }
        await cleo.make(id_)
    before = await cleo.here.position()
    assert (await cleo.mint(id_)).json() == {
        "success": False,
        "reason": "BATCH_COMPLETE",
        "remaining": 0,
        "pfp_credits": 0,
    }
    assert await cleo.here.position() == before
    (batch,) = (await cleo.status())["batches"]
    assert (batch["status"], [each["index"] for each in batch["minted"]]) == ("complete", [1, 2])


async def test_two_tabs_never_mint_the_same_unit(cleo: Collector) -> None:
    id_ = await cleo.paid(3)
    answers = await asyncio.gather(*(cleo.mint(id_) for _ in range(8)))
    assert {answer.json()["reason"] for answer in answers} == {"MINT_IN_PROGRESS"}
    assert [unit.index for unit in (await cleo.batch(id_)).in_work] == [1, 2, 3]
    assert (await cleo.status())["pfp_credits"] == 3


@pytest.mark.parametrize(
    ("error_class", "reason"), [("transient", "MINT_FAILED"), ("quota", "STORAGE_QUOTA")]
)
async def test_a_mint_that_fails_leaves_its_credit(
    cleo: Collector, error_class: str, reason: str
) -> None:
    id_ = await cleo.paid(1)
    await cleo.mint(id_)
    await cleo.give_up(id_, error_class)
    status = await cleo.status()
    assert (status["pfp_credits"], status["batches"][0]["remaining"]) == (1, 1)
    again = await cleo.mint(id_)
    assert again.json()["reason"] == "MINT_IN_PROGRESS"
    await cleo.make(id_)
    assert (await cleo.status())["pfp_credits"] == 0


async def test_nothing_is_minted_before_it_is_paid(cleo: Collector) -> None:
    prepared = await cleo.prepared(2)
    id_ = prepared["batchId"]
    assert refused(await cleo.mint(id_)) == (409, "NOT_OFFERED")
    await cleo.confirm(id_, cleo.sign(prepared))
    assert refused(await cleo.mint(id_)) == (409, "PAYMENT_IN_FLIGHT")
    await cleo.lapse(id_)
    assert refused(await cleo.mint(id_)) == (410, "BATCH_EXPIRED")


async def test_a_key_mints_once_however_often_it_is_said(cleo: Collector) -> None:
    id_, key = await cleo.paid(3), secrets.token_hex(8)
    first = await cleo.mint(id_, key)
    again = await cleo.mint(id_, key)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert [unit.index for unit in (await cleo.batch(id_)).in_work] == [1]
    assert refused(await cleo.ask("mint-from-batch", {"batchId": NOBODYS}, key))[0] == 404


async def test_a_wish_repeated_after_a_crash_is_still_one(here: Living, cleo: Collector) -> None:
    """The process ended while it waited: the unit was opened, and no answer kept."""
    id_, key = await cleo.paid(3), secrets.token_hex(8)
    await here.do(WishForToken(batch_id=id_, wish=wish(cleo, key)))
    await cleo.make(id_)
    again = await cleo.mint(id_, key)
    assert (again.json()["success"], again.json()["minted"]["index"]) == (True, 1)
    assert (await cleo.status())["pfp_credits"] == 2


async def test_a_wish_is_for_a_token_of_its_own_batch(here: Living, cleo: Collector) -> None:
    first, key = await cleo.paid(2), secrets.token_hex(8)
    await here.do(WishForToken(batch_id=first, wish=wish(cleo, key)))
    second = await cleo.paid(5)
    assert refused(await cleo.mint(second, key)) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert not (await cleo.batch(second)).in_work


def wish(cleo: Collector, key: str) -> str:
    scope = (cleo.caller.pass_id, "POST", "/pfp/mint-from-batch", key)
    return sha256("\n".join(scope).encode()).hexdigest()


# Cancelling.


async def test_a_batch_is_given_up_once_and_its_slots_are_free(cleo: Collector) -> None:
    id_ = (await cleo.prepared(5))["batchId"]
    answer = await cleo.cancel(id_)
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert int(answer.headers["X-Ledger-Position"]) == await cleo.here.position()
    again = await cleo.cancel(id_)
    assert (again.status_code, again.json()) == (200, answer.json())
    assert (await cleo.status())["slots"] == {"allowed": 10, "used": 0, "reserved": 0}
    assert refused(await cleo.mint(id_)) == (409, "BATCH_CANCELLED")


async def test_what_is_paid_or_may_be_is_not_given_up(cleo: Collector) -> None:
    prepared = await cleo.prepared(5)
    id_ = prepared["batchId"]
    cleo.here.solana.known.add(await cleo.signature(id_))  # the wallet broadcast it itself
    assert refused(await cleo.cancel(id_)) == (409, "PAYMENT_IN_FLIGHT")
    cleo.here.solana.known.clear()
    await cleo.confirm(id_, cleo.sign(prepared))
    assert refused(await cleo.cancel(id_)) == (409, "PAYMENT_IN_FLIGHT")
    await cleo.land(id_)
    assert refused(await cleo.cancel(id_)) == (409, "BATCH_ALREADY_PAID")
    status = await cleo.status()
    assert (status["pfp_credits"], status["slots"]["used"]) == (5, 5)


async def test_while_no_node_answers_nothing_is_given_up(cleo: Collector) -> None:
    id_ = (await cleo.prepared(5))["batchId"]
    cleo.here.solana.silent = True
    assert refused(await cleo.cancel(id_)) == (503, "SOLANA_UNAVAILABLE")
    assert (await cleo.batch(id_)).status == "prepared"


async def test_credits_come_back_from_a_batch_that_is_given_up(cleo: Collector) -> None:
    await cleo.paid(3)
    id_ = (await cleo.prepared(5))["batchId"]
    await cleo.cancel(id_)
    assert (await cleo.prepared(5))["creditsApplied"] == 3


async def test_a_key_gives_the_first_cancellation_again(cleo: Collector) -> None:
    id_, key = (await cleo.prepared(5))["batchId"], secrets.token_hex(8)
    first = await cleo.cancel(id_, key)
    again = await cleo.cancel(id_, key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")


# Whose it is, and in which order it is looked at.


async def test_another_owners_batch_is_not_there(here: Living, cleo: Collector) -> None:
    other = await collector(here)
    prepared = await cleo.prepared(5)
    theirs, before = prepared["batchId"], await here.position()
    for id_ in (theirs, NOBODYS, "", "../x", "batch:1"):
        for path, more in BODIES:
            answer = await other.ask(path, {"batchId": id_, **more})
            assert refused(answer) == (404, "NOT_FOUND"), path
        answer = await other.ask("confirm", {"mintId": id_, "signedTransactionBase64": "AAAA"})
        assert refused(answer) == (404, "NOT_FOUND")
    assert refused(await other.caller.get(f"/pfp/batches/{theirs}")) == (404, "NOT_FOUND")
    signed = {"batchId": theirs, "signedTransactionBase64": cleo.sign(prepared)}
    assert refused(await other.ask("confirm-batch", signed)) == (404, "NOT_FOUND")
    assert await here.position() == before


async def test_an_auditor_sees_every_batch_and_changes_none(here: Living, cleo: Collector) -> None:
    id_ = (await cleo.prepared(5))["batchId"]
    auditor = await here.caller("auditor")
    assert (await auditor.get(f"/pfp/batches/{id_}")).status_code == 200
    both = await here.caller("user auditor")
    for path, more in BODIES:
        body = {"batchId": id_, **more}
        assert refused(await auditor.post(f"/pfp/{path}", body)) == (403, "FORBIDDEN")
        assert refused(await both.post(f"/pfp/{path}", body)) == (404, "NOT_FOUND")


async def test_checks_come_in_their_order(here: Living, cleo: Collector) -> None:
    id_ = (await cleo.prepared(5))["batchId"]
    other = await collector(here)
    bad_key = "x" * 300
    for path, more in BODIES:
        body = {"batchId": id_, **more}
        nobody = await here.nobody().post(f"/pfp/{path}", {"broken": 1}, Idempotency_Key=bad_key)
        assert refused(nobody) == (401, "UNAUTHENTICATED")
        assert refused(await other.ask(path, body, bad_key)) == (404, "NOT_FOUND")
        malformed = await cleo.ask(path, {**body, "more": 1}, bad_key)
        assert [one["field"] for one in malformed.json()["fields"]] == ["body.more"]
        keyed = await cleo.ask(path, body, bad_key)
        assert [one["field"] for one in keyed.json()["fields"]] == ["Idempotency-Key"]
    for path, more in BODIES[:2]:
        assert refused(await cleo.ask(path, {"batchId": id_, **more}, "k"))[0] in (409, 422)


# Reading.


async def test_a_batch_is_shown_as_soon_as_it_is_asked_for(cleo: Collector) -> None:
    answer = await cleo.prepare(5)
    told, position = answer.json(), answer.headers["X-Ledger-Position"]
    at_once = await cleo.caller.get(f"/pfp/batches/{told['batchId']}")
    shown = await cleo.caller.get(f"/pfp/batches/{told['batchId']}", min_position=position)
    expected = {
        "batchId": told["batchId"],
        "status": "prepared",
        "quantity": 5,
        "lamports": str(5 * PRICE),
        "creditsApplied": 0,
        "minted": [],
        "remaining": 5,
        "expiresAt": told["expiresAt"],
    }
    assert (at_once.json(), shown.json()) == (expected, expected)


async def test_a_batch_is_shown_as_it_was(here: Living, cleo: Collector) -> None:
    born = await here.position()
    id_ = await cleo.paid(2)
    paid = await here.position()
    await cleo.minted(id_)
    auditor = await here.caller("auditor")
    for reader in (cleo.caller, auditor):
        then = (await reader.get(f"/pfp/batches/{id_}", as_of=paid)).json()
        now = (await reader.get(f"/pfp/batches/{id_}", min_position=await here.position())).json()
        assert [(each["status"], each["remaining"]) for each in (then, now)] == [
            ("paid", 2),
            ("minting", 1),
        ]
        unborn = await reader.get(f"/pfp/batches/{id_}", as_of=born)
        assert refused(unborn) == (404, "NOT_FOUND")
    unzoned = await cleo.caller.get(f"/pfp/batches/{id_}", as_of="2026-01-01T00:00:00")
    assert refused(unzoned) == (422, "INVALID_REQUEST")


async def test_minted_tokens_tell_where_they_are(cleo: Collector) -> None:
    id_ = await cleo.paid(1)
    await cleo.minted(id_)
    (batch,) = (await cleo.status())["batches"]
    assert batch["minted"] == [
        {
            "index": 1,
            "assetId": f"asset-{id_}-1",
            "imageUri": f"https://vault.test/{id_}-1-image",
            "metadataUri": f"https://vault.test/{id_}-1-metadata",
            "signature": f"mint-{id_}-1",
        }
    ]


async def test_the_status_of_merged_passes_has_what_both_have_paid(
    here: Living, cleo: Collector
) -> None:
    """The older pass has no wallet; the younger one's comes with it, and its credits."""
    older = await here.caller()
    younger = await collector(here)
    id_ = await younger.paid(3)
    await younger.minted(id_)
    waiting = (await younger.prepared(5))["batchId"]
    shown = [batch["batchId"] for batch in (await younger.status())["batches"]]
    identity = f"eip155:{older.wallet}"
    linking = {"new_pass_id": younger.caller.pass_id, "current": younger.caller.pass_id}
    await here.do(Identify(identity=identity, **linking))
    await here.shown()
    await here.parts.directory.refresh()
    for caller in (older, younger.caller):
        merged = Collector(here, caller, younger.key)
        status = await merged.status()
        assert (status["wallet"], status["pfp_credits"]) == (younger.wallet, 2)
        assert status["slots"] == {"allowed": 10, "used": 3, "reserved": 3}
        assert [batch["batchId"] for batch in status["batches"]] == shown
        assert (await merged.prepared(5))["batchId"] == waiting
    await Collector(here, older, younger.key).cancel(waiting)
    assert (await younger.prepared(2))["lamports"] == "0"
