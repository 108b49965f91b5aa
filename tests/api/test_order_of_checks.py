"""401, then 404 and 403, then the body, then the idempotency key, then the business."""

from __future__ import annotations

import secrets

import pytest

from tests.api.living import Caller, Living
from tests.api.openapi import operations

NO_UUID = ("not-a-uuid", "%00", "5B1F1C0E-8F0F-5A63-9C56-0D6D1F6F5A10", "..%2f..%2fetc")


async def test_without_a_token_nothing_else_is_looked_at(here: Living) -> None:
    nobody = here.nobody()
    for path in ("/characters", "/mint-orders/x/transactions", "/characters/x/mint-orders"):
        answer = await nobody.ask("POST", path, content=b"{broken", headers={"Idempotency-Key": ""})
        assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_missing_scope_is_said_before_a_bad_body(here: Living) -> None:
    auditor = await here.caller("auditor")
    answer = await auditor.ask("POST", "/characters", content=b"{broken")
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")


async def test_a_missing_scope_is_said_before_a_bad_body_on_every_route(here: Living) -> None:
    guest = await here.caller("nothing")
    asked = [op for op in operations(here.app.openapi()) if op.example is not None and not op.open]
    asked = [op for op in asked if not op.path.startswith("/auth/")]
    assert len(asked) >= 12
    for op in asked:
        answer = await guest.ask(op.method, op.filled({}), content=b"{broken")
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN"), op.path


async def test_an_object_of_another_pass_is_not_there_before_a_bad_body(
    here: Living, ada: Caller
) -> None:
    order = await (await here.caller()).order()
    path = f"/mint-orders/{order['order_id']}/transactions"
    answer = await ada.ask("POST", path, content=b"{broken")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_a_bad_body_is_said_before_a_bad_key(ada: Caller) -> None:
    answer = await ada.post("/characters", {"role": 1}, Idempotency_Key="x" * 300)
    fields = [field["field"] for field in answer.json()["fields"]]
    assert (answer.status_code, fields) == (422, ["body.role", "body.kind"])


async def test_a_reused_key_is_said_before_the_business(here: Living, ada: Caller) -> None:
    order = await ada.order()
    path, key = f"/mint-orders/{order['order_id']}/wallet-step", secrets.token_hex(8)
    await ada.post(path, {"step": "awaiting_mint"}, Idempotency_Key=key)
    answer = await ada.post(path, {"step": None}, Idempotency_Key=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_the_business_speaks_last(here: Living, ada: Caller) -> None:
    order = await ada.order()
    answer = await ada.post(f"/mint-orders/{order['order_id']}/retry", {}, Idempotency_Key="k")
    assert (answer.status_code, answer.json()["code"]) == (409, "NOT_OFFERED")
    retry = await ada.post(f"/characters/{order['character_id']}/retry-generation")
    assert (retry.status_code, retry.json()["code"]) == (409, "NOT_OFFERED")


async def test_a_pass_without_a_wallet_cannot_open_an_order(here: Living) -> None:
    guest = here.known(f"pass:anon:{secrets.token_hex(8)}")
    answer = await guest.post(f"/characters/{await guest.character()}/mint-orders")
    assert (answer.status_code, answer.json()["code"]) == (409, "WALLET_REQUIRED")


@pytest.mark.parametrize("id_", NO_UUID)
async def test_what_cannot_be_an_id_is_not_found(ada: Caller, id_: str) -> None:
    for path in (f"/characters/{id_}", f"/mint-orders/{id_}"):
        assert (await ada.get(path)).status_code == 404


async def test_paths_and_methods_that_do_not_exist_are_problems_too(ada: Caller) -> None:
    missing = await ada.get("/nowhere")
    assert (missing.status_code, missing.json()["code"]) == (404, "NOT_FOUND")
    method = await ada.ask("PUT", "/characters")
    assert (method.status_code, method.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert "POST" in method.headers["Allow"] or "GET" in method.headers["Allow"]


async def test_a_problem_has_every_member_and_its_own_media_type(ada: Caller) -> None:
    answer = await ada.post("/characters", {"role": "emperor", "kind": "role"})
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (body["status"], body["code"]) == (422, "UNKNOWN_ROLE")
    assert body["success"] is False
    assert body["error"] == {"code": "UNKNOWN_ROLE", "message": body["detail"]}
    assert body.keys() == {"type", "title", "status", "detail", "code", "success", "error"}
