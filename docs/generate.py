"""Writes docs/schemas/*.json and docs/asyncapi.json from the code: `python -m docs.generate`.

A schema describes a message's value as anybody may read it on its topic, without the secret fields.
A test compares what is committed with what this makes, another the schemas with live messages.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from inspect import cleandoc
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

import commands.aggregates  # noqa: F401 — brings every event
from consumers.message import Notice
from consumers.results import ChainResult, ProviderResult
from consumers.topics import (
    CHAIN_RESULTS,
    CONSUMERS_SOURCE,
    EVENT_TOPICS,
    LEDGER_SOURCE,
    PARKED,
    PROVIDER_RESULTS,
    topic_of,
)
from domain.event import Event, event_types
from ledger.codec import secret_fields
from projections.badges import Said
from projections.trading_volume import Trade

FOLDER = Path(__file__).parent
DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

PURPOSES = {
    CHAIN_RESULTS: "What a chain shows about an order. The evidence is looked up again before it"
    " counts, so a forged message confirms nothing.",
    PROVIDER_RESULTS: "The outcome of a provider's work on a character's picture; a stored picture"
    " is read back before it counts.",
    PARKED: "What could not be processed, with its origin and error; where order matters, later"
    " messages of its key wait until it is replayed.",
    "trades": "What users trade, by any name of a pass. Unique by platform and trade_id: the first"
    " counts, an equal second is nothing, a different one is parked.",
    "badges": "Badges awarded and revoked. A badge_id names one award; what is revoked stays so.",
}
# Plain JSON of others, without the headers of ours.
SOURCES: dict[str, Any] = {"trades": Trade, "badges": Said}


def generated() -> dict[Path, str]:
    """Every generated file and its text."""
    files = {Path("schemas") / f"{name}.json": schema for name, schema in schemas().items()}
    files[Path("asyncapi.json")] = asyncapi()
    return {
        path: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for path, content in files.items()
    }


def channels() -> dict[str, list[str]]:
    """Topic → the names of the messages on it, which are the values of `ce_type`."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, cls in sorted(event_types().items()):
        channel = topic_of(_stream_of(cls))
        if channel is not None:
            found[channel].append(name)
    for name in (CHAIN_RESULTS, PROVIDER_RESULTS, PARKED, *SOURCES):
        found[name].append(name)
    return dict(found)


def schemas() -> dict[str, Schema]:
    """Message name → JSON Schema of its value."""
    made: dict[str, Schema] = {
        CHAIN_RESULTS: ChainResult.model_json_schema(),
        PROVIDER_RESULTS: ProviderResult.model_json_schema(),
        PARKED: _dataclass_schema(Notice, ()),
        **{name: _source_schema(cls) for name, cls in SOURCES.items()},
    }
    for name in (name for topic in EVENT_TOPICS for name in channels().get(topic, [])):
        made[name] = _dataclass_schema(event_types()[name], secret_fields(name))
    return {name: {"$schema": DIALECT, "$id": name, **made[name]} for name in sorted(made)}


def asyncapi() -> Schema:
    listed = channels()
    names = sorted(name for names in listed.values() for name in names)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "MEGA on Kafka",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in binary mode, but for trades and badges. The key of a"
            " message is the stream it is about; per key the order is that of the stream; a copy"
            " carries the same ce_id."
            " The setting MEGA_TOPIC_PREFIX stands before every address.",
        },
        "defaultContentType": "application/json",
        "channels": {topic: _channel(topic, listed[topic]) for topic in sorted(listed)},
        "operations": dict(_operations(sorted(listed))),
        "components": {
            "messages": {name: _message(name) for name in names},
            "messageTraits": {"event": _trait(_EVENT_HEADERS), "message": _trait(_HEADERS)},
        },
    }


def _channel(topic: str, names: list[str]) -> Schema:
    about = PURPOSES.get(topic, f"Every event of the {topic.rpartition('.')[2]} streams.")
    return {
        "address": topic,
        "description": about,
        "messages": {_id(name): {"$ref": f"#/components/messages/{name}"} for name in names},
    }


