"""Idempotency keys on the paid routes: the first answer again, for ever, and no secret in it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable

import httpx
import pytest

from ledger.pool import reading_pool
from tests.api.geoplets import Buyer, refused
from tests.api.living import Living

Asked = Callable[[Buyer, str], Awaitable[httpx.Response]]
TX = "0x" + "5e" * 32


def fresh_key() -> str:
    return secrets.token_hex(12)


def tracking(payer: Buyer, more: str = "") -> str:
    return f"/api/payment-tracking/{payer.fid}/mint{more}"


async def ask(
    payer: Buyer, method: str, path: str, key: str, body: object = None
) -> httpx.Response:
    headers = {"Idempotency-Key": key}
    return await payer.caller.ask(method, path, json=body, headers=headers)


async def claimed_settlement(payer: Buyer, key: str) -> httpx.Response:
    return await ask(payer, "PATCH", tracking(payer, "/settle"), key, {"settlementTxHash": TX})


async def claimed_mint(payer: Buyer, key: str) -> httpx.Response:
    return await ask(payer, "PATCH", tracking(payer, "/mint"), key, {"mintTxHash": TX})


async def dropped(payer: Buyer, key: str) -> httpx.Response:
    return await ask(payer, "DELETE", tracking(payer), key)


async def replayed(first: httpx.Response, again: httpx.Response) -> None:
    assert (first.status_code, again.status_code) == (200, 200), (first.text, again.text)
    assert again.content == first.content
    assert again.headers["X-Ledger-Position"] == first.headers["X-Ledger-Position"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers


@pytest.mark.parametrize("asked", [claimed_settlement, claimed_mint, dropped])
async def test_each_tracking_write_is_answered_again(
    here: Living, payer: Buyer, asked: Asked
) -> None:
    await payer.sign(payer.header())
    key = fresh_key()
    first, before = await asked(payer, key), await here.position()
    await payer.sign(payer.header())
    await replayed(first, await asked(payer, key))
    assert await here.position() > before
    assert (await payer.tracking())["status"] == "verified"


async def test_a_voucher_is_given_again_whatever_happened_since(here: Living, payer: Buyer) -> None:
    key, header = fresh_key(), payer.header()
    first = await payer.sign(header, key=key)
    await payer.hand_in(header)
    await payer.land(header)
    await payer.mint()
    before = await here.position()
    await replayed(first, await payer.sign(header, key=key))
    assert refused(await payer.sign(header)) == (409, "FID_ALREADY_MINTED")
    assert await here.position() == before


async def test_a_settlement_is_told_again_and_moves_nothing(here: Living, payer: Buyer) -> None:
    key, header = fresh_key(), payer.header()
    asked = payer.settle(header, key=key)
    first = await payer.meanwhile(asked, lambda: payer.land(header), "mint")
    before = await here.position()
    await replayed(first, await payer.settle(header, key=key))
    assert await here.position() == before


async def test_a_picture_is_given_again(here: Living, payer: Buyer) -> None:
    key, header = fresh_key(), payer.header("regenerate")

    async def outside() -> None:
        await payer.submitted("regenerate")
        await payer.land(header, "regenerate")
        await payer.drawing()
        await payer.draw()

    first, _ = await asyncio.gather(payer.image(header, key=key), outside())
    before = await here.position()
    await replayed(first, await payer.image(header, key=key))
    assert await here.position() == before


async def test_a_tracked_payment_is_answered_again(here: Living, payer: Buyer) -> None:
    service, key = await here.caller("service"), fresh_key()
    said = {"fid": payer.fid, "paymentType": "mint", "userAddress": payer.wallet}
    body = {**said, "paymentHeader": payer.header()}
    path, headers = "/api/payment-tracking", {"Idempotency-Key": key}
    first = await service.ask("POST", path, json=body, headers=headers)
    await replayed(first, await service.ask("POST", path, json=body, headers=headers))


async def test_another_payment_with_the_same_key_is_another_request(
    here: Living, payer: Buyer
) -> None:
    key, header = fresh_key(), payer.header()
    await payer.sign(header, key=key)
    before = await here.position()
    for other in (None, payer.header()):
        assert refused(await payer.sign(other, key=key)) == (422, "IDEMPOTENCY_KEY_REUSED")
    elsewhere = await payer.sign(header, key=key, named="PAYMENT-SIGNATURE")
    assert refused(elsewhere) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert await here.position() == before


async def test_a_key_that_was_used_is_said_before_the_business(payer: Buyer) -> None:
    key, header = fresh_key(), payer.header()
    await payer.sign(header, key=key)
    await payer.hand_in(header)
    assert refused(await payer.sign(key=key)) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_what_was_not_granted_is_not_kept(here: Living, payer: Buyer) -> None:
    key = fresh_key()
    assert (await payer.sign(key=key)).json()["code"] == "PAYMENT_REQUIRED"
    here.base.silent = True
    header = payer.header()
    assert refused(await payer.sign(header, key=key)) == (503, "FACILITATOR_UNAVAILABLE")
    here.base.silent = False
    assert (await payer.sign(header, key=key)).status_code == 200


async def test_of_two_at_once_with_one_key_one_is_done(payer: Buyer) -> None:
    key, header = fresh_key(), payer.header()
    answers = await asyncio.gather(*(payer.sign(header, key=key) for _ in range(6)))
    done = [answer for answer in answers if answer.status_code == 200]
    waiting = [answer for answer in answers if answer.status_code == 409]
    assert done
    assert len(done) + len(waiting) == 6
    assert {answer.content for answer in done} == {done[0].content}
    assert {answer.json()["code"] for answer in waiting} <= {"IN_PROGRESS"}


async def test_neither_voucher_nor_payment_can_be_read_in_the_ledger(
    here: Living, payer: Buyer
) -> None:
    """Nor in what is kept with the key; the pass's own key opens both."""
    header, key = payer.header(), fresh_key()
    given = (await payer.sign(header, key=key)).json()
    await payer.settled(header)
    assert (await payer.sign(key=fresh_key())).json()["signature"] == given["signature"]
    url = here.parts.settings.database
    async with reading_pool(url, 1) as pool, pool.connection() as connection:
        found = await connection.execute("SELECT row_to_json(e)::text FROM mega_generations e")
        rows = [row[0] for row in await found.fetchall()]
    assert len(rows) > 10
    assert any(payer.wallet in row for row in rows)
    for secret in (header, given["signature"], given["signature"][2:]):
        assert not [row for row in rows if secret in row or secret.encode().hex() in row]
    assert (await payer.sign(header, key=key)).json() == given
