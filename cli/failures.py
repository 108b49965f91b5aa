"""What the world does wrong, told in one sentence with status 1; a bug shows its traceback."""

from __future__ import annotations

from typing import Any

import click
from typer.core import TyperGroup


class Commands(TyperGroup):
    """The group of all commands; the sentences stand in `_sentence`."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except _failures() as failed:
            raise SystemExit(_sentence(failed)) from None


def _failures() -> tuple[type[Exception], ...]:
    """Imported only once something has gone wrong, for `mega --help` is to be quick."""
    import psycopg

    from ledger.errors import LedgerUnavailable
    from settings import SettingsError

    missing = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction)
    return (psycopg.OperationalError, LedgerUnavailable, SettingsError, *missing)


def _sentence(failed: Exception) -> str:
    import psycopg

    from settings import SettingsError

    said = str(failed).strip().partition("\n")[0]
    if isinstance(failed, SettingsError):
        return said
    if isinstance(failed, psycopg.ProgrammingError):
        return (
            f"The database lacks something ({said}). The ledger comes with mega migrate,"
            " the read models with mega projections rebuild --all."
        )
    return (
        f"The database does not answer ({said})."
        " Start the world with make run, or look at DATABASE_URL."
    )