def _operations(topics: list[str]) -> list[tuple[str, Schema]]:
    """What this application does: it sends on every channel of its own and takes outcomes in."""
    found = []
    for topic in topics:
        channel = {"$ref": f"#/channels/{topic}"}
        if topic not in SOURCES:
            found.append((f"send_{_id(topic)}", {"action": "send", "channel": channel}))
        if topic in (CHAIN_RESULTS, PROVIDER_RESULTS, *SOURCES):
            found.append((f"receive_{_id(topic)}", {"action": "receive", "channel": channel}))
    return found


def _message(name: str) -> Schema:
    trait = "event" if name in event_types() else "message"
    key = "The user." if name in SOURCES else "The stream."
    headers = [] if name in SOURCES else [{"$ref": f"#/components/messageTraits/{trait}"}]
    return {
        "name": name,
        "contentType": "application/json",
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"schemas/{name}.json"},
        },
        "bindings": {"kafka": {"key": {"type": "string", "description": key}}},
        "traits": headers,
    }


def _trait(headers: Schema) -> Schema:
    schema = {"type": "object", "properties": headers, "required": sorted(headers)}
    return {"headers": schema}


_HEADERS: Schema = {
    "ce_specversion": {"const": "1.0"},
    "ce_id": {"type": "string", "description": "The same in every copy of the message."},
    "ce_type": {"type": "string", "description": "The name of the message."},
    "ce_source": {"enum": [CONSUMERS_SOURCE]},
    "ce_subject": {"type": "string", "description": "The stream it is about."},
    "ce_partitionkey": {"type": "string", "description": "The key of the message."},
    "content-type": {"const": "application/json"},
}
_EVENT_HEADERS: Schema = {
    **_HEADERS,
    "ce_id": {"type": "string", "pattern": "^.+/[1-9][0-9]*$", "description": "stream/version"},
    "ce_type": {"type": "string", "description": "The event's name and version."},
    "ce_source": {"const": LEDGER_SOURCE},
    "ce_time": {"type": "string", "format": "date-time", "description": "When it was recorded."},
    "ce_position": {"type": "string", "pattern": "^[1-9][0-9]*$", "description": "In the ledger."},
    "ce_correlationid": {"type": "string", "description": "What all of one story share."},
    "ce_causationid": {"type": "string", "description": "The command or fact that led to it."},
}


def _dataclass_schema(cls: Any, secrets: tuple[str, ...]) -> Schema:
    whole = msgspec.json.schema(cls)
    definitions = whole["$defs"]
    schema: Schema = definitions.pop(cls.__name__)
    for name, hint in get_type_hints(cls).items():
        if name in schema["properties"] and datetime in (hint, *get_args(hint)):
            _mark_times(schema["properties"][name])
    for name in secrets:
        del schema["properties"][name]
    schema["required"] = [name for name in schema["required"] if name not in secrets]
    if "description" in schema:
        schema["description"] = cleandoc(schema["description"])
    extra = {"$defs": definitions} if definitions else {}
    return {**schema, "additionalProperties": False, **extra}


def _source_schema(cls: Any) -> Schema:
    schema: Schema = msgspec.json.schema(cls)["$defs"][cls.__name__]
    return {name: part for name, part in schema.items() if name != "title"}


def _mark_times(schema: Schema) -> None:
    for each in schema.get("anyOf", [schema]):
        if each.get("type") == "string":
            each["format"] = "date-time"


def _stream_of(cls: type[Event]) -> str:
    """A stream as the events of a class name it. Ids are `<kind>_id` and streams `<kind>:…`."""
    sample = object.__new__(cls)
    for name in get_type_hints(cls):
        if name != "TOPIC":
            object.__setattr__(sample, name, f"{name.removesuffix('_id')}:sample")
    return sample.stream


def _id(name: str) -> str:
    return name.replace(".", "_")


def write() -> list[Path]:
    """Writes what has changed and removes schemas of nothing; returns the paths touched."""
    files = generated()
    stale = {path.relative_to(FOLDER) for path in (FOLDER / "schemas").glob("*.json")} - set(files)
    for path in stale:
        (FOLDER / path).unlink()
    changed = []
    for path, text in files.items():
        target = FOLDER / path
        if not target.exists() or target.read_text() != text:
            target.parent.mkdir(exist_ok=True)
            target.write_text(text)
            changed.append(path)
    return sorted([*stale, *changed])


if __name__ == "__main__":
    for touched in write():
        print(touched)  # noqa: T201
