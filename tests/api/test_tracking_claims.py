"""Claims change nothing until the chain shows them; only what is unpaid is dropped (seed 004,
endpoints 3 to 5)."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import pytest

from tests.api.geoplets import Buyer, buyer, refused
from tests.api.living import Caller, Living

ROOT = "/api/payment-tracking"
NOTHING = {"status": None, "canResume": False}
TX = "0x" + "5e" * 32


@pytest.fixture
async def service(here: Living) -> Caller:
    return await here.caller("service")


def path(payer: Buyer, kind: str = "mint", more: str = "") -> str:
    return f"{ROOT}/{payer.fid}/{kind}{more}"


def new_tx() -> str:
    return "0x" + secrets.token_hex(32)


async def settled(payer: Buyer) -> str:
    header = payer.header()
    await payer.sign(header)
    await payer.hand_in(header)
    await payer.land(header)
    return header


async def patch(caller: Caller, payer: Buyer, what: str, tx: str, **headers: str) -> httpx.Response:
    name = "settlementTxHash" if what == "settle" else "mintTxHash"
    where = path(payer, more=f"/{what}")
    return await caller.ask("PATCH", where, json={name: tx}, headers=headers)


async def delete(caller: Caller, payer: Buyer, **headers: str) -> httpx.Response:
    return await caller.ask("DELETE", path(payer), headers=headers)


# PATCH.


async def test_a_claimed_settlement_counts_when_the_chain_shows_it(payer: Buyer) -> None:
    header, tx = payer.header(), new_tx()
    await payer.sign(header)
    answer = await patch(payer.caller, payer, "settle", tx)
    claimed = {"success": True, "status": "verified", "settlementTxHash": tx, "verifying": True}
    assert (answer.status_code, answer.json()) == (200, claimed)
    body = await payer.tracking()
    assert (body["status"], body["settlementTxHash"]) == ("verified", None)
    await payer.land(header, tx_hash=tx)
    again = await patch(payer.caller, payer, "settle", tx)
    assert again.json() == {**claimed, "status": "settled", "verifying": False}


async def test_a_false_claim_is_answered_with_the_truth(payer: Buyer) -> None:
    header = payer.header()
    await payer.sign(header)
    await payer.hand_in(header)
    landed = await payer.land(header)
    answer = await patch(payer.caller, payer, "settle", new_tx())
    assert answer.json()["settlementTxHash"] == landed.tx_hash


async def test_a_settlement_of_another_order_is_used_already(here: Living, payer: Buyer) -> None:
    header = await settled(payer)
    used = (await payer.order()).paid.landing.tx_hash  # type: ignore[union-attr]
    eve = await buyer(here)
    await eve.sign(eve.header())
    assert refused(await patch(eve.caller, eve, "settle", used)) == (409, "PAYMENT_ALREADY_USED")
    assert (await payer.settle(header)).json()["txHash"] == used


async def test_a_claimed_mint_counts_when_the_chain_shows_it(payer: Buyer) -> None:
    await settled(payer)
    answer = await patch(payer.caller, payer, "mint", new_tx())
    assert answer.json() == {"success": True, "status": "settled", "verifying": True}
    await payer.mint(deep=False)
    answer = await patch(payer.caller, payer, "mint", new_tx())
    assert answer.json() == {"success": True, "status": "minting", "verifying": True}
    await payer.mint()
    answer = await patch(payer.caller, payer, "mint", new_tx())
    assert answer.json() == {"success": True, "status": "minted", "verifying": False}


async def test_there_is_nothing_to_claim_for_what_was_never_paid(payer: Buyer) -> None:
    for what in ("settle", "mint"):
        assert refused(await patch(payer.caller, payer, what, TX)) == (404, "NOT_FOUND")


async def test_claims_are_the_owners_and_a_services(
    here: Living, service: Caller, payer: Buyer
) -> None:
    await settled(payer)
    eve, auditor = await buyer(here), await here.caller("auditor")
    before = await here.position()
    for what in ("settle", "mint"):
        assert refused(await patch(eve.caller, payer, what, TX)) == (404, "NOT_FOUND")
        assert refused(await patch(auditor, payer, what, TX)) == (403, "FORBIDDEN")
        assert (await patch(here.nobody(), payer, what, TX)).status_code == 401
    assert await here.position() == before
    assert (await patch(service, payer, "mint", TX)).status_code == 200


@pytest.mark.parametrize("body", [{}, {"settlementTxHash": "0x1"}, {"settlementTxHash": 1}, []])
async def test_a_malformed_claim_is_400(payer: Buyer, body: Any) -> None:
    answer = await payer.caller.ask("PATCH", path(payer, more="/settle"), json=body)
    assert refused(answer) == (400, "INVALID_REQUEST")


# DELETE.


async def test_an_unpaid_payment_is_dropped(payer: Buyer) -> None:
    await payer.sign(payer.header())
    answer = await delete(payer.caller, payer)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert await payer.tracking() == NOTHING
    assert (await payer.sign(payer.header())).status_code == 200


async def test_a_refused_payment_is_dropped_too(payer: Buyer) -> None:
    header = payer.header()
    await payer.sign(header)
    await payer.hand_in(header)
    await payer.refuse(header)
    assert (await delete(payer.caller, payer)).json() == {"success": True}
    assert await payer.tracking() == NOTHING


async def test_dropping_nothing_is_a_success(here: Living, payer: Buyer) -> None:
    before = await here.position()
    assert (await delete(payer.caller, payer)).json() == {"success": True}
    assert await here.position() == before


@pytest.mark.parametrize("landed", [False, True], ids=["in flight", "settled"])
async def test_what_is_paid_or_may_be_is_not_dropped(payer: Buyer, landed: bool) -> None:
    header = payer.header()
    await payer.sign(header)
    await payer.hand_in(header)
    if landed:
        await payer.land(header)
    shown = await payer.tracking()
    assert refused(await delete(payer.caller, payer)) == (409, "PAYMENT_ALREADY_SETTLED")
    assert await payer.tracking() == shown


async def test_what_is_minted_is_never_dropped(service: Caller, payer: Buyer) -> None:
    await settled(payer)
    await payer.mint()
    assert refused(await delete(service, payer)) == (409, "PAYMENT_ALREADY_SETTLED")


async def test_only_the_owner_or_a_service_drops_it(
    here: Living, service: Caller, payer: Buyer
) -> None:
    await payer.sign(payer.header())
    eve = await buyer(here)
    assert refused(await delete(eve.caller, payer)) == (404, "NOT_FOUND")
    assert refused(await delete(await here.caller("auditor"), payer)) == (403, "FORBIDDEN")
    assert (await payer.tracking())["status"] == "verified"
    assert (await delete(service, payer)).json() == {"success": True}
