"""Every example of the published description does what it says."""

from __future__ import annotations

from typing import Any

from api.routes.examples import VOUCHER
from commands.passes import Identify
from tests.api.collectors import collector
from tests.api.living import Caller, Living
from tests.api.openapi import Operation, operations

UNREPEATABLE = (
    "/auth/siwe",
    "/auth/siws",
    "/auth/farcaster",
    "/auth/google",
    "/auth/otp",
    "/auth/link",
    "/ledger/replay",
    "/admin",
    "/webhooks",
    "/dev/world",
    "/pfp/",
    "/events",
    "/api/nft/",
    "/mma/",
    "/archive/{",
    "/sessions/{",
)
"""Need what an example cannot hold: a fresh signature, a world, or end. They have tests of their
own."""


async def prepared(here: Living, op: Operation, caller: Caller) -> dict[str, str]:
    """What has happened before the example of a route makes sense."""
    order = await caller.order()
    if op.path.endswith("/retry"):
        await here.revert(order["order_id"])
    if op.path.endswith("/retry-generation"):
        await here.pay(order["order_id"], caller.wallet)
        await here.fail_image(order["character_id"])
    if op.path == "/uploads/{upload_id}/complete":
        announced = {"content_type": "image/png", "bytes": 1, "purpose": "logo"}
        begun = await caller.post("/uploads", announced)
        return {"upload_id": begun.json()["upload_id"]}
    ids = {"order_id": order["order_id"], "character_id": order["character_id"]}
    return {**ids, "stream": f"order:{order['order_id']}", "pass_id": caller.pass_id}


async def payer(here: Living) -> Caller:
    """Whom the examples of the paid routes speak of."""
    caller = await here.caller("user service", wallet=VOUCHER["to"].lower())
    own = {"new_pass_id": caller.pass_id, "current": caller.pass_id}
    await here.do(Identify(identity=f"fid:{VOUCHER['fid']}", **own))
    return caller


async def minting(here: Living, op: Operation) -> tuple[Caller, dict[str, str]]:
    """Somebody who mints PFPs, and what the examples of these routes speak of."""
    cleo = await collector(here)
    if op.path in ("/pfp/prepare", "/pfp/confirm"):
        told = await cleo.single()
    elif op.path == "/pfp/prepare-batch":
        return cleo.caller, {}
    else:
        told = await cleo.prepared(2)
    id_ = told.get("batchId") or told["mintId"]
    if op.path == "/pfp/mint-from-batch":
        await cleo.submit(told)
        await cleo.land(id_)
    named = {"batchId": id_, "mintId": id_, "signedTransactionBase64": cleo.sign(told)}
    return cleo.caller, {**named, "wallet": cleo.wallet}


async def test_every_example_of_pfps_is_executed(here: Living) -> None:
    """With a batch of the caller's own, whatever its example is called."""
    asked = [op for op in operations(here.app.openapi()) if op.path.startswith("/pfp/")]
    assert len(asked) == 8
    for op in asked:
        caller, own = await minting(here, op)
        await here.shown()
        body = {name: own.get(name, said) for name, said in (op.example or {}).items()}
        query = {name: own.get(name, said) for name, said in op.query().items() if name != "as_of"}
        answer = await caller.ask(op.method, op.filled(own), json=body, params=query)
        assert answer.status_code in op.statuses, (op.path, answer.text)
        if op.path not in ("/pfp/mint-from-batch", "/pfp/confirm"):  # which nothing comes of here
            assert answer.json().keys() == op.schema(answer.status_code).keys(), op.path


async def test_every_example_is_executed(here: Living) -> None:
    paying = await payer(here)
    for op in operations(here.app.openapi()):
        if op.path.startswith(UNREPEATABLE):
            continue
        caller = paying if op.path.startswith("/api/") else await here.caller("user auditor admin")
        path = op.filled(await prepared(here, op, caller))
        if op.path.endswith("/mint-orders") or op.path == "/characters":
            caller = await here.caller()
            path = op.filled({"character_id": await caller.character()})
        await here.shown()
        query = {k: v for k, v in op.query().items() if k not in ("as_of", "cursor")}
        answer = await caller.ask(op.method, path, json=op.example, params=query)
        assert answer.status_code in op.statuses, (op.method, path, answer.text)


async def test_what_characters_orders_and_uploads_answer_has_the_members_of_its_example(
    here: Living,
) -> None:
    for op in operations(here.app.openapi()):
        if not op.path.startswith(("/characters", "/mint-orders", "/uploads")):
            continue
        caller = await here.caller()
        path = op.filled(await prepared(here, op, caller))
        answer = await caller.ask(op.method, path, json=op.example)
        shown: Any = op.schema(answer.status_code)
        assert answer.json().keys() == shown.keys(), op.path


async def test_every_route_with_a_body_has_an_example(here: Living) -> None:
    for op in operations(here.app.openapi()):
        if "requestBody" in op.said:
            assert op.example is not None, op.path
    assert here.app.openapi()["openapi"].startswith("3.1")
