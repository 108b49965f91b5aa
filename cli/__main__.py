"""Puts the commands of `mega` together."""

from __future__ import annotations

import typer

from cli import audit, demo, topics
from cli.run import run

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.command()(run)
app.command()(audit.verify)
app.command()(audit.replay)
app.command("verify-statement")(audit.verify_statement)
app.command()(topics.topics)

demos = typer.Typer(no_args_is_help=True, help="Stories told against the running world.")
demos.command("role-mint")(demo.role_mint)
demos.command("all")(demo.role_mint)
app.add_typer(demos, name="demo")

projections = typer.Typer(no_args_is_help=True, help="Read models.")
projections.command("rebuild")(audit.rebuild)
projections.callback()(lambda: None)
app.add_typer(projections, name="projections")

parked = typer.Typer(no_args_is_help=True, help="Messages that wait to be tried again.")
parked.command("list")(topics.list_parked)
parked.command("replay")(topics.replay_parked)
app.add_typer(parked, name="parked")


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
