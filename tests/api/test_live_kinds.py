"""What is told of batches, credits and Geoplets, and how a snapshot shows the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.collectors import Collector
from tests.api.geoplets import Buyer
from tests.api.listening import Envelope, heard, listening
from tests.api.living import Living, served


@pytest.fixture(scope="module")
async def url(here: Living) -> AsyncIterator[str]:
    async with served(here.app) as base:
        yield base


async def all_of(here: Living, url: str, headers: dict[str, str], start: int) -> list[Envelope]:
    """Everything that a pass was told since a position, then a snapshot."""
    await here.shown()
    async with listening("sse", url, headers, last_event_id="nowhere") as listener:
        _, snapshot = await heard(listener, 2)
    found: list[Envelope] = []
    async with listening("ws", url, headers, last_event_id=str(start)) as listener:
        while not found or int(found[-1]["id"]) < await last_told(here, snapshot["pass_id"]):
            found += await heard(listener, 1)
    return [*found, snapshot]


async def last_told(here: Living, pass_id: str) -> int:
    statement = "SELECT max(position) FROM views.feed WHERE pass_id = %s"
    ((position,),) = await here.parts.reader.rows(statement, (pass_id,))
    return int(position)


async def test_a_batch_is_told_of_from_its_price_to_its_last_token(
    here: Living, url: str, cleo: Collector
) -> None:
    start = await here.position()
    id_ = await cleo.paid(2)
    for _ in range(2):
        await cleo.minted(id_)
    *told, snapshot = await all_of(here, url, cleo.caller.headers, start)
    progress = [each["data"] for each in told if each["type"] == "batch:progress"]
    steps = [(data["status"], data["minted"], data["remaining"]) for data in progress]
    assert steps == [
        ("prepared", 0, 2),
        ("confirming", 0, 2),
        ("paid", 0, 2),
        ("minting", 0, 2),
        ("minting", 1, 1),
        ("complete", 2, 0),
    ]
    assert {data["batch_id"] for data in progress} == {id_}
    credits = [each["data"] for each in told if each["type"] == "credits:changed"]
    assert [(data["balance"], data["delta"]) for data in credits] == [(2, 2), (1, -1), (0, -1)]
    assert snapshot["data"]["batches"] == [progress[-1]]
    assert snapshot["data"]["credits"] == []


async def test_a_geoplet_is_told_of_from_its_voucher_to_its_mint(
    here: Living, url: str, payer: Buyer
) -> None:
    start = await here.position()
    header = payer.header()
    assert (await payer.sign(header)).status_code == 200
    assert (await payer.settled(header)).status_code == 200
    await payer.mint()
    *told, snapshot = await all_of(here, url, payer.caller.headers, start)
    assert {each["type"] for each in told} == {"mint:state_changed"}
    statuses = [each["data"]["status"] for each in told]
    assert statuses == ["verified", "settling", "settled", "minted"]
    about: dict[str, Any] = {"fid": payer.fid, "payment_type": "mint", "number": 1}
    assert snapshot["data"]["geoplets"] == [{**about, "status": "minted"}]
