"""Stops the ledger at the very append of an event, and lets it end as a crash may end it.

An event is named by its topic, or by that and, after a blank, the type of its step or its status.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

SCHEMA = """
CREATE TABLE IF NOT EXISTS test_gate (topic text PRIMARY KEY);
CREATE OR REPLACE FUNCTION test_gate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF EXISTS (
        SELECT FROM test_gate WHERE topic IN (
            NEW.topic,
            NEW.topic || ' ' || (NEW.event->'data'->>'step_type'),
            NEW.topic || ' ' || (NEW.event->'data'->>'mma_status'))
    ) THEN
        PERFORM pg_advisory_xact_lock_shared(4711);
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER test_gate AFTER INSERT ON mega_generations
FOR EACH ROW EXECUTE FUNCTION test_gate();
"""
WAITS = """
SELECT pid FROM pg_locks
WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Gate:
    """Somebody's append of `topic` waits here, its row written and not committed."""

    def __init__(self, session: psycopg.Connection) -> None:
        self._session = session

    @property
    def reached(self) -> bool:
        return bool(self._pids())

    def roll_back(self) -> None:
        """The database never heard the end of it."""
        for pid in self._pids():
            self._session.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    def commit(self) -> None:
        """The database commits; who asked for it is not there to hear so."""
        self._session.execute("DELETE FROM test_gate")
        self._session.execute("SELECT pg_advisory_unlock(4711)")

    def _pids(self) -> list[int]:
        return [pid for (pid,) in self._session.execute(WAITS.encode()).fetchall()]


@contextmanager
def gate(superuser_url: str, topic: str) -> Iterator[Gate]:
    with psycopg.connect(superuser_url, autocommit=True) as session:
        session.execute(SCHEMA.encode())
        session.execute("SELECT pg_advisory_lock(4711)")
        session.execute("INSERT INTO test_gate VALUES (%s)", (topic,))
        kept = Gate(session)
        try:
            yield kept
        finally:
            kept.commit()
