from __future__ import annotations

import psycopg
import pytest

from ledger.ledger import Ledger
from tests.ledger.events import noted

CHANGES = (
    "UPDATE mega_generations SET topic = 'other.v1'",
    "DELETE FROM mega_generations",
    "TRUNCATE mega_generations",
    "UPDATE mega_admin SET mg_value = '{}'",
    "DELETE FROM mega_admin",
    "TRUNCATE mega_admin",
)
INSERTS = (
    "INSERT INTO mega_generations (mg_position, originator_id, originator_version, topic, event,"
    " mg_recorded_at, mg_hash) VALUES (2, 'a:1', 2, 't', '{}', now(), '')",
    "INSERT INTO mega_admin (mg_id, mg_record_type, mg_created_at)"
    " VALUES ('admin_audit:2', 'admin_audit', now())",
    "INSERT INTO mega_customers (mg_pass_id, mg_credits) VALUES ('pass:anon:1', 1000000)",
)


@pytest.fixture(autouse=True)
async def something_to_change(ledger: Ledger, owner: psycopg.Connection) -> None:
    await ledger.append([noted("a:1", 1)])
    owner.execute(
        "INSERT INTO mega_admin (mg_id, mg_record_type, mg_created_at)"
        " VALUES ('admin_audit:1', 'admin_audit', now())"
    )


@pytest.mark.parametrize("change", CHANGES)
def test_the_application_may_change_nothing(app: psycopg.Connection, change: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(change.encode())


@pytest.mark.parametrize("change", CHANGES)
def test_even_the_owner_is_refused(owner: psycopg.Connection, change: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        owner.execute(change.encode())


@pytest.mark.parametrize("insert", INSERTS)
def test_the_application_has_no_way_in_but_the_append(app: psycopg.Connection, insert: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
        app.execute(insert.encode())


@pytest.mark.parametrize(
    "trick",
    [
        "ALTER TABLE mega_generations DISABLE TRIGGER ALL",
        "DROP TABLE mega_generations",
        "SELECT mega_move_customers(1, 1)",
    ],
)
def test_the_application_cannot_take_the_guards_away(app: psycopg.Connection, trick: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(trick.encode())


def test_generated_columns_cannot_disagree_with_the_event(owner: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.GeneratedAlways):
        owner.execute(
            "INSERT INTO mega_generations (mg_position, originator_id, originator_version, topic,"
            " event, mg_recorded_at, mg_hash, mg_delta)"
            " VALUES (2, 'a:1', 2, 't', '{}', now(), '', 5)"
        )
