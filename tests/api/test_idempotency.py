"""The same key with the same request is the same answer, whatever happened in between."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import httpx
import pytest

from tests.api.living import Caller, Living, served

SAMURAI = {"role": "samurai", "kind": "role"}


def fresh_key() -> str:
    return secrets.token_hex(12)


async def test_a_replay_is_the_first_answer_byte_for_byte(here: Living, ada: Caller) -> None:
    key = fresh_key()
    first = await ada.post("/characters", SAMURAI, Idempotency_Key=key)
    head = await here.position()
    again = await ada.post("/characters", dict(reversed(SAMURAI.items())), Idempotency_Key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["X-Ledger-Position"] == first.headers["X-Ledger-Position"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert await here.position() == head


async def test_a_replay_tells_what_was_true_then(here: Living, ada: Caller) -> None:
    key, order = fresh_key(), await ada.order()
    path = f"/mint-orders/{order['order_id']}/wallet-step"
    first = await ada.post(path, {"step": "awaiting_mint"}, Idempotency_Key=key)
    await here.pay(order["order_id"], ada.wallet)
    again = await ada.post(path, {"step": "awaiting_mint"}, Idempotency_Key=key)
    assert again.json() == first.json()
    assert again.json()["status"] == "pending"


@pytest.mark.parametrize(
    "changed",
    [
        {"json": {"role": "oracle", "kind": "role"}},
        {"headers": {"X-PAYMENT": "other"}},
        {"headers": {"PAYMENT-SIGNATURE": "other"}},
    ],
    ids=["body", "x402 v1 header", "x402 v2 header"],
)
async def test_the_same_key_for_another_request_is_refused(
    ada: Caller, changed: dict[str, Any]
) -> None:
    key = {"Idempotency-Key": fresh_key()}
    await ada.ask("POST", "/characters", json=SAMURAI, headers=key)
    headers = {**key, **changed.get("headers", {})}
    body = changed.get("json", SAMURAI)
    answer = await ada.ask("POST", "/characters", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_a_key_belongs_to_its_pass_and_its_path(here: Living, ada: Caller) -> None:
    key, bob = fresh_key(), await here.caller()
    mine = await ada.post("/characters", SAMURAI, Idempotency_Key=key)
    theirs = await bob.post("/characters", SAMURAI, Idempotency_Key=key)
    assert (mine.status_code, theirs.status_code) == (201, 201)
    path = f"/characters/{mine.json()['id']}/mint-orders"
    assert (await ada.post(path, {}, Idempotency_Key=key)).status_code == 201


async def test_a_refusal_is_not_kept(here: Living, ada: Caller) -> None:
    key, order = fresh_key(), await ada.order()
    path = f"/mint-orders/{order['order_id']}/retry"
    assert (await ada.post(path, {}, Idempotency_Key=key)).status_code == 409
    await here.revert(order["order_id"])
    assert (await ada.post(path, {}, Idempotency_Key=key)).status_code == 200


async def test_a_request_that_changes_nothing_is_kept_too(here: Living, ada: Caller) -> None:
    key, order = fresh_key(), await ada.order()
    path = f"/mint-orders/{order['order_id']}/wallet-step"
    first = await ada.post(path, {"step": None}, Idempotency_Key=key)
    again = await ada.post(path, {"step": None}, Idempotency_Key=key)
    other = await ada.post(path, {"step": "awaiting_mint"}, Idempotency_Key=key)
    assert again.headers["X-Ledger-Position"] == first.headers["X-Ledger-Position"]
    assert (again.headers["Idempotent-Replayed"], other.status_code) == ("true", 422)


async def test_of_many_at_once_one_is_done_and_the_others_wait(here: Living, ada: Caller) -> None:
    key, before = fresh_key(), await here.position()
    asked = [ada.post("/characters", SAMURAI, Idempotency_Key=key) for _ in range(20)]
    answers = await asyncio.gather(*asked)
    done = [answer for answer in answers if answer.status_code == 201]
    waiting = [answer for answer in answers if answer.status_code == 409]
    assert len(done) + len(waiting) == 20
    assert {answer.content for answer in done} == {done[0].content}
    assert {answer.json()["code"] for answer in waiting} <= {"IN_PROGRESS"}
    assert all(answer.headers["Retry-After"] for answer in waiting)
    assert await here.position() == before + 2


async def test_a_crash_between_commit_and_reply_is_healed_by_asking_again(
    here: Living, ada: Caller
) -> None:
    key = {**ada.headers, "Idempotency-Key": fresh_key()}
    async with served(here.app) as url, httpx.AsyncClient(base_url=url, headers=key) as client:
        before = await here.position()
        with pytest.raises(httpx.RemoteProtocolError):
            chaos = {"X-Chaos": "drop-response-after-commit"}
            await client.post("/characters", json=SAMURAI, headers=chaos)
        assert await here.position() == before + 2
        again = await client.post("/characters", json=SAMURAI)
        assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
        assert await here.position() == before + 2


async def test_a_request_that_arrives_twice_is_done_once(here: Living, ada: Caller) -> None:
    before, chaos = await here.position(), {"X-Chaos": "duplicate", "Idempotency-Key": fresh_key()}
    answer = await ada.ask("POST", "/characters", json=SAMURAI, headers=chaos)
    assert (answer.status_code, answer.headers["Idempotent-Replayed"]) == (201, "true")
    assert await here.position() == before + 2


async def test_the_event_tells_the_hash_of_the_key_and_never_the_key(
    here: Living, ada: Caller
) -> None:
    key = fresh_key()
    id_ = (await ada.post("/characters", SAMURAI, Idempotency_Key=key)).json()["id"]
    (created,) = await here.parts.ledger.history([f"character:{id_}"])
    assert len(created.metadata["idempotency_key_hash"]) == 64
    assert key not in str(created.metadata)
    assert created.metadata["by"] == ada.pass_id
