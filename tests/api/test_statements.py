"""Signed statements over HTTP: what a pass paid, what became of it, and who may see it."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.statement_check import NotAKey, check
from tests.api import paid
from tests.api.opened import Api, new_wallet, opened
from tests.world import TestWorld


@pytest.fixture(scope="module")
async def api(world: TestWorld) -> AsyncIterator[Api]:
    """One for all tests here, each with users of its own."""
    with world.database() as database:
        async with opened(world, database) as made:
            yield made


async def auditor(api: Api) -> str:
    return await api.dev("auditor", scope="auditor")


async def key_of(api: Api) -> str:
    published = (await api.get("/.well-known/mega-statement-keys")).json()["keys"]
    assert len(published) == 1
    return str(published[0]["x"])


async def statement(api: Api, who: str) -> dict[str, Any]:
    answer = await api.get("/me/statement", who)
    assert answer.status_code == 200, answer.text
    signed: dict[str, Any] = answer.json()
    assert check(signed, await key_of(api))
    said: dict[str, Any] = signed["statement"]
    return said


def sums(paid_: int = 0, **outcomes: int) -> dict[str, str]:
    names = ("delivered", "credit", "refund_due", "refunded", "expired", "in_flight")
    zeros = dict.fromkeys(names, 0)
    return {name: str(amount) for name, amount in {"paid": paid_, **zeros, **outcomes}.items()}


async def test_money_is_in_flight_until_the_image_is_stored_then_delivered(api: Api) -> None:
    bought = await paid.order(api, "flows")
    assert (await statement(api, bought.who))["assets"] == {}
    found = await paid.pay(api, bought)
    before = await statement(api, bought.who)
    assert before["assets"] == {"MPT": sums(bought.price, in_flight=bought.price)}
    await paid.fail_image(api, bought)
    assert (await statement(api, bought.who))["assets"] == before["assets"]
    await paid.deliver(api, bought, attempt=2)
    after = await statement(api, bought.who)
    assert after["assets"] == {"MPT": sums(bought.price, delivered=bought.price)}
    head, hash_ = await api.parts.ledger.head()
    assert (after["position"], after["head_hash"]) == (head, hash_.hex())
    (line,) = after["lines"]
    assert line["event_id"].startswith(f"order:{bought.order_id}/")
    assert (line["outcome"], line["tx"]) == ("delivered", found.tx_hash)
    assert set(line) == {"event_id", "position", "what", "outcome", "tx"}


async def test_a_final_mint_is_delivered_with_its_token_only(api: Api) -> None:
    bought = await paid.order(api, "finally", role="sovereign")
    await paid.pay(api, bought, token_id=None)
    await paid.deliver(api, bought)
    said = await statement(api, bought.who)
    assert said["assets"]["MPT"] == sums(bought.price, in_flight=bought.price)
    await paid.mint(api, bought, token_id=9)
    said = await statement(api, bought.who)
    assert said["assets"]["MPT"] == sums(bought.price, delivered=bought.price)


async def test_what_cannot_fund_an_order_is_refund_due(api: Api) -> None:
    bought = await paid.order(api, "surplus")
    await paid.pay(api, bought, 1, payer="0x" + "e" * 40)
    await paid.pay(api, bought, 2, amount=5)
    await paid.pay(api, bought, 3, amount=bought.price + 7)
    await paid.pay(api, bought, 4)
    said = await statement(api, bought.who)
    due = bought.price + 5 + 7 + bought.price
    assert said["assets"]["MPT"] == sums(due + bought.price, refund_due=due, in_flight=bought.price)
    assert [line["outcome"] for line in said["lines"]].count("refund_due") == 4


async def test_a_payment_that_a_reorg_takes_away_counts_no_more(api: Api) -> None:
    bought = await paid.order(api, "reorged")
    found = await paid.pay(api, bought)
    await paid.retract(api, bought, found)
    said = await statement(api, bought.who)
    assert said["assets"] == {"MPT": sums(0)}
    assert said["lines"] == []


async def test_a_statement_of_merged_passes_counts_what_both_paid(api: Api) -> None:
    wallet = new_wallet()
    first, second = await paid.order(api, "merge-1"), await paid.order(api, "merge-2", "oracle")
    for bought in (first, second):
        await paid.pay(api, bought)
    for who in (first.who, second.who):
        proof = {"siwe": await api.proof(wallet)}
        assert (await api.post("/auth/link", proof, who)).status_code == 200
    said = await statement(api, second.who)
    assert said["pass_id"] == first.pass_id
    assert said["assets"]["MPT"]["paid"] == str(first.price + second.price)
    for name in (first.pass_id, second.pass_id):
        seen = (await api.get(f"/ledger/statement/{name}", await auditor(api))).json()
        assert seen["statement"]["assets"] == said["assets"]
        assert seen["statement"]["pass_id"] == first.pass_id
    asked = {"pass_id": second.pass_id, "type": "payment_settled.v1"}
    of_both = await api.get("/ledger/events", await auditor(api), **asked)
    assert len(of_both.json()["items"]) == 2


async def test_nobody_reads_the_statement_of_another_pass(api: Api) -> None:
    bought = await paid.order(api, "private")
    stranger = await api.dev("stranger")
    assert (await api.get(f"/ledger/statement/{bought.pass_id}", stranger)).status_code == 403
    own = (await api.get("/me/statement", stranger, pass_id=bought.pass_id)).json()
    assert own["statement"]["pass_id"] == "pass:user:stranger"
    assert (await api.get("/me/statement")).status_code == 401
    unknown = await api.get("/ledger/statement/pass:user:nobody", await auditor(api))
    assert unknown.status_code == 404


async def test_a_statement_that_was_touched_or_signed_by_another_key_does_not_check(
    api: Api,
) -> None:
    bought = await paid.order(api, "checked")
    await paid.pay(api, bought)
    signed = (await api.get("/me/statement", bought.who)).json()
    key = await key_of(api)
    assert check(signed, key)
    touched = copy.deepcopy(signed)
    touched["statement"]["assets"]["MPT"]["delivered"] = str(bought.price)
    assert not check(touched, key)
    assert not check({**signed, "signature": "AAAA" + signed["signature"][4:]}, key)
    assert not check({}, key)
    assert not check(signed, "00" * 32)
    with pytest.raises(NotAKey):
        check(signed, "no key")
