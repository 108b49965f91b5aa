"""Another pass's object is not there: asked of every route that the description names."""

from __future__ import annotations

from typing import Any

from solders.keypair import Keypair

from commands.passes import Identify
from tests.api.collectors import Collector
from tests.api.geoplets import fids
from tests.api.living import Caller, Living
from tests.api.openapi import Operation, operations

OWNED = ("character_id", "order_id", "{fid}", "{batchId}")


def owned(here: Living) -> list[Operation]:
    found = [op for op in operations(here.app.openapi()) if any(n in op.path for n in OWNED)]
    assert len(found) >= 12
    return found


async def ids_of(here: Living, caller: Caller) -> dict[str, str]:
    order, fid = await caller.order(), str(next(fids))
    own = {"new_pass_id": caller.pass_id, "current": caller.pass_id}
    await here.do(Identify(identity=f"fid:{fid}", **own))
    minting = Collector(here, caller, Keypair())
    await here.do(Identify(identity=f"solana:{minting.wallet}", **own))
    await minting.allow(1)
    batch = await minting.prepared(1)
    orders = {"character_id": order["character_id"], "order_id": order["order_id"]}
    return {**orders, "fid": fid, "batchId": batch["batchId"]}


async def test_nobody_reaches_the_objects_of_another(here: Living, ada: Caller) -> None:
    ids, eve = await ids_of(here, ada), await here.caller()
    before = await here.position()
    for op in owned(here):
        answer = await eve.ask(op.method, op.filled(ids), json=op.example)
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND"), op.path
    assert await here.position() == before


async def test_what_is_not_there_answers_the_same_as_what_is_anothers(
    here: Living, ada: Caller
) -> None:
    ids, eve = await ids_of(here, ada), await here.caller()
    for op in owned(here):
        anothers = await eve.ask(op.method, op.filled(ids), json=op.example)
        nowhere = await eve.ask(op.method, op.filled({}), json=op.example)
        assert anothers.json() == nowhere.json(), op.path


async def test_an_auditor_reads_every_object_and_changes_none(here: Living, ada: Caller) -> None:
    ids = await ids_of(here, ada)
    for scope in ("auditor", "admin", "user auditor"):
        auditor = await here.caller(scope)
        for op in owned(here):
            answer = await auditor.ask(op.method, op.filled(ids), json=op.example)
            expected = (200,) if op.method == "GET" else (403, 404)
            assert answer.status_code in expected, (scope, op.path)


async def test_every_route_says_whether_it_needs_a_sign_in(here: Living) -> None:
    free = ("/auth/", "/dev/", "/.well-known/", "/webhooks/", "/healthz", "/readyz", "/metrics")
    signed_in = ("/auth/link", "/auth/logout", "/auth/socket-token")
    for op in operations(here.app.openapi()):
        expected = op.path.startswith(free) and op.path not in signed_in
        assert op.open == expected, op.path


async def test_every_route_that_needs_a_sign_in_refuses_nobody_and_forgeries(
    here: Living, ada: Caller
) -> None:
    body: Any = None
    forged = ada.token[:-4] + ("AAAA" if not ada.token.endswith("AAAA") else "BBBB")
    for op in operations(here.app.openapi()):
        if op.open:
            continue
        for headers in ({}, {"Authorization": f"Bearer {forged}"}, {"Authorization": "Basic eA=="}):
            answer = await here.nobody().ask(op.method, op.filled({}), json=body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED"), op.path


async def test_a_pass_that_was_merged_keeps_its_objects_under_both_tokens(here: Living) -> None:
    older, younger = await here.caller(), await here.caller()
    character = await younger.character("oracle")
    await here.do(
        Identify(
            identity=f"eip155:{younger.wallet}",
            new_pass_id=younger.pass_id,
            current=older.pass_id,
        )
    )
    await here.shown()
    await here.parts.directory.refresh()
    for caller in (older, younger):
        assert (await caller.get(f"/characters/{character}")).status_code == 200
        listed = await caller.get("/characters")
        assert [item["id"] for item in listed.json()["items"]] == [character]
        found = await caller.post("/characters", {"role": "oracle", "kind": "role"})
        assert (found.status_code, found.json()["id"]) == (200, character)
