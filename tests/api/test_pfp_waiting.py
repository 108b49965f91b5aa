"""Requests that wait for what the consumers do: a payment that lands, a token, a picture."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from commands.grove import GrowTree
from tests.api.collectors import Collector, collector
from tests.api.fake_solana import AUTHORITY, PATIENT, PRICE, TREE
from tests.api.geoplets import refused
from tests.api.living import Living, living
from tests.world import TestWorld


@pytest.fixture(scope="module")
async def here(world: TestWorld) -> AsyncIterator[Living]:
    """Requests here wait long: in each test, what they wait for comes."""
    with world.database() as database:
        async with living(world, database, patience=PATIENT, mega_read_wait_s=0.1) as made:
            grown = GrowTree(authority=str(AUTHORITY.pubkey()), tree=TREE, capacity=16_384)
            await made.do(grown)
            yield made


# Batches.


async def pay(cleo: Collector, quantity: int) -> tuple[str, httpx.Response]:
    prepared = await cleo.prepared(quantity)
    id_ = str(prepared["batchId"])
    asked = cleo.confirm(id_, cleo.sign(prepared))
    answer = await cleo.meanwhile(asked, id_, lambda b: bool(b.submitted), cleo.land)
    return id_, answer


async def test_a_confirmation_waits_for_the_payment(cleo: Collector) -> None:
    id_, answer = await pay(cleo, 2)
    assert answer.json() == {"batchId": id_, "status": "paid"}


async def test_a_payment_that_fails_meanwhile_is_told(cleo: Collector) -> None:
    prepared = await cleo.prepared(2)
    asked = cleo.confirm(prepared["batchId"], cleo.sign(prepared))
    answer = await cleo.meanwhile(
        asked, prepared["batchId"], lambda b: bool(b.submitted), cleo.fail_payment
    )
    assert refused(answer) == (410, "BATCH_EXPIRED")


async def mint(cleo: Collector, id_: str, outside: Any, key: str = "") -> dict[str, Any]:
    asked = cleo.mint(id_, key)
    answer = await cleo.meanwhile(asked, id_, lambda b: bool(b.in_work), outside)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_wish_for_a_token_waits_for_it(cleo: Collector) -> None:
    id_, _ = await pay(cleo, 2)
    assert await mint(cleo, id_, cleo.make) == {
        "success": True,
        "minted": {
            "index": 1,
            "assetId": f"asset-{id_}-1",
            "imageUri": f"https://vault.test/{id_}-1-image",
            "metadataUri": f"https://vault.test/{id_}-1-metadata",
            "signature": f"mint-{id_}-1",
        },
        "remaining": 1,
        "pfp_credits": 1,
    }


@pytest.mark.parametrize(
    ("error_class", "reason"), [("transient", "MINT_FAILED"), ("quota", "STORAGE_QUOTA")]
)
async def test_a_wish_that_fails_says_why_and_what_is_left(
    cleo: Collector, error_class: str, reason: str
) -> None:
    id_, _ = await pay(cleo, 1)

    async def give_up(id_: str) -> None:
        await cleo.give_up(id_, error_class)

    left = {"remaining": 1, "pfp_credits": 1}
    assert await mint(cleo, id_, give_up) == {"success": False, "reason": reason, **left}
    assert (await mint(cleo, id_, cleo.make))["success"]


async def test_a_wish_for_a_token_waits_for_its_payment_too(cleo: Collector) -> None:
    prepared = await cleo.prepared(1)
    id_ = prepared["batchId"]
    await cleo.submit(prepared)
    key = secrets.token_hex(8)

    async def land_and_make(id_: str) -> None:
        await cleo.land(id_)
        await cleo.working(id_)
        await cleo.make(id_)

    asked = cleo.mint(id_, key)
    answer = await cleo.meanwhile(asked, id_, lambda b: bool(b.submitted), land_and_make)
    assert answer.json()["success"], answer.text
    again = await cleo.mint(id_, key)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (answer.json(), "true")


# Single mints.


async def prepare(cleo: Collector, key: str = "", **body: Any) -> dict[str, Any]:
    """A single mint whose picture is stored while the request waits."""

    async def store(id_: str) -> None:
        await cleo.store(id_, 1)

    answer = await cleo.meanwhile_new(cleo.ask("prepare", body, key), store)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_single_mint_pays_and_mints_in_one_transaction(cleo: Collector) -> None:
    told = await prepare(cleo)
    assert told.keys() == {"mintId", "transactionBase64", "lamports", "expiresAt"}
    assert (told["lamports"], (await cleo.status())["slots"]["reserved"]) == (str(PRICE), 1)
    asked = cleo.ask(
        "confirm", {"mintId": told["mintId"], "signedTransactionBase64": cleo.sign(told)}
    )
    id_ = told["mintId"]
    answer = await cleo.meanwhile(asked, id_, lambda b: bool(b.submitted), cleo.land_with_token)
    assert (answer.json()["mintId"], answer.json()["status"]) == (id_, "complete")
    assert answer.json()["minted"]["assetId"] == f"asset-{id_}"
    status = await cleo.status()
    assert (status["pfp_credits"], status["batches"]) == (0, [])
    assert status["slots"] == {"allowed": 10, "used": 1, "reserved": 0}


async def test_a_single_mint_is_found_again_and_its_key_answers_the_same(cleo: Collector) -> None:
    key = secrets.token_hex(8)
    told = await prepare(cleo, key)
    assert (await cleo.ask("prepare", {})).json() == told
    again = await cleo.ask("prepare", {}, key)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (told, "true")


async def test_a_credit_pays_for_a_single_mint(cleo: Collector) -> None:
    await pay(cleo, 2)
    told = await prepare(cleo)
    assert told["lamports"] == "0"
    status = await cleo.status()
    assert (status["pfp_credits"], status["batches"][0]["remaining"]) == (2, 1)


async def test_a_single_mint_that_came_to_nothing_fails_and_its_picture_is_used_again(
    cleo: Collector,
) -> None:
    first = await prepare(cleo)
    await cleo.lapse(first["mintId"])
    signed = {"mintId": first["mintId"], "signedTransactionBase64": cleo.sign(first)}
    assert refused(await cleo.ask("confirm", signed)) == (410, "BATCH_EXPIRED")
    await cleo.here.shown()
    second = await prepare(cleo)
    assert second["mintId"] != first["mintId"]
    seeds = [(await cleo.batch(told["mintId"])).unit(1).seed for told in (first, second)]
    assert seeds[0] == seeds[1]


async def test_a_single_mint_that_failed_on_the_chain_says_so_whenever_it_is_asked(
    cleo: Collector,
) -> None:
    told = await prepare(cleo)
    id_, whole = told["mintId"], cleo.sign(told)
    asked = cleo.ask("confirm", {"mintId": id_, "signedTransactionBase64": whole})
    first = await cleo.meanwhile(asked, id_, lambda b: bool(b.submitted), cleo.fail_payment)
    again = await cleo.ask("confirm", {"mintId": id_, "signedTransactionBase64": whole})
    for answer in (first, again):
        assert answer.json() == {"mintId": id_, "status": "failed"}
    assert (await cleo.status())["slots"] == {"allowed": 10, "used": 0, "reserved": 0}


async def test_a_picture_that_cannot_be_made_takes_nothing(cleo: Collector) -> None:
    async def give_up(id_: str) -> None:
        await cleo.give_up(id_)
        await cleo.fail_payment(id_, "transient")

    answer = await cleo.meanwhile_new(cleo.ask("prepare", {}), give_up)
    assert refused(answer) == (503, "PICTURE_UNAVAILABLE")
    assert (await cleo.status())["slots"] == {"allowed": 10, "used": 0, "reserved": 0}


async def test_a_single_mint_is_refused_as_a_batch_is(here: Living, cleo: Collector) -> None:
    stranger = await collector(here, None)
    assert refused(await stranger.ask("prepare", {})) == (403, "NOT_ELIGIBLE")
    other = {"wallet": stranger.wallet}
    assert refused(await cleo.ask("prepare", other)) == (403, "WALLET_NOT_LINKED")
    told = await prepare(cleo)
    for said in (told["transactionBase64"], "AAAA"):
        signed = {"mintId": told["mintId"], "signedTransactionBase64": said}
        assert refused(await cleo.ask("confirm", signed))[0] == 422
    missing = await cleo.ask("confirm", {"mintId": told["mintId"]})
    assert refused(missing) == (422, "INVALID_REQUEST")


async def test_what_is_not_shown_in_time_is_said_so(cleo: Collector) -> None:
    far = await cleo.here.position() + 1_000_000
    id_ = (await cleo.prepared(1))["batchId"]
    for path in (f"/pfp/batches/{id_}", "/pfp/status"):
        behind = await cleo.caller.get(path, min_position=far)
        assert refused(behind) == (503, "PROJECTION_BEHIND")
