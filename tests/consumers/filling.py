"""Fills a ledger with streams of every published kind, and tells what topics must show of it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import UTC, datetime

import psycopg

from consumers.topics import topic_of
from domain.character import CharacterCreated, GenerationRequested
from domain.claim import ClaimTaken
from domain.event import Event
from domain.order_events import WalletStepShown
from domain.passes import IdentityLinked, PassOpened
from ledger.ledger import Ledger, NewEvent
from tests.consumers.topic_reading import Read, by_key, first_ids, read_topics
from tests.world import Database

SECRET = "a fox that nobody may hear of"
AT = datetime(2026, 11, 1, tzinfo=UTC)


def metadata(pass_id: str) -> dict[str, str]:
    return {
        "correlation_id": f"request:{pass_id}",
        "causation_id": "command:fill",
        "command_id": f"fill:{pass_id}",
        "pass_id": pass_id,
    }


def history_of(name: str, length: int) -> list[Event]:
    """One pass, its character and its order, interleaved, with claims between them."""
    pass_id = f"pass:user:{name}"
    ids = {"order_id": name, "character_id": name}
    events: list[Event] = [
        PassOpened(pass_id=pass_id, opened_at=AT),
        ClaimTaken(claim=f"claim:identity:{name}", holder=pass_id),
        IdentityLinked(pass_id=pass_id, identity=f"eip155:{name}"),
        CharacterCreated(character_id=name, pass_id=pass_id, role="samurai", kind="role"),
    ]
    for number in range(1, length + 1):
        events.append(WalletStepShown(**ids, step=f"step {number}"))
        events.append(
            GenerationRequested(
                character_id=name,
                order_id=name,
                attempt=number,
                prompt=SECRET,
                provider="seedream",
                model="m",
            )
        )
    return events


async def fill(ledger: Ledger, names: list[str], length: int = 3) -> None:
    """Appends the histories of these names, each in one append, all at once."""

    async def one(name: str) -> None:
        versions: defaultdict[str, int] = defaultdict(int)
        rows = []
        for event in history_of(name, length):
            versions[event.stream] += 1
            facts = metadata(f"pass:user:{name}")
            rows.append(NewEvent(event.stream, versions[event.stream], event, facts))
        await ledger.append(rows, pass_id=f"pass:user:{name}")

    await asyncio.gather(*[one(name) for name in names])


def published_streams(database: Database) -> dict[tuple[str, str], list[str]]:
    """(topic, stream) → ids of its events in order, for the streams that have a topic."""
    with psycopg.connect(database.url) as connection:
        rows = connection.execute(
            "SELECT originator_id, originator_version FROM mega_generations ORDER BY mg_position"
        ).fetchall()
    lanes: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for stream, version in rows:
        topic = topic_of(stream)
        if topic is not None:
            lanes[topic, stream].append(f"{stream}/{version}")
    return dict(lanes)


def cursor(database: Database) -> int:
    with psycopg.connect(database.url) as connection:
        row = connection.execute(
            "SELECT position FROM consumers.cursors WHERE name = 'relay'"
        ).fetchone()
    return row[0] if row else 0


def head(database: Database) -> int:
    with psycopg.connect(database.url) as connection:
        row = connection.execute("SELECT max(mg_position) FROM mega_generations").fetchone()
    assert row is not None
    return int(row[0] or 0)


def assert_topics_equal_the_ledger(kafka: str, prefix: str, database: Database) -> list[Read]:
    """Per stream the same ids in the same order; a copy differs in nothing from the first."""
    messages = read_topics(kafka, prefix)
    lanes = {(topic.removeprefix(prefix), key): m for (topic, key), m in by_key(messages).items()}
    lanes = {lane: m for lane, m in lanes.items() if lane[0] != "mega.parked"}
    assert {lane: first_ids(m) for lane, m in lanes.items()} == published_streams(database)
    first: dict[str, Read] = {}
    for message in messages:
        known = first.setdefault(message.id, message)
        assert (message.key, message.headers, message.raw) == (known.key, known.headers, known.raw)
    return messages
