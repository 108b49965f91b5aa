"""`mega topics`: how Kafka stands, and how much of the ledger it does not have yet."""

from __future__ import annotations

from dataclasses import asdict

import typer

from cli.say import AsJson, as_json, table
from cli.world import settings


def topics(json_: AsJson = False) -> None:
    """List the topics with their end offsets, and how far behind the ledger the relay is."""
    from kafka.errors import KafkaError

    from consumers.standing import relay_standing, topic_standings

    known = settings("kafka_bootstrap_servers")
    relay = relay_standing(known.database)
    try:
        found = topic_standings(known.kafka_bootstrap_servers, known.mega_topic_prefix)
    except KafkaError as down:
        where = ", ".join(known.kafka_bootstrap_servers)
        raise SystemExit(f"Kafka does not answer at {where} ({type(down).__name__}).") from None
    if json_:
        listed = [{"topic": t.name, "messages": t.messages, "end_offsets": t.ends} for t in found]
        as_json({"topics": listed, "relay": {**asdict(relay), "lag": relay.lag}})
        return
    rows = [(t.name, t.messages, " ".join(map(str, t.ends)) or "not there yet") for t in found]
    table(("topic", "messages", "end offsets"), rows)
    typer.echo(
        f"\nThe relay is at {relay.position} of {relay.head}: {relay.lag} to go,"
        f" {relay.waiting} waiting behind an event that failed."
    )
