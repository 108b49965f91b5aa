"""The documents in docs/ are what the code makes, and what is found on the topics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import is_dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka
from cloudevents.core.formats.json import JSONFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from consumers.topics import ALL_TOPICS, create_missing, published, topic_of
from docs.generate import FOLDER, channels, generated
from domain.event import event_types
from domain.roles import prompt_for
from ledger.codec import secret_fields
from ledger.ledger import Ledger
from tests.consumers import story
from tests.consumers.filling import SECRET, assert_topics_equal_the_ledger, fill
from tests.consumers.test_relay import caught_up, relaying, soon
from tests.consumers.topic_reading import Read
from tests.world import Database

EVENTS_ON_TOPICS = sorted(
    name for names in channels().values() for name in names if name in event_types()
)
CONFIGS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
TIMES = st.datetimes(timezones=st.just(UTC))


@cache
def validator(name: str) -> Draft202012Validator:
    """Of the committed schema, as a reader outside has it."""
    schema = json.loads((FOLDER / "schemas" / f"{name}.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


@cache
def asyncapi() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / "asyncapi.json").read_text())
    return document


def headers_schema(name: str) -> dict[str, Any]:
    message = asyncapi()["components"]["messages"][name]
    [trait] = [each["$ref"].rpartition("/")[2] for each in message["traits"]]
    schema: dict[str, Any] = asyncapi()["components"]["messageTraits"][trait]["headers"]
    return schema


def test_the_committed_documents_are_what_the_code_makes() -> None:
    files = generated()
    committed = {path.relative_to(FOLDER) for path in (FOLDER / "schemas").glob("*.json")}
    assert committed == {path for path in files if path.parts[0] == "schemas"}
    stale = [str(path) for path, text in files.items() if (FOLDER / path).read_text() != text]
    assert stale == [], "run: python -m docs.generate"


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if "$ref" in node else []
            return own + [ref for child in node.values() for ref in references(child)]
        return (
            [ref for child in node for ref in references(child)] if isinstance(node, list) else []
        )

    for reference in references(asyncapi()):
        file, _, path = reference.partition("#/")
        target = asyncapi() if not file else json.loads((FOLDER / file).read_text())
        for part in path.split("/") if path else []:
            target = target[part]
        assert target


def test_streams_of_the_contract_have_topics_and_the_others_none() -> None:
    assert topic_of("order:1") == "mega.order"
    assert topic_of("credit_account:pass:user:1") == "mega.credit"
    assert topic_of("pass:user:eip155:0xaa") == "mega.pass"
    for stream in ("claim:identity:x", "key:abc", "inbox:m", "minter:1:0x", "unknown"):
        assert topic_of(stream) is None


@pytest.mark.parametrize("name", EVENTS_ON_TOPICS)
def test_whatever_an_event_holds_fits_its_schema(name: str) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        event = data.draw(an_event(event_types()[name]))
        validator(name).validate(json.loads(msgspec.json.encode(published(event))))
        assert not set(secret_fields(name)) & published(event).keys()

    holds()


def an_event(cls: Any) -> st.SearchStrategy[Any]:
    """An event, or a value that is part of one."""
    hints = {n: hint for n, hint in get_type_hints(cls).items() if n != "TOPIC"}
    return st.builds(cls, **{name: a_value(hint) for name, hint in hints.items()})


def a_value(hint: Any) -> st.SearchStrategy[Any]:
    if hint is datetime:
        return TIMES
    if hint == datetime | None:
        return st.none() | TIMES
    if hint is Any:
        return CONFIGS
    if is_dataclass(hint):
        return an_event(hint)
    if get_origin(hint) in (dict, Mapping):
        names, values = get_args(hint)
        return st.dictionaries(a_value(names), a_value(values), max_size=4)
    if get_origin(hint) is tuple:
        return st.lists(a_value(get_args(hint)[0]), max_size=4).map(tuple)
    return st.from_type(hint)


async def test_live_messages_fit_their_schemas_and_hold_no_secret(
    database: Database, ledger: Ledger, kafka: str, topic_prefix: str
) -> None:
    async with relaying(database, ledger, kafka, topic_prefix):
        character_id = await story.tell(ledger)
        await fill(ledger, ["x"])
        await soon(caught_up(database))
    messages = assert_topics_equal_the_ledger(kafka, topic_prefix, database)
    seen = {message.headers["ce_type"] for message in messages}
    assert {"pass_opened.v1", "payment_settled.v1", "generation_requested.v1"} <= seen
    assert {"generation_failed.v1", "image_stored.v1"} <= seen
    for message in messages:
        assert_as_documented(message, topic_prefix)
    everything = b"\n".join(m.raw + repr(m.headers).encode() for m in messages).decode()
    prompts = [event.prompt for event in await prompted(ledger, character_id)]
    assert prompts and prompts[0] == prompt_for("samurai", "role")
    for secret in (*prompts, SECRET, "sealed:", "prompt"):
        assert secret not in everything


def assert_as_documented(message: Read, prefix: str) -> None:
    name = message.headers["ce_type"]
    channel = asyncapi()["channels"][message.topic.removeprefix(prefix)]
    assert name.replace(".", "_") in channel["messages"]
    validator(name).validate(message.value)
    Draft202012Validator(headers_schema(name), format_checker=FormatChecker()).validate(
        message.headers
    )
    raw = {header: text.encode() for header, text in message.headers.items()}
    event = from_kafka(KafkaMessage(raw, message.key, message.raw), JSONFormat())
    assert event.get_id() == message.headers["ce_id"]
    assert event.get_subject() == event.get_extension("partitionkey") == message.key
    assert message.id.rpartition("/")[0] == message.key


async def prompted(ledger: Ledger, character_id: str) -> list[Any]:
    recorded = await ledger.history([f"character:{character_id}"])
    return [each.event for each in recorded if each.topic == "generation_requested.v1"]


async def test_the_headers_tell_the_place_in_the_ledger_and_the_cause(
    database: Database, ledger: Ledger, kafka: str, topic_prefix: str
) -> None:
    async with relaying(database, ledger, kafka, topic_prefix):
        character_id = await story.tell(ledger)
        await soon(caught_up(database))
    messages = {m.id: m for m in assert_topics_equal_the_ledger(kafka, topic_prefix, database)}
    for recorded in await ledger.history([f"character:{character_id}"]):
        headers = messages[recorded.id].headers
        assert headers["ce_position"] == str(recorded.position)
        assert headers["ce_time"] == recorded.recorded_at.isoformat().replace("+00:00", "Z")
        assert headers["ce_correlationid"] == recorded.metadata["correlation_id"]
        assert headers["ce_causationid"] == recorded.metadata["causation_id"]


def test_topics_are_made_once_by_whoever_comes_first(kafka: str, topic_prefix: str) -> None:
    assert create_missing([kafka], topic_prefix) == sorted(topic_prefix + t for t in ALL_TOPICS)
    assert create_missing([kafka], topic_prefix) == []
