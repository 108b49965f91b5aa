"""`mega topics` and `mega parked`: how Kafka stands, and what waits to be tried again."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import psycopg
import typer
from kafka.errors import KafkaError
from rich.console import Console
from rich.table import Table

from consumers.parked import Parked, parked, replay
from consumers.standing import relay_standing, topic_standings
from settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def topics(as_json: AsJson = False) -> None:
    """List the topics with their end offsets, and how far behind the ledger the relay is."""
    settings = Settings.load_or_exit(require=("database_url", "kafka_bootstrap_servers"))
    try:
        found = topic_standings(settings.kafka_bootstrap_servers, settings.mega_topic_prefix)
    except KafkaError as down:
        raise SystemExit(f"Kafka does not answer: {type(down).__name__}.") from None
    relay = relay_standing(settings.database)
    if as_json:
        listed = [{"topic": t.name, "messages": t.messages, "end_offsets": t.ends} for t in found]
        typer.echo(json.dumps({"topics": listed, "relay": {**asdict(relay), "lag": relay.lag}}))
        return
    table = Table("topic", "messages", "end offsets", box=None, pad_edge=False)
    for topic in found:
        ends = " ".join(map(str, topic.ends)) or "not there yet"
        table.add_row(topic.name, str(topic.messages), ends)
    console = Console()
    console.print(table)
    console.print(
        f"\nThe relay is at {relay.position} of {relay.head}: {relay.lag} to go,", end=" "
    )
    console.print(f"{relay.waiting} waiting behind an event that failed.")


parked_app = typer.Typer(no_args_is_help=True, help="What failed and waits to be tried again.")


@parked_app.command("list")
def list_parked(as_json: AsJson = False) -> None:
    """List what is parked, each with its origin and error."""
    found = asyncio.run(_parked(Settings.load_or_exit(require=("database_url",)).database))
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], default=str))
        return
    table = Table("reader", "origin", "key", "error", "asked for again", box=None, pad_edge=False)
    for each in found:
        again = "yes" if each.replay else ""
        table.add_row(each.reader, each.origin, each.key, each.error or "waits its turn", again)
    Console().print(table if found else "Nothing is parked.")


@parked_app.command("replay")
def replay_parked(
    key: Annotated[
        str | None, typer.Option(help="Only what failed under this key (a stream id).")
    ] = None,
) -> None:
    """Ask for what failed again; the running consumers do it, in order per key."""
    url = Settings.load_or_exit(require=("database_url",)).database
    typer.echo(f"{asyncio.run(_replay(url, key))} asked for again.")


async def _parked(url: str) -> list[Parked]:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        return await parked(connection)


async def _replay(url: str, key: str | None) -> int:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        return await replay(connection, key)
