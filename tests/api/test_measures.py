"""Seed 004 "Metrics to Track": /metrics and the views over the ledger agree, and are right."""

from __future__ import annotations

import asyncio

from prometheus_client.parser import text_string_to_metric_families

from tests.api.geoplets import buyer
from tests.api.living import Living, living
from tests.world import Database, TestWorld


async def told(here: Living) -> dict[tuple[str, ...], float]:
    """What /metrics says of x402, by name and labels."""
    text = (await here.nobody().get("/metrics")).text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("mega_x402_")
    }


async def test_the_measures_of_a_day(world: TestWorld, database: Database) -> None:
    async with living(world, database) as here:
        minted, waiting, refused, drawn = [await buyer(here) for _ in range(4)]
        header = minted.header()
        assert (await minted.sign(header)).status_code == 200
        await minted.settled(header)
        await minted.mint()
        assert (await waiting.sign(waiting.header())).status_code == 200
        no = refused.header()
        await refused.meanwhile(refused.settle(no), lambda: refused.refuse(no), "mint")
        paid = drawn.header("regenerate")
        await drawn.settled(paid, "regenerate")
        asked = asyncio.create_task(drawn.image())
        await drawn.drawing()
        await drawn.fail("quota")
        assert (await asked).status_code == 503
        await here.shown()
        shown = await told(here)
        rows = here.parts.reader.rows
        ((success, settlement, seconds),) = await rows(
            "SELECT success_rate::float8, settlement_rate::float8, seconds_to_mint::float8"
            " FROM mega_x402_measures"
        )
        assert (success, settlement) == (33.333, 50.0)
        assert shown["mega_x402_success_rate",] == success
        assert shown["mega_x402_settlement_rate",] == settlement
        assert shown["mega_x402_seconds_to_mint",] == seconds > 0
        errors = dict(await rows("SELECT error_code, occurrences FROM mega_x402_errors"))
        assert errors == {"SETTLEMENT_FAILED": 1, "AI_CREDIT_EXHAUSTED": 1}
        assert {code: shown["mega_x402_errors", code] for code in errors} == errors
        assert shown["mega_x402_orders", "mint", "minted"] == 1
        assert shown["mega_x402_orders", "mint", "verified"] == 1
