"""Puts the commands of `mega` together."""

from __future__ import annotations

import typer

from cli.run import run

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.command()(run)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema, as its owner (DATABASE_ADMIN_URL)."""
    from psycopg.conninfo import conninfo_to_dict

    from ledger.migrate import migrate as apply
    from settings import Settings

    settings = Settings.load_or_exit(require=("database_url", "database_admin_url"))
    role = conninfo_to_dict(settings.database_url or "")["user"]
    for name in apply(settings.database_admin_url or "", app_role=str(role)):
        typer.echo(name)


if __name__ == "__main__":
    app()
