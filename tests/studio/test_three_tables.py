"""Three tables are the truth (seed 001 §2.3): its SQL works on them, the rest can be dropped."""

from __future__ import annotations

from typing import Any

import psycopg

from commands.config import SetConfig
from commands.creations import BeginTweak
from commands.generations import CancelCreation, SayEvent
from commands.passes import OpenPass
from commands.studio import BeginVisit, EndVisit, SetPreferences
from domain.studio_config import COSTS_KEY
from ledger.ledger import Ledger
from ledger.migrate import migrate
from projections.catalog import all_projections
from projections.rebuild import rebuild_all
from tests.projections.looking import catch_up_all, rows
from tests.projections.test_rebuild import drop_all_but_the_ledger, folded_tables
from tests.studio.conftest import MASTER_KEY
from tests.studio.making import Do, Grant, begin_still, make, still
from tests.world import Database

ADA = "pass:user:ada"


async def a_visit(do: Do) -> dict[str, str]:
    """What one visit writes: bought, made, liked, tweaked, cancelled, preferred; ids by name."""
    await do(OpenPass(new_pass_id=ADA))
    await do(BeginVisit(owner=ADA, session_id="s-1"))
    await do(Grant(to=ADA, amount=10, lot="order-1"))
    first = await still(do, ADA)
    await do(SayEvent(generation_id=first, event_id="e-like", type="like"))
    feedback = {"brief": "softer light", "parent": first}
    await do(BeginTweak(owner=ADA, generation_id="tweak-1", event_id="e-tweak", **feedback))
    await make(do, "tweak-1")
    dropped = await begin_still(do, ADA, "never mind")
    await do(CancelCreation(generation_id=dropped))
    chosen: dict[str, Any] = {"hard_blocks": ("neon",), "tag_weights": {"moss": 3}}
    await do(SetPreferences(owner=ADA, event_id="e-pref", **chosen))
    await do(SetConfig(key=COSTS_KEY, value={"still": 2, "tweak": 1, "video": 5}, by=ADA))
    waiting = await begin_still(do, ADA, "dearer")
    await do(EndVisit(session_id="s-1"))
    return {"first": first, "dropped": dropped, "waiting": waiting}


async def test_the_sql_of_the_seed_works_as_it_is_written(do: Do, database: Database) -> None:
    made = await a_visit(do)
    with psycopg.connect(database.url) as connection:

        def ask(statement: Any, *values: Any) -> Any:
            return connection.execute(statement, values).fetchall()

        assert ask("SELECT mg_credits, mg_credits_held FROM mega_customers") == [(8, 2)]
        assert ask(
            "SELECT sum(mg_delta) FROM mega_generations"
            " WHERE mg_record_type = 'credit_transaction' AND mg_pass_id = %s",
            ADA,
        ) == [(8,)]
        assert ask(
            "SELECT mg_step_no, mg_step_type FROM mega_generations"
            " WHERE mg_record_type = 'mma_step' AND mg_parent_id = %s ORDER BY mg_step_no",
            f"generation:{made['first']}",
        ) == [(1, "gpt_reader"), (2, "seedream_generate")]
        assert ask(
            "SELECT mg_mma_status, mg_mma_mode, mg_provider, mg_output_url LIKE 'http%%'"
            " FROM mega_records WHERE mg_id = %s",
            f"generation:{made['first']}",
        ) == [("done", "still", "seedream", True)]
        assert ask(
            "SELECT mg_meta->>'event_type' FROM mega_generations"
            " WHERE mg_record_type = 'mma_event' AND mg_generation_id = %s ORDER BY mg_position",
            made["first"],
        ) == [("create",), ("like",)]
        assert ask("SELECT mg_mma_preferences->'hard_blocks' FROM mega_customers") == [(["neon"],)]
        assert ask("SELECT mg_last_active IS NOT NULL FROM mega_customers") == [(True,)]
        assert ask(
            "SELECT mg_version, mg_value->'still' FROM mega_admin WHERE mg_key = %s", COSTS_KEY
        ) == [(1, 2)]


async def test_every_record_is_of_the_type_that_its_id_says(do: Do, database: Database) -> None:
    await a_visit(do)
    with psycopg.connect(database.url) as connection:
        kinds = connection.execute(
            "SELECT mg_record_type, bool_and(mg_id LIKE mg_record_type || ':%'),"
            " count(*) = count(DISTINCT mg_id) FROM mega_generations GROUP BY 1"
        ).fetchall()
        steps = connection.execute(
            "SELECT array_agg(mg_step_no ORDER BY mg_step_no), bool_and((SELECT array_agg(k ORDER"
            " BY k) FROM jsonb_object_keys(mg_payload) AS k) = '{error,input,output,timing}')"
            " FROM mega_generations WHERE mg_record_type = 'mma_step' GROUP BY mg_generation_id"
        ).fetchall()
    assert all(prefixed for _, prefixed, _ in kinds)
    unique = {kind for kind, _, once in kinds if once}
    assert {"credit_transaction", "mma_step", "mma_event"} <= unique
    assert steps and all(numbers == [1, 2] and four for numbers, four in steps)


async def test_everything_else_is_dropped_and_comes_back_equal(
    do: Do, ledger: Ledger, database: Database
) -> None:
    await a_visit(do)
    await catch_up_all(database.url, ledger)
    before, tables = rows(database.url), folded_tables(database)
    drop_all_but_the_ledger(database)
    migrate(database.admin_url, app_role="mega_app", again=True)
    async with Ledger(database.url, master_key=MASTER_KEY) as opened:
        rebuilt = await rebuild_all(database.url, opened, all_projections())
        assert rebuilt.done
        assert rows(database.url) == before
        assert folded_tables(database) == tables
    with psycopg.connect(database.url) as connection:
        differing = connection.execute(
            "SELECT count(*) FROM mega_customers AS c WHERE mg_credits <> (SELECT"
            " coalesce(sum(mg_delta), 0) FROM mega_generations WHERE mg_pass_id = c.mg_pass_id)"
        ).fetchone()
    assert differing == (0,)
