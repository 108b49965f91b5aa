"""Every example of the published description does what it says."""

from __future__ import annotations

from typing import Any

from api.routes.examples import VOUCHER
from commands.passes import Identify
from tests.api.living import Caller, Living
from tests.api.openapi import Operation, operations

UNREPEATABLE = (
    "/auth/siwe",
    "/auth/siws",
    "/auth/farcaster",
    "/auth/link",
    "/ledger/replay",
    "/admin",
    "/dev/world",
)
"""Need what an example cannot hold: a fresh signature, a world. They have tests of their own."""


async def prepared(here: Living, op: Operation, caller: Caller) -> dict[str, str]:
    """What has happened before the example of a route makes sense."""
    order = await caller.order()
    if op.path.endswith("/retry"):
        await here.revert(order["order_id"])
    if op.path.endswith("/retry-generation"):
        await here.pay(order["order_id"], caller.wallet)
        await here.fail_image(order["character_id"])
    ids = {"order_id": order["order_id"], "character_id": order["character_id"]}
    return {**ids, "stream": f"order:{order['order_id']}", "pass_id": caller.pass_id}


async def payer(here: Living) -> Caller:
    """Whom the examples of the paid routes speak of."""
    caller = await here.caller("user service", wallet=VOUCHER["to"].lower())
    own = {"new_pass_id": caller.pass_id, "current": caller.pass_id}
    await here.do(Identify(identity=f"fid:{VOUCHER['fid']}", **own))
    return caller


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


async def test_what_characters_and_orders_answer_has_the_members_of_its_example(
    here: Living,
) -> None:
    for op in operations(here.app.openapi()):
        if not op.path.startswith(("/characters", "/mint-orders")):
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
