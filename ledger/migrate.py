"""Numbered SQL migrations, each applied once, in order, in a transaction of its own.

Each can be applied again and then makes what was dropped, so that everything but the ledger itself
can be lost and rebuilt.
"""

from __future__ import annotations

from pathlib import Path

import psycopg

FOLDER = Path(__file__).parent / "migrations"
RECORD = "INSERT INTO mega_migrations (name) VALUES (%s) ON CONFLICT DO NOTHING"
_LOCK = 7305792


def migrate(admin_url: str, *, app_role: str, again: bool = False) -> list[str]:
    """Brings the database up to date as its owner; returns the names that were applied now.

    `app_role` is the role that the processes use: it gets its privileges here and must exist.
    `again` applies all of them, for a database from which tables were dropped.
    """
    applied = []
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        connection.execute("SELECT set_config('mega.app_role', %s, false)", (app_role,))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS mega_migrations"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )
        done = {name for (name,) in connection.execute("SELECT name FROM mega_migrations")}
        for path in sorted(FOLDER.glob("*.sql")):
            if path.name in done and not again:
                continue
            with connection.transaction():
                connection.execute(path.read_text().encode())
                connection.execute(RECORD, (path.name,))
            applied.append(path.name)
    return applied
