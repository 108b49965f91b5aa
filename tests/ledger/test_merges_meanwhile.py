"""A pass that is merged away while somebody looks: matcha is neither lost nor left behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from commands.command import Command, Context, Outcome, handle
from commands.config import SetConfig
from commands.creations import BeginStill
from commands.generations import CancelCreation
from commands.matcha import ExpireMatcha, GrantWelcome
from commands.passes import Identify, OpenPass
from commands.shop_orders import ReportShopOrder, ReportShopRefund, SettleShopOrder
from commands.together import handle_together
from domain.shop_told import OrderTold
from ledger.ledger import Ledger
from ledger.rows import Stream
from tests.domain.shop_orders import ORDER, SHOP, line, refund, told
from tests.studio.making import begin_still

AT = datetime(2030, 1, 1, tzinfo=UTC)
CONTEXT = Context(at=AT, correlation_id="c", causation_id="c")
ANN, EVE = "pass:user:ann", "pass:anon:eve"
MERGE = Identify(identity="email:ann", new_pass_id="pass:user:x", current=EVE)
NEW = "6f1f3d52-0d0c-4b52-9c8e-3b1f1f1a2b3c"
ORDERED: Any = {"shop": SHOP, "order_id": ORDER}
HERS: OrderTold = told(named_pass=EVE)
REST = """SELECT mg_pass_id, mg_credits, mg_credits_held FROM mega_customers
WHERE mg_pass_id = ANY (%s) ORDER BY 1"""


class Merging:
    """The ledger to somebody who has seen the pass when it is merged, but not yet its matcha."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self.merged = ledger, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def streams(self, names: Sequence[str]) -> dict[str, Stream]:
        if any("matcha" in name for name in names) and not self.merged:
            self.merged = True
            await handle(self._ledger, MERGE, CONTEXT)
        return await self._ledger.streams(names)


async def prepared(ledger: Ledger, *commands: Command) -> str:
    """Both passes opened, Eve with 200 matcha of an order and 1 of it held; the generation."""

    async def do(command: Command) -> Any:
        return await handle(ledger, command, CONTEXT)

    earlier = replace(CONTEXT, at=AT - timedelta(days=1))
    await handle(ledger, OpenPass(new_pass_id=ANN, identities=("email:ann",)), earlier)
    await do(OpenPass(new_pass_id=EVE))
    await do(SetConfig(key="mma.welcome", value={"amount": 5}, by="pass:user:ops"))
    await do(ReportShopOrder(**ORDERED, told=HERS, source="webhook"))
    await do(SettleShopOrder(**ORDERED))
    generation_id = await begin_still(do, EVE)
    for command in commands:
        await do(command)
    return generation_id


SECOND: Any = {"shop": SHOP, "order_id": "2"}
REFUNDED = ReportShopRefund(**ORDERED, told=refund("r1", line(quantity=3)), source="webhook")


@pytest.mark.parametrize(
    ("before", "command", "balance", "held"),
    [
        (REFUNDED, SettleShopOrder(**ORDERED), 50, 1),
        (
            ReportShopOrder(**SECOND, told=HERS, source="webhook"),
            SettleShopOrder(**SECOND),
            400,
            1,
        ),
        (None, CancelCreation, 200, 0),
        (None, BeginStill, 200, 2),
        (None, GrantWelcome(owner=EVE), 205, 1),
        (None, ExpireMatcha(owner=EVE), 200, 1),
    ],
    ids=["refund", "credit", "cancel", "begin", "welcome", "expire"],
)
async def test_what_a_merge_overtakes_is_decided_again(
    ledger: Ledger,
    app: psycopg.Connection,
    before: Command | None,
    command: Any,
    balance: int,
    held: int,
) -> None:
    generation_id = await prepared(ledger, *([before] if before else []))
    if command is CancelCreation:
        command = CancelCreation(generation_id=generation_id)
    merging: Any = Merging(ledger)
    if command is BeginStill:
        command = BeginStill(
            owner=EVE, generation_id=NEW, event_id=NEW, brief="tea", settings={}, assets={}
        )
        (begun,) = await handle_together(merging, [(command, CONTEXT)])
        assert isinstance(begun, Outcome)
    else:
        await handle(merging, command, CONTEXT)
    assert merging.merged
    assert app.execute(REST, [[ANN, EVE]]).fetchall() == [(EVE, 0, 0), (ANN, balance, held)]
