"""Puts the commands of `mega` together.

What they need is imported by each when it is called, so that `mega --help` answers at once.
"""

from __future__ import annotations

import typer

from cli import (
    allowlist,
    audit,
    demo,
    demo_batch,
    demo_geoplet,
    demo_levels,
    demo_studio,
    operate,
    pfp,
)
from cli.export import export
from cli.failures import Commands
from cli.reconcile import reconcile
from cli.run import run
from cli.say import AsJson
from cli.topics import topics
from cli.world import settings

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # a traceback is no place for passwords
    help="MEGA: paid orders, one ledger. It speaks to the world that runs in MEGA_DATA_DIR"
    " (default .mega), or to the database at DATABASE_URL.",
)


def group(name: str, help_: str) -> typer.Typer:
    made = typer.Typer(no_args_is_help=True, help=help_)
    app.add_typer(made, name=name)
    return made


app.command()(run)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema, as its owner (DATABASE_ADMIN_URL)."""
    from psycopg.conninfo import conninfo_to_dict

    from ledger.migrate import migrate as apply

    known = settings("database_admin_url")
    role = conninfo_to_dict(known.database)["user"]
    for name in apply(known.database_admin_url or "", app_role=str(role)):
        typer.echo(name)
    typer.echo("up to date")


demos = group("demo", "Stories told against the running world.")
demos.command("role-mint")(demo.role_mint)
demos.command("geoplet")(demo_geoplet.geoplet)
demos.command("batch")(demo_batch.batch)
demos.command("levels")(demo_levels.levels)
demos.command("studio")(demo_studio.studio)


@demos.command("all")
def all_demos(json_: AsJson = False) -> None:
    """Every story, one after the other."""
    demo.role_mint(json_=json_)
    demo_geoplet.geoplet(json_=json_)
    demo_batch.batch(json_=json_)
    demo_levels.levels(json_=json_)
    demo_studio.studio(json_=json_)


app.command()(audit.verify)
app.command()(audit.replay)
app.command()(audit.statement)
app.command("verify-statement")(audit.verify_statement)
app.command()(export)

projections = group("projections", "Read models: how they stand, and building them anew.")
projections.command("status")(operate.status)
projections.command("rebuild")(operate.rebuild)

app.command()(operate.recoveries)
app.command()(reconcile)

parked = group("parked", "What failed and waits to be tried again.")
parked.command("list")(operate.list_parked)
parked.command("replay")(operate.replay_parked)

app.command()(topics)

wallets = group("allowlist", "Which wallets may mint, and how many.")
wallets.command("import")(allowlist.import_)

portraits = group("pfp", "Portraits: the pictures of batch mints.")
portraits.command("render")(pfp.render)

if __name__ == "__main__":
    app()
